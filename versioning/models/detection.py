"""What providers list, how we asked, and what was new."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from providers.models import Provider
from versioning.domain.lineage import HeldBy
from versioning.models.catalogue import ModelVersion, TrackedModel


class CatalogueEntryQuerySet(models.QuerySet["CatalogueEntry"]):
    def listed(self) -> Self:
        """Those that count as listed: seen, or missing for too short a time to be gone."""
        return self.filter(gone_at=None)


class CatalogueEntry(models.Model):
    """One id of a provider's listing, with what was last said of it."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="catalogue")
    upstream_id = models.CharField(max_length=200)
    revision = models.CharField(max_length=200, blank=True)
    facts = models.JSONField(default=dict, help_text=_("The rest of the listed model."))
    next_revision = models.CharField(
        max_length=200,
        blank=True,
        help_text=_(
            "Another revision that the last listing gave; it counts when it is seen again."
        ),
    )
    created_said = models.DateField(
        null=True,
        blank=True,
        help_text=_("The day that the last listing gave as created: one that moves is no release."),
    )
    standing_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_(
            "Since when it stands as it does: its maker's word, its dates, how it is called. "
            "Empty: since it was first seen."
        ),
    )
    standing_listings = models.PositiveIntegerField(
        default=0, help_text=_("Listings in a row that said so, while that isn't sure.")
    )
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    missing_since = models.DateTimeField(null=True, blank=True)
    missed_listings = models.PositiveIntegerField(default=0)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = CatalogueEntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("catalogue entries")
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "upstream_id"], name="one_entry_per_upstream_id"
            ),
        ]
        indexes = [
            # All ids that a provider lists, read from the index alone: why a model has a successor.
            models.Index(
                fields=["provider", "upstream_id"],
                condition=Q(gone_at=None),
                name="listed_ids_of_a_provider",
            ),
        ]

    def __str__(self) -> str:
        return self.upstream_id

    def has_settled(self, *, at: datetime) -> bool:
        """Tell whether enough listings said where it stands to take a recommendation back."""
        ours: Mapping[str, Any] = settings.HOTSWAP
        return self.standing_since is None or (
            self.standing_listings >= ours["GONE_AFTER_LISTINGS"]
            and at - self.standing_since >= ours["GONE_AFTER"]
        )


class AliasTarget(models.Model):
    """What an id stood for, from when to when."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="alias_targets")
    alias = models.CharField(max_length=200)
    target = models.CharField(max_length=200)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "alias"],
                condition=Q(until=None),
                name="an_alias_stands_for_one_thing_at_a_time",
            ),
        ]
        indexes = [
            # The admin's list, as it comes.
            models.Index(fields=["-since", "-id"], name="alias_targets_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.alias} → {self.target}"


class DirectQuestionQuerySet(models.QuerySet["DirectQuestion"]):
    def calls(self) -> Self:
        """Those that were a chat of one token, which costs something."""
        return self.filter(is_call=True)


class PassedOver(models.Model):
    """A listed model that would follow a tracked one but for one thing, as the last look found."""

    class By(models.TextChoices):
        PREVIEWS = HeldBy.PREVIEWS.value, _("previews not allowed")
        LOOK_ALIKE = HeldBy.LOOK_ALIKE.value, _("looks like the one in use")
        STAFF_RULE = HeldBy.STAFF_RULE.value, _("kept out by a rule")

    tracked_model = models.ForeignKey(
        TrackedModel, on_delete=models.CASCADE, related_name="passed_over"
    )
    upstream_id = models.CharField(max_length=200)
    by = models.CharField(max_length=10, choices=By.choices)
    why = models.CharField(max_length=300)
    since = models.DateTimeField(help_text=_("When this was found first."))

    class Meta:
        verbose_name_plural = _("passed over")
        constraints = [
            models.UniqueConstraint(
                fields=["tracked_model", "upstream_id"], name="each_id_passed_over_once_per_model"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.upstream_id}: {self.get_by_display()}"


class DirectQuestion(models.Model):
    """One model asked for directly, beside the list: does it answer?"""

    provider = models.ForeignKey(
        Provider, on_delete=models.CASCADE, related_name="direct_questions"
    )
    upstream_id = models.CharField(max_length=200)
    is_call = models.BooleanField(
        help_text=_("A chat of one token; otherwise a look that is free.")
    )
    outcome = models.CharField(
        max_length=10,
        choices=[("callable", _("callable")), ("refused", _("refused")), ("unknown", _("unknown"))],
    )
    sentence = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField()

    objects = DirectQuestionQuerySet.as_manager()

    class Meta:
        indexes = [
            # The daily cap counts a provider's calls; the last answer about an id is looked up.
            models.Index(fields=["provider", "-asked_at"], name="question_by_provider_and_time"),
        ]

    def __str__(self) -> str:
        return f"{self.upstream_id}: {self.outcome}"


class CheckQuerySet(models.QuerySet["Check"]):
    def running(self) -> Self:
        return self.filter(state=Check.State.RUNNING)

    def finished(self) -> Self:
        return self.exclude(state=Check.State.RUNNING)


class Check(models.Model):
    """One provider asked once: what was found, or why nothing could be said."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        CHANGED = "changed", _("changed")
        UNCHANGED = "unchanged", _("unchanged")
        PARTLY = "partly", _("partly read")
        FAILED = "failed", _("failed")

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", _("schedule")
        STAFF = "staff", _("staff")
        API = "api", _("API")
        COMMAND = "command", _("command")

    class ErrorKind(models.TextChoices):
        NONE = "", _("none")
        UNAVAILABLE = "unavailable", _("unavailable")
        REFUSED = "refused", _("refused")
        NONSENSE = "nonsense", _("nonsense")
        BROKEN = "broken", _("broken off")

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="checks")
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    asked_by = models.CharField(max_length=150, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    due_at = models.DateTimeField(
        null=True, blank=True, help_text=_("The time of the schedule that it was for.")
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(
        help_text=_("A check that isn't finished by then has crashed; the next worker takes it up.")
    )
    takes = models.PositiveSmallIntegerField(
        default=0, help_text=_("How many workers took it up: more than one where one died.")
    )
    listed = models.PositiveIntegerField(_("models listed"), default=0)
    added = models.PositiveIntegerField(_("new ids"), default=0)
    changed = models.PositiveIntegerField(_("changed ids"), default=0)
    missing = models.PositiveIntegerField(_("missing ids"), default=0)
    recommended = models.PositiveIntegerField(_("recommendations"), default=0)
    dropped = models.PositiveIntegerField(_("unreadable items"), default=0)
    dropped_items = models.JSONField(default=list, blank=True)
    unread = models.JSONField(
        default=list,
        blank=True,
        help_text=_(
            "What identifies each item that could not be read, from one check to the next."
        ),
    )
    error_kind = models.CharField(max_length=12, choices=ErrorKind.choices, blank=True)
    error = models.CharField(max_length=500, blank=True)
    difference = models.JSONField(default=dict, blank=True)
    shrunk_to = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text=_("Size of a listing that had lost most of its models, and was not believed."),
    )

    objects = CheckQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider"],
                condition=Q(state="running"),
                name="one_running_check_per_provider",
            ),
            # Two schedulers at the same moment; a check that broke off may be done again.
            models.UniqueConstraint(
                fields=["provider", "due_at"],
                condition=~Q(error_kind="broken"),
                name="one_check_per_provider_and_due_time",
            ),
        ]
        indexes = [
            # The last check of each provider: inbox, staleness alarm, catch-up at start.
            models.Index(fields=["provider", "-started_at"], name="check_by_provider_and_start"),
            # The admin's list, as it comes.
            models.Index(fields=["-started_at", "-id"], name="checks_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.provider.slug}: {self.get_state_display()}"

    @property
    def duration_ms(self) -> int | None:
        """How long it took, in milliseconds; None while it runs."""
        if self.finished_at is None:
            return None
        return round((self.finished_at - self.started_at).total_seconds() * 1000)


class Finding(models.Model):
    """One piece of news from a check."""

    class Kind(models.TextChoices):
        NEW_VERSION = "new_version", _("new version")
        REVISION = "revision", _("changed under the same name")
        METADATA = "metadata", _("metadata changed")
        RETIREMENT = "retirement", _("retirement announced or moved")
        MISSING = "missing", _("missing from the listing")
        GONE = "gone", _("gone")
        REAPPEARED = "reappeared", _("listed again")
        LIFECYCLE = "lifecycle", _("lifecycle changed")
        WITHDRAWN = "withdrawn", _("retirement withdrawn")
        DOUBT = "doubt", _("facts that can't be so")
        REFUSED = "refused", _("listed but not callable")
        ALIVE = "alive", _("unlisted but alive")
        NOT_KEPT = "not_kept", _("could not be recorded")

    check_run = models.ForeignKey(Check, on_delete=models.PROTECT, related_name="findings")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    upstream_id = models.CharField(max_length=200)
    tracked_model = models.ForeignKey(
        TrackedModel, on_delete=models.PROTECT, null=True, blank=True, related_name="findings"
    )
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="findings"
    )
    sentence = models.CharField(max_length=500)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    found_at = models.DateTimeField()

    class Meta:
        indexes = [
            # The page of a tracked model shows its latest news.
            models.Index(fields=["tracked_model", "-found_at"], name="finding_by_model_and_time"),
            # The admin's list, as it comes.
            models.Index(fields=["-found_at", "-id"], name="findings_by_time"),
        ]

    def __str__(self) -> str:
        return self.sentence
