"""Upgrade records and their steps: append only."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from versioning.domain import transitions
from versioning.domain.evidence import read
from versioning.models.catalogue import ModelVersion, TrackedModel

STATE_CHOICES = [(state.value, state.value.replace("_", " ")) for state in transitions.State]


def _values(states: frozenset[transitions.State]) -> list[str]:
    return sorted(state.value for state in states)


class UpgradeRecordQuerySet(models.QuerySet["UpgradeRecord"]):
    def waiting(self) -> Self:
        """Those that wait for a decision, snoozed ones included."""
        return self.filter(state__in=_values(transitions.WAITING))

    def recommended(self) -> Self:
        """Those that wait now; a maybe recommends nothing."""
        return self.filter(state=transitions.State.RECOMMENDED.value).sure()

    def sure(self) -> Self:
        """Those of which lineage doesn't doubt that they are successors."""
        return self.exclude(step=UpgradeRecord.Step.MAYBE)

    def maybes(self) -> Self:
        """Those that wait now, of which lineage can't tell whether they are successors."""
        return self.filter(state=transitions.State.RECOMMENDED.value, step=UpgradeRecord.Step.MAYBE)

    def under_way(self) -> Self:
        return self.filter(state__in=_values(transitions.UNDER_WAY))

    def not_ended(self) -> Self:
        """Those that wait for a decision or are under way."""
        return self.filter(state__in=_values(transitions.WAITING | transitions.UNDER_WAY))

    def completions(self) -> Self:
        """Every record that once set a current version, rolled back ones included."""
        return self.exclude(completion_number=None)

    def urgent_first(self) -> Self:
        """Nearest retirement first, then the newest recommendation."""
        return self.order_by(models.F("urgent_on").asc(nulls_last=True), "-recommended_at", "-pk")

    def with_versions(self) -> Self:
        return self.select_related("tracked_model__provider", "from_version", "to_version")

    def with_version_names(self) -> Self:
        """With what names the model and both versions: of long lists nothing more is shown."""
        named = [
            f"{side}__{name}"
            for side in ("from_version", "to_version")
            for name in ("label", "upstream_id", "revision")
        ]
        own = [field.attname for field in self.model._meta.concrete_fields]
        model = ("tracked_model__name", "tracked_model__provider__slug")
        return self.with_versions().only(*own, *model, *named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether there is an upgrade, from which version to which, by their labels."""

    has_upgrade: bool = False
    """Does it wait for a decision? A maybe is none, nor is one that was put off or decided."""
    recommended: bool = False
    """Does the evidence speak for it?"""
    current_version: str = ""
    latest_version: str = ""
    """The one in use where no other is known."""
    improvements: tuple[str, ...] = ()


class UpgradeRecord(models.Model):
    """One move from a version to another, from recommendation to its end."""

    State = transitions.State

    class Origin(models.TextChoices):
        TRACKING = "tracking", _("tracking began")
        DETECTION = "detection", _("a check")
        STAFF = "staff", _("staff")
        API = "api", _("API")
        POLICY = "policy", _("policy")
        ROLLBACK = "rollback", _("rollback")

    class Step(models.TextChoices):
        FIRST = "first", _("first version")
        REVISION = "revision", _("revision")
        SNAPSHOT = "snapshot", _("snapshot")
        MINOR = "minor", _("minor")
        MAJOR = "major", _("major")
        REPLACEMENT = "replacement", _("replacement across lines")
        MAYBE = "maybe", _("maybe a successor")
        REQUESTED = "requested", _("asked for by a person or client")
        BACK = "back", _("back")

    tracked_model = models.ForeignKey(
        TrackedModel, on_delete=models.PROTECT, related_name="upgrades"
    )
    from_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, related_name="upgrades_from"
    )
    to_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="upgrades_to"
    )
    state = models.CharField(
        max_length=12, choices=STATE_CHOICES, default=transitions.State.RECOMMENDED.value
    )
    origin = models.CharField(max_length=10, choices=Origin.choices)
    step = models.CharField(_("kind of step"), max_length=12, choices=Step.choices)
    confidence = models.FloatField(
        default=1.0, validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    reasons = models.JSONField(default=list)
    doubt = models.CharField(
        max_length=300, blank=True, help_text=_("Why it is only a maybe; empty for all others.")
    )
    runners_up = models.JSONField(default=list)
    evidence = models.JSONField(default=dict)
    evidence_hash = models.CharField(max_length=64, blank=True)
    evidence_at = models.DateTimeField(null=True)
    urgent_on = models.DateField(
        null=True, blank=True, help_text=_("The day on which the version in use retires.")
    )
    snoozed_until = models.DateTimeField(null=True, blank=True)
    recommended_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    completion_number = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=_(
            "1 for the first version of a tracked model, one more for each completed move."
        ),
    )
    reverses = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversed_by",
        help_text=_("The record that this rollback reverses."),
    )

    objects = UpgradeRecordQuerySet.as_manager()

    class Meta:
        constraints = [
            # Law 3.
            models.UniqueConstraint(
                fields=["tracked_model"],
                condition=Q(state__in=["approved", "canary", "testing"]),
                name="one_upgrade_under_way_per_tracked_model",
            ),
            # Law 1: completions of a tracked model stand in one order, without ties.
            models.UniqueConstraint(
                fields=["tracked_model", "completion_number"],
                name="completions_have_one_order",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["completed", "rolled_back"],
                    completion_number__isnull=False,
                    completed_at__isnull=False,
                )
                | Q(completion_number__isnull=True, completed_at__isnull=True)
                & ~Q(state__in=["completed", "rolled_back"]),
                name="completed_records_are_numbered",
            ),
            models.UniqueConstraint(
                fields=["tracked_model", "to_version"],
                condition=Q(state__in=["recommended", "snoozed"]),
                name="one_waiting_recommendation_per_target",
            ),
            models.CheckConstraint(
                condition=Q(state="snoozed", snoozed_until__isnull=False) | ~Q(state="snoozed"),
                name="snoozed_until_a_date",
            ),
        ]
        indexes = [
            # The inbox and the recommendations endpoint read these and no others.
            models.Index(
                fields=["urgent_on", "recommended_at"],
                condition=Q(state__in=["recommended", "snoozed"]),
                name="waiting_upgrades",
            ),
            # The admin's list, as it comes and by each of its filters.
            models.Index(fields=["-changed_at", "-id"], name="upgrades_by_change"),
            models.Index(fields=["state", "-changed_at", "-id"], name="upgrades_by_state"),
            models.Index(fields=["step", "-changed_at", "-id"], name="upgrades_by_step"),
            models.Index(fields=["origin", "-changed_at", "-id"], name="upgrades_by_origin"),
            models.Index(
                fields=["tracked_model", "-changed_at", "-id"], name="upgrades_of_a_model"
            ),
        ]

    def __str__(self) -> str:
        name, after = self.tracked_model.name, self.to_version.label
        if self.from_version is None:
            return gettext("%(model)s began with %(version)s") % {"model": name, "version": after}
        return f"{name} {self.from_version.label} → {after}"

    @property
    def is_waiting(self) -> bool:
        return transitions.State(self.state) in transitions.WAITING

    @property
    def standing(self) -> Standing:
        """Say in short what the record means to somebody who asks for upgrades."""
        waits = self.state == transitions.State.RECOMMENDED and self.step != self.Step.MAYBE
        return Standing(
            has_upgrade=waits,
            recommended=waits and read(self.evidence).speaks_for,
            current_version=self.from_version.label if self.from_version else "",
            latest_version=self.to_version.label,
            improvements=tuple(self.to_version.improvements),
        )


class UpgradeStep(models.Model):
    """One step of a record's course: who, when, why, and the evidence as it was then."""

    class ActorKind(models.TextChoices):
        STAFF = "staff", _("staff")
        API = "api", _("API key")
        SCHEDULER = "scheduler", _("scheduler")
        COMMAND = "command", _("command")

    record = models.ForeignKey(UpgradeRecord, on_delete=models.PROTECT, related_name="steps")
    before = models.CharField(max_length=12, blank=True)
    after = models.CharField(max_length=12, choices=STATE_CHOICES)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices)
    actor_name = models.CharField(max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True)
    evidence_hash = models.CharField(max_length=64, blank=True)
    evidence = models.JSONField(default=dict)

    class Meta:
        indexes = [
            # A record's page shows its steps in order.
            models.Index(fields=["record", "at", "id"], name="steps_of_a_record"),
            # The inbox shows the latest of some kinds.
            models.Index(fields=["-at", "-id"], name="steps_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.before or 'new'} → {self.after}"
