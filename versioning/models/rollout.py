"""What goes with an upgrade record on its course: approvals, canary, watch, reports, memory."""

from decimal import Decimal
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from versioning.domain.canary import Action, CanaryStep, read_steps
from versioning.domain.memory import Wake, WakeKind
from versioning.domain.retirement import REMINDER_DAYS
from versioning.models.catalogue import ModelVersion, TrackedModel
from versioning.models.upgrades import UpgradeRecord, UpgradeStep


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def standing(self) -> Self:
        """Those that nothing has overtaken."""
        return self.filter(fell_at=None)


class Approval(models.Model):
    """One person's or application's yes, and what it was said to."""

    record = models.ForeignKey(UpgradeRecord, on_delete=models.PROTECT, related_name="approvals")
    actor_kind = models.CharField(max_length=10, choices=UpgradeStep.ActorKind.choices)
    actor_name = models.CharField(max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True)
    basis = models.CharField(
        max_length=64, help_text=_("Hash of what the evidence said and what the target was.")
    )
    given_at = models.DateTimeField()
    fell_at = models.DateTimeField(
        null=True,
        help_text=_("When the evidence or the target changed, so that it counts no more."),
    )

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["record", "actor_kind", "actor_name"],
                condition=Q(fell_at=None),
                name="one_standing_approval_per_person",
            ),
        ]

    def __str__(self) -> str:
        return gettext("approved by %(actor_name)s") % {"actor_name": self.actor_name}


class Canary(models.Model):
    """A canary of one record: its steps as they were at its start, and where it is."""

    record = models.OneToOneField(UpgradeRecord, on_delete=models.PROTECT, related_name="canary")
    salt = models.CharField(max_length=32, help_text=_("Which keys get the new version first."))
    steps = models.JSONField()
    position = models.PositiveSmallIntegerField(default=0)
    began_at = models.DateTimeField()
    step_began_at = models.DateTimeField()
    approved_position = models.SmallIntegerField(
        default=-1, help_text=_("The last step that a person approved.")
    )
    paused_at = models.DateTimeField(null=True)
    says = models.CharField(max_length=500, blank=True, help_text=_("What it waits for."))
    looked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = _("canaries")

    def __str__(self) -> str:
        return gettext("canary at %(weight)s") % {"weight": f"{self.weight:.0%}"}

    @property
    def plan(self) -> tuple[CanaryStep, ...]:
        return read_steps(self.steps)

    @property
    def weight(self) -> Decimal:
        """The share of keys that get the new version now."""
        return self.plan[self.position].weight


class WatchQuerySet(models.QuerySet["Watch"]):
    def open(self) -> Self:
        return self.filter(ended_at=None)


class Watch(models.Model):
    """A completed upgrade under watch: is it as good as the version before was?"""

    class Result(models.TextChoices):
        GOOD = "good", _("not worse")
        WORSE = "worse", _("worse: somebody must decide")
        ROLLED_BACK = "rolled_back", _("worse: rolled back by itself")
        NO_DATA = "no_data", _("not enough data to say")
        OVERTAKEN = "overtaken", _("another move came first")

    record = models.OneToOneField(UpgradeRecord, on_delete=models.PROTECT, related_name="watch")
    began_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=12, choices=Result.choices, blank=True)
    sentence = models.CharField(max_length=500, blank=True)
    looked_at = models.DateTimeField(null=True)

    objects = WatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("watches")
        indexes = [
            # The sweep reads the open ones.
            models.Index(fields=["ends_at"], condition=Q(ended_at=None), name="open_watches"),
        ]

    def __str__(self) -> str:
        return self.get_result_display() or gettext("being watched")


class Look(models.Model):
    """One look at a record's figures: what they said then, and what it led to. Never changed."""

    class Stage(models.TextChoices):
        WAITING = "waiting", _("while it waits for a decision")
        CANARY = "canary", _("canary")
        WATCH = "watch", _("watch")

    OUTCOMES = [
        (Action.WAIT.value, _("nothing changed")),
        (Action.PAUSE.value, "paused"),
        (Action.ADVANCE.value, _("next step")),
        (Action.COMPLETE.value, "completed"),
        (Action.ABORT.value, "aborted"),
        *Watch.Result.choices,
    ]

    record = models.ForeignKey(UpgradeRecord, on_delete=models.PROTECT, related_name="looks")
    stage = models.CharField(max_length=8, choices=Stage.choices)
    at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=OUTCOMES)
    says = models.CharField(max_length=500, blank=True, help_text=_("Why it led to that."))
    position = models.PositiveSmallIntegerField(
        null=True, help_text=_("The canary's step at which it was made, from 0.")
    )
    samples = models.PositiveIntegerField(
        null=True, help_text=_("Live requests of the new version since the canary began.")
    )
    evidence = models.JSONField()
    evidence_hash = models.CharField(max_length=64)
    is_news = models.BooleanField(
        help_text=_(
            "Whether it led to something, or said otherwise than the one before: kept for "
            "good. The others are kept as long as single samples."
        )
    )

    class Meta:
        indexes = [
            # The next look asks what the last one said; a page shows the newest.
            models.Index(fields=["record", "-at", "-id"], name="looks_at_a_record"),
            # The daily tidying.
            models.Index(fields=["at"], condition=Q(is_news=False), name="looks_without_news"),
        ]

    def __str__(self) -> str:
        return f"{self.get_stage_display()}: {self.get_outcome_display()}"


class OutcomeReport(models.Model):
    """What was promised against what came true, some days after the move. Never changed."""

    record = models.ForeignKey(
        UpgradeRecord, on_delete=models.PROTECT, related_name="outcome_reports"
    )
    after_days = models.PositiveSmallIntegerField()
    promised = models.JSONField()
    real = models.JSONField()
    sentence = models.CharField(max_length=500)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["record", "after_days"], name="one_outcome_report_per_record_and_day"
            ),
        ]

    def __str__(self) -> str:
        return self.sentence


class NoticeQuerySet(models.QuerySet["Notice"]):
    def open(self) -> Self:
        return self.filter(resolved_at=None)


class Notice(models.Model):
    """Something that a person must know: raised once, open until it is resolved.

    It is about an upgrade, or, as a fault of Hotswap's own work, about what ``subject`` names.
    """

    class Kind(models.TextChoices):
        CANARY_PAUSED = "canary_paused", _("canary paused")
        CANARY_ABORTED = "canary_aborted", _("canary aborted")
        TESTS_FAILED = "tests_failed", _("tests failed")
        WORSE = "worse", _("worse after the move")
        ROLLED_BACK = "rolled_back", _("rolled back by itself")
        WAY_BACK = "way_back", _("no way back")
        APPROVAL_FELL = "approval_fell", _("approval fell")
        FAULT = "fault", _("went wrong")

    kind = models.CharField(max_length=16, choices=Kind.choices)
    record = models.ForeignKey(
        UpgradeRecord, on_delete=models.PROTECT, null=True, related_name="notices"
    )
    subject = models.CharField(
        max_length=200, blank=True, help_text=_("What it is about, where that is no upgrade.")
    )
    sentence = models.CharField(max_length=500)
    raised_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1, help_text=_("How often it happened while open."))
    last_at = models.DateTimeField(
        null=True, help_text=_("When it happened last; empty where it happened once.")
    )
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=150, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            # One message, not one per look.
            models.UniqueConstraint(
                fields=["record", "kind"],
                condition=Q(resolved_at=None),
                name="one_open_notice_per_record_and_kind",
            ),
            models.UniqueConstraint(
                fields=["subject", "kind"],
                condition=Q(resolved_at=None, record=None),
                name="one_open_notice_per_subject_and_kind",
            ),
            models.CheckConstraint(
                condition=Q(record=None) ^ Q(subject=""),
                name="a_notice_is_about_an_upgrade_or_a_subject",
            ),
        ]
        indexes = [
            # The admin's list, as it comes.
            models.Index(fields=["-raised_at", "-id"], name="notices_by_time"),
            # The inbox and the API ask for the open ones.
            models.Index(fields=["raised_at"], condition=Q(resolved_at=None), name="open_notices"),
        ]

    def __str__(self) -> str:
        return self.sentence


class WakeRule(models.Model):
    """When a rejected version may be offered again, and what was so at the rejection."""

    record = models.OneToOneField(UpgradeRecord, on_delete=models.PROTECT, related_name="wake_rule")
    kind = models.CharField(max_length=14, choices=[(kind.value, kind.value) for kind in WakeKind])
    until = models.DateField(null=True)
    price_falls_by = models.DecimalField(max_digits=6, decimal_places=4, null=True)
    days = models.PositiveSmallIntegerField(null=True)
    price_then = models.DecimalField(
        max_digits=17,
        decimal_places=6,
        null=True,
        help_text=_("USD per million input and output tokens together; empty where unknown."),
    )
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return gettext("asked again: %(kind)s") % {"kind": self.kind}

    @property
    def wake(self) -> Wake:
        return Wake(
            kind=WakeKind(self.kind),
            until=self.until,
            price_falls_by=self.price_falls_by,
            days=self.days,
        )


class Reminder(models.Model):
    """One e-mail about a retirement: written first, delivered by its event."""

    tracked_model = models.ForeignKey(
        TrackedModel, on_delete=models.PROTECT, related_name="reminders"
    )
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="reminders")
    retires_on = models.DateField()
    days_before = models.PositiveSmallIntegerField(choices=[(days, days) for days in REMINDER_DAYS])
    to = models.EmailField()
    subject = models.CharField(max_length=200)
    body = models.TextField()
    written_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # A date that moves is news, and is told anew.
            models.UniqueConstraint(
                fields=["tracked_model", "version", "retires_on", "days_before"],
                name="each_reminder_once",
            ),
        ]

    def __str__(self) -> str:
        return self.subject
