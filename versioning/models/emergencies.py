"""Emergencies: moves at once, past tests, canary and approvals, that somebody looks at later."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from providers.moments import stamp
from versioning.models.catalogue import TrackedModel
from versioning.models.upgrades import UpgradeRecord, UpgradeStep


class EmergencyQuerySet(models.QuerySet["Emergency"]):
    def open(self) -> Self:
        """Those that nobody has ended yet; one whose time is over is ended by the next sweep."""
        return self.filter(ended_at=None)

    def unreviewed(self) -> Self:
        return self.filter(reviewed_at=None)

    def with_models(self) -> Self:
        return self.select_related("tracked_model__provider")


class Emergency(models.Model):
    """A time in which a tracked model may be moved at once, and doesn't move by itself."""

    tracked_model = models.ForeignKey(
        TrackedModel, on_delete=models.PROTECT, related_name="emergencies"
    )
    reason = models.CharField(max_length=500)
    declared_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text=_("It ends by itself then."))
    ended_at = models.DateTimeField(null=True)
    reviewed_at = models.DateTimeField(null=True)

    objects = EmergencyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("emergencies")
        constraints = [
            models.UniqueConstraint(
                fields=["tracked_model"],
                condition=Q(ended_at=None),
                name="one_open_emergency_per_tracked_model",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("declared_at")),
                name="an_emergency_ends_after_it_began",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at=None) | Q(ended_at__isnull=False),
                name="an_emergency_is_reviewed_after_its_end",
            ),
        ]
        indexes = [
            # The inbox asks for these.
            models.Index(
                fields=["declared_at"], condition=Q(reviewed_at=None), name="unreviewed_emergencies"
            ),
        ]

    def __str__(self) -> str:
        return gettext("emergency of %(model)s, %(moment)s") % {
            "model": self.tracked_model.name,
            "moment": stamp(self.declared_at),
        }

    def is_open(self, at: datetime) -> bool:
        return self.ended_at is None and at < self.ends_at


class EmergencyStep(models.Model):
    """One thing that was done in an emergency, or about it. Never changed."""

    class Kind(models.TextChoices):
        DECLARED = "declared", _("declared")
        MOVED = "moved", _("moved")
        ENDED = "ended", _("ended")
        REVIEWED = "reviewed", _("reviewed")

    emergency = models.ForeignKey(Emergency, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    record = models.ForeignKey(
        UpgradeRecord, on_delete=models.PROTECT, null=True, related_name="emergency_steps"
    )
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10, choices=UpgradeStep.ActorKind.choices)
    actor_name = models.CharField(max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    text = models.CharField(max_length=2000, blank=True, help_text=_("The reason, or the note."))

    class Meta:
        verbose_name = _("step")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="moved", record__isnull=False)
                | (~Q(kind="moved") & Q(record=None)),
                name="a_move_in_an_emergency_names_its_upgrade",
            ),
            models.UniqueConstraint(
                fields=["emergency", "kind"],
                condition=~Q(kind="moved"),
                name="an_emergency_begins_ends_and_is_reviewed_once",
            ),
        ]
        indexes = [models.Index(fields=["emergency", "id"], name="steps_of_an_emergency")]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.get_kind_display()}"
