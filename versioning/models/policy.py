"""What may go by itself, and when: policies, freezes, and the switch over all of it."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from providers.models import Provider
from versioning.domain import calendar, canary
from versioning.domain.policy import BY_THEMSELVES, Asks, Automation, Unsure
from versioning.models import columns
from versioning.models.catalogue import ModelVersion, TrackedModel
from versioning.models.checks import check_text, check_time_zone
from versioning.models.evaluation import EvaluationSuite

INHERITS = _(
    "Leave it empty to take what is set above: the provider's policy, then the general one."
)


def check_windows(value: Any) -> None:
    """Raise ValidationError unless the value is a list of windows."""
    if not isinstance(value, list):
        raise ValidationError(gettext("Windows are a list."))
    try:
        for item in value:
            calendar.Window.read(item)
    except calendar.UnreadableWindow as error:
        raise ValidationError(str(error)) from error


def check_canary_steps(value: Any) -> None:
    """Raise ValidationError unless the value is a list of canary steps."""
    try:
        canary.read_steps(value)
    except canary.UnreadableStep as error:
        raise ValidationError(str(error)) from error


def check_steps_allowed(value: Any) -> None:
    """Raise ValidationError unless the value lists kinds of step that may go by themselves."""
    if not isinstance(value, list) or not set(map(str, value)) <= set(BY_THEMSELVES):
        raise ValidationError(
            gettext(
                "Write a list with some of %(join)s. A replacement across lines or a maybe is "
                "always a person's decision."
            )
            % {"join": ", ".join(BY_THEMSELVES)}
        )


def check_suites(value: Any) -> None:
    """Raise ValidationError unless the value is a list of names."""
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise ValidationError(gettext('Write a list of suite names, such as ["support answers"].'))


class Limited(models.Model):
    """The limits of the figures that gate a move."""

    class Meta:
        abstract = True


columns.add_limits(Limited)


class Policy(Limited):
    """What is set for a tracked model, for all of a provider's, or in general.

    Exactly what is left empty is taken from the level above; ``services.policy`` resolves it.
    """

    provider = models.OneToOneField(
        Provider,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="policy",
        help_text=_(
            "For all models of this provider. Leave it and the model empty for the general policy."
        ),
    )
    tracked_model = models.OneToOneField(
        TrackedModel,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="policy",
        help_text=_("For this model alone."),
    )
    automation = models.CharField(
        _("by itself"),
        max_length=16,
        blank=True,
        choices=[
            (Automation.NEVER.value, _("never")),
            (Automation.ON_REQUEST.value, _("only when a client asks (auto_upgrade)")),
            (Automation.NEAR_RETIREMENT.value, _("only when retirement is near")),
            (Automation.AFTER_GATES.value, _("whenever tests, canary and gates are passed")),
        ],
        help_text=format_lazy("{} {}", _("When an upgrade may go without a person."), INHERITS),
    )
    steps_allowed = models.JSONField(
        _("kinds of step"),
        null=True,
        blank=True,
        validators=[check_steps_allowed],
        help_text=_('Which kinds may go by themselves, such as ["revision", "snapshot"].'),
    )
    minimum_improvement = models.DecimalField(
        **columns.FRACTION,
        validators=[MinValueValidator(0), columns.AT_MOST_ALL],
        help_text=_(
            "How much better quality must be to go by itself: 0.1 is 10 %, exactly 10 % is "
            "enough; 0 asks only for not worse."
        ),
    )
    unsure_limits_pass = models.BooleanField(
        _("within a limit, not surely"),
        null=True,
        blank=True,
        help_text=_(
            "Is it enough that errors, latency and cost are within their limits as measured, "
            "though not surely? Otherwise it waits for more requests."
        ),
    )
    minimum_age_days = models.PositiveSmallIntegerField(
        _("minimum age, days"),
        null=True,
        blank=True,
        help_text=_(
            "How old a version must be to go by itself. One without a release date counts "
            "as too young. 0 takes it at once."
        ),
    )
    near_retirement_days = models.PositiveSmallIntegerField(
        _("near retirement, days"),
        null=True,
        blank=True,
        help_text=_('What counts as near for "only when retirement is near".'),
    )
    required_suites = models.JSONField(
        null=True,
        blank=True,
        validators=[check_suites],
        help_text=_("Names of the evaluation suites that must pass before a canary. [] is none."),
    )
    unsure_tests = models.CharField(
        _("a test that can't tell"),
        max_length=10,
        blank=True,
        choices=[
            (Unsure.ASKS.value, _("waits for a person")),
            (Unsure.PASSES.value, _("passes")),
            (Unsure.FAILS.value, _("fails")),
        ],
        help_text=_(
            "What becomes of an upgrade whose suite shows neither that the new version is "
            "worse nor that it is not."
        ),
    )
    tests_alone = models.BooleanField(
        _("tests alone are enough"),
        null=True,
        blank=True,
        help_text=_(
            "Whether a finished run of a suite is evidence enough for what goes by itself, "
            "where live samples of the new version are missing. A person may always decide on it."
        ),
    )
    canary_steps = models.JSONField(
        null=True,
        blank=True,
        validators=[check_canary_steps],
        help_text=_(
            'Such as [{"weight": 5, "hours": 24}, {"weight": 50, "samples": 500, '
            '"approval": true, "deadline_hours": 72}]: weights in per cent; each step holds for '
            "its "
            "hours, its samples of the new version and a person's approval. [] is no canary."
        ),
    )
    canary_asks = models.CharField(
        max_length=10,
        blank=True,
        choices=[
            (Asks.NOT_WORSE.value, _("not worse")),
            (Asks.BETTER.value, _("better")),
            (Asks.NO_HARM.value, _("no harm seen")),
        ],
        help_text=_(
            "What the evidence must show for a canary's steps. Not worse and better take "
            "7 days of both; no harm seen takes 100 requests of each, and limits that hold as "
            "measured: for steps of hours, and proof of nothing."
        ),
    )
    approvals_needed = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text=_("How many people must approve an upgrade. From 2 on nothing goes by itself."),
    )
    requester_may_approve = models.BooleanField(
        null=True,
        blank=True,
        help_text=_("May the one who asked for an upgrade approve it?"),
    )
    windows = models.JSONField(
        null=True,
        blank=True,
        validators=[check_windows],
        help_text=_(
            'When it may go by itself, such as [{"days": ["mon", "tue"], "from": "09:00", '
            '"to": "16:00"}]. [] is always.'
        ),
    )
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        validators=[check_time_zone],
        help_text=_("Of the windows, such as Europe/Prague."),
    )
    max_at_once = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("How many upgrades may be under way at once among the models of this policy."),
    )
    max_per_day = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "How many may begin by themselves in 24 hours among the models of this policy."
        ),
    )
    watch_days = models.PositiveSmallIntegerField(
        _("watch period, days"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(365)],
        help_text=_("How long a completed upgrade is watched. 0 is not at all."),
    )
    rollback_by_itself = models.BooleanField(
        null=True,
        blank=True,
        help_text=_(
            "Go back by itself when the watch period shows it worse? Otherwise you are told."
        ),
    )
    approval_days = models.PositiveSmallIntegerField(
        _("approval time, days"),
        null=True,
        blank=True,
        help_text=_("How long approvals take with you; the retirement clock reckons with it."),
    )
    buffer_days = models.PositiveSmallIntegerField(
        _("buffer, days"),
        null=True,
        blank=True,
        help_text=_("Spare time before a retirement; the retirement clock reckons with it."),
    )
    fallback_version = models.ForeignKey(
        ModelVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Where to go back to when the version before is gone. Only for one model."),
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = _("policies")
        constraints = [
            models.CheckConstraint(
                condition=Q(provider=None) | Q(tracked_model=None),
                name="policy_for_a_provider_or_a_model",
                violation_error_message="Choose a provider or a model, not both.",
            ),
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(provider=None, tracked_model=None),
                name="one_general_policy",
                violation_error_message="There is a general policy already; change that one.",
            ),
            models.CheckConstraint(
                condition=Q(fallback_version=None) | Q(tracked_model__isnull=False),
                name="fallback_only_for_one_model",
                violation_error_message="A fallback version belongs to the policy of one model.",
            ),
        ]

    def __str__(self) -> str:
        return gettext("policy of %(everything)s") % {
            "everything": self.tracked_model or self.provider or "everything"
        }

    def clean(self) -> None:
        """Raise ValidationError: another model's version as fallback, suites that don't exist."""
        fallback = self.fallback_version
        if fallback is not None and fallback.tracked_model_id != self.tracked_model_id:
            raise ValidationError(
                {"fallback_version": gettext("This is a version of another model.")}
            )
        self._check_that_suites_exist()

    def _check_that_suites_exist(self) -> None:
        wanted = [str(name) for name in self.required_suites or ()]
        if not wanted:
            return
        known = set(EvaluationSuite.objects.filter(name__in=wanted).values_list("name", flat=True))
        unknown = [name for name in wanted if name not in known]
        if unknown:
            named = ", ".join(f"“{name}”" for name in unknown)
            raise ValidationError(
                {"required_suites": gettext("There is no suite %(named)s.") % {"named": named}}
            )


class Freeze(models.Model):
    """A time in which nothing goes by itself. A canary that is broken still goes back."""

    name = models.CharField(
        max_length=100, validators=[check_text], help_text=_("Why, such as Christmas trade.")
    )
    provider = models.ForeignKey(
        Provider,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="freezes",
        help_text=_("Leave it empty to freeze everything."),
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    made_by = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="freeze_ends_after_its_start",
                violation_error_message="A freeze ends after its start.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AutomationSwitch(models.Model):
    """The one switch over all automation. Without its row, automation is on."""

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY, editable=False)
    on = models.BooleanField(default=True, help_text=_("Off: nothing moves by itself, anywhere."))
    reason = models.CharField(max_length=300, blank=True)
    changed_by = models.CharField(max_length=150, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False
    )
    changed_at = models.DateTimeField(editable=False)

    history = HistoricalRecords()

    class Meta:
        verbose_name = _("automation switch")
        verbose_name_plural = _("automation switch")
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="one_automation_switch"),
        ]

    def __str__(self) -> str:
        return gettext("automation is %(off)s") % {"off": "on" if self.on else "off"}
