"""Evaluation suites, their cases, and runs of a suite over two versions."""

from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from versioning.domain.evaluation import judging
from versioning.domain.evaluation.cases import BadCase, Case, read_case
from versioning.domain.evaluation.outcome import Outcome
from versioning.domain.scoring import BadOptions, ScorerUse, read_uses
from versioning.domain.statistics.noninferiority import fitting_margin
from versioning.models.catalogue import ModelVersion, TrackedModel
from versioning.models.checks import check_text
from versioning.models.upgrades import UpgradeRecord

MONEY: dict[str, Any] = {"max_digits": 14, "decimal_places": 8}


def check_scorers(value: Any) -> None:
    """Raise ValidationError unless the value is a list of scorers."""
    try:
        read_uses(value)
    except BadOptions as error:
        raise ValidationError(str(error)) from error


def check_object(value: Any) -> None:
    """Raise ValidationError unless the value is an object."""
    if not isinstance(value, dict):
        raise ValidationError(gettext('Write an object, such as {"temperature": 0}.'))


class EvaluationSuiteQuerySet(models.QuerySet["EvaluationSuite"]):
    def with_counts(self) -> Self:
        """Add ``cases_in_it``: how many cases each has. Of a page of them no other is counted."""
        cases = EvaluationCase.objects.filter(suite=OuterRef("pk")).order_by().values("suite")
        return self.annotate(cases_in_it=_count_of(cases))


def _count_of(grouped: Any) -> Coalesce:
    """Return the number of rows that a row's own subquery has; 0 for none."""
    return Coalesce(Subquery(grouped.annotate(count=Count("pk")).values("count")), 0)


class EvaluationSuite(models.Model):
    """Test cases with scorers, and how a run asks them."""

    name = models.CharField(
        max_length=100,
        unique=True,
        validators=[check_text],
        help_text=_("Policies name it: support answers, for example."),
    )
    description = models.TextField(blank=True)
    task = models.CharField(
        max_length=100,
        blank=True,
        help_text=_("The task of cases that name none, such as summarise."),
    )
    template = models.TextField(
        blank=True,
        help_text=_("The prompt of cases that have only variables, such as: Summarise {{text}}."),
    )
    scorers = models.JSONField(
        default=list,
        blank=True,
        validators=[check_scorers],
        help_text=_(
            'For cases without their own: ["normalised"] or [{"scorer": "number", '
            '"options": {"tolerance": 0.5}, "weight": 2}]. May be empty where a judge compares.'
        ),
    )
    parameters = models.JSONField(
        default=dict,
        blank=True,
        validators=[check_object],
        help_text=_('What every request says beside the messages, such as {"temperature": 0}.'),
    )
    max_tokens = models.PositiveIntegerField(
        default=1024,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text=_("The longest answer, in tokens. The budget reckons with it."),
    )
    repeats = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text=_("How often each case is asked of each version."),
    )
    concurrency = models.PositiveSmallIntegerField(
        default=4,
        validators=[MinValueValidator(1), MaxValueValidator(32)],
        help_text=_("How many requests may be under way at once with one provider."),
    )
    requests_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("The most that one provider may be asked in a minute. Empty is no limit."),
    )
    timeout_seconds = models.PositiveSmallIntegerField(
        default=120,
        validators=[MinValueValidator(1), MaxValueValidator(600)],
        help_text=_("The longest that one answer may take."),
    )
    budget_usd = models.DecimalField(
        _("budget, USD"),
        **MONEY,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("What a run may cost at most. It stops before a request that could pass it."),
    )
    budget_tokens = models.PositiveBigIntegerField(
        _("budget, tokens"),
        null=True,
        blank=True,
        help_text=_("The tokens that a run may take at most. Needed where a price is unknown."),
    )
    margin = models.DecimalField(
        max_digits=5,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_(
            "How much lower the score may be and still count as not worse, in points: 0.02 "
            "is 2 of 100. Empty is what fits the number of cases, from 0.02 to 0.1."
        ),
    )
    keep_outputs = models.BooleanField(
        default=False,
        help_text=_("Keep the answers, to see them side by side? Otherwise only scores are kept."),
    )
    judge = models.ForeignKey(
        TrackedModel,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="judges",
        help_text=_("A tracked model that compares the two answers of each case."),
    )
    judge_criteria = models.TextField(blank=True, help_text=_("What the judge looks for."))
    judge_of_own_family = models.BooleanField(
        default=False,
        help_text=_(
            "May the judge be of the same family as a version that it judges? Models "
            "favour their own family."
        ),
    )

    objects = EvaluationSuiteQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raise ValidationError where nothing would score, or a judge sees no answers."""
        if not self.scorers and self.judge is None:
            raise ValidationError({"scorers": gettext("Choose a scorer, or a judge.")})

    @property
    def uses(self) -> tuple[ScorerUse, ...]:
        """Its scorers; those of cases that have none of their own."""
        return read_uses(self.scorers)

    def margin_for(self, cases: int) -> Decimal:
        """Return how much lower the score may be in a run of so many cases."""
        return fitting_margin(cases) if self.margin is None else Decimal(self.margin)


class EvaluationCase(models.Model):
    """One test case of a suite, as it is now; a run keeps what it was."""

    suite = models.ForeignKey(EvaluationSuite, on_delete=models.CASCADE, related_name="cases")
    key = models.CharField(
        max_length=100, validators=[check_text], help_text=_("Its name within the suite.")
    )
    content = models.JSONField(
        help_text=_(
            'Such as {"messages": [{"role": "user", "content": "2 + 2?"}], "expected": "4", '
            '"tags": ["short"], "weight": 1}.'
        )
    )

    class Meta:
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(
                fields=["suite", "key"],
                name="one_case_per_key",
                violation_error_message="The suite has a case with that key.",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def clean(self) -> None:
        """Raise ValidationError where the content is no case."""
        try:
            self.read()
        except BadCase as error:
            raise ValidationError(
                {"content": gettext("The case %(error)s.") % {"error": error}}
            ) from error

    def read(self) -> Case:
        """Return it as the domain knows it. Raises BadCase."""
        if not isinstance(self.content, dict):
            raise BadCase(gettext("is no object"))
        return read_case({**self.content, "key": self.key}, number=1, template=self.suite.template)


class FrozenSuite(models.Model):
    """What a suite held when a run was planned: never changed, shared by runs of the same hash."""

    suite = models.ForeignKey(EvaluationSuite, on_delete=models.PROTECT, related_name="frozen")
    digest = models.CharField(max_length=64)
    content = models.JSONField(help_text=_("Cases, scorers and request parameters."))
    case_count = models.PositiveIntegerField()
    frozen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["suite", "digest"], name="one_frozen_suite_per_hash"),
        ]

    def __str__(self) -> str:
        return f"{self.suite.name} {self.digest[:12]}"


class EvaluationRunQuerySet(models.QuerySet["EvaluationRun"]):
    def open(self) -> Self:
        """Those that a worker still has something to do for."""
        return self.filter(state__in=["waiting", "running"])

    def with_counts(self) -> Self:
        """Add ``done``: how many of its requests are. Of a page of runs no other is counted."""
        done = Trial.objects.done().filter(run=OuterRef("pk")).order_by().values("run")
        return self.annotate(done=_count_of(done))

    def with_names(self) -> Self:
        return self.select_related(
            "frozen__suite",
            "from_version__tracked_model__provider",
            "to_version__tracked_model__provider",
        )


class EvaluationRun(models.Model):
    """One pass of a suite over two versions."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for a worker")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        OVER_BUDGET = "over_budget", _("stopped at its budget")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    frozen = models.ForeignKey(FrozenSuite, on_delete=models.PROTECT, related_name="runs")
    record = models.ForeignKey(
        UpgradeRecord,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="evaluation_runs",
        help_text=_("The upgrade that it tests, if any."),
    )
    from_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    to_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="evaluation_runs"
    )
    judge_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, related_name="+"
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    asked_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(help_text=_("How many requests it takes, the judge's too."))

    estimated_tokens = models.PositiveBigIntegerField()
    estimated_usd = models.DecimalField(**MONEY, null=True)
    estimated_seconds = models.FloatField()
    budget_usd = models.DecimalField(**MONEY, null=True)
    budget_tokens = models.PositiveBigIntegerField(null=True)
    spent_usd = models.DecimalField(**MONEY, default=0)
    spent_tokens = models.PositiveBigIntegerField(default=0)
    held_usd = models.DecimalField(
        **MONEY, default=0, help_text=_("What requests under way can cost at most.")
    )
    held_tokens = models.PositiveBigIntegerField(default=0)

    worker = models.CharField(max_length=100, blank=True)
    leased_until = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, blank=True)
    verdict = models.CharField(max_length=20, blank=True)
    sentence = models.CharField(max_length=500, blank=True)
    result = models.JSONField(default=dict)
    ruling = models.CharField(
        max_length=10,
        blank=True,
        choices=[("passes", _("passes")), ("fails", _("fails"))],
        help_text=_("What a person decided of a test that could not show either."),
    )
    ruled_by = models.CharField(max_length=150, blank=True)
    ruled_at = models.DateTimeField(null=True)

    objects = EvaluationRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["record", "frozen"],
                condition=Q(state__in=["waiting", "running"]) & Q(record__isnull=False),
                name="one_open_run_per_record_and_suite",
            ),
        ]
        indexes = [
            # The sweep reads the open ones.
            models.Index(
                fields=["created_at"],
                condition=Q(state__in=["waiting", "running"]),
                name="open_evaluation_runs",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.frozen.suite.name}: {self.from_version.label} → {self.to_version.label}"

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)


class TrialQuerySet(models.QuerySet["Trial"]):
    def done(self) -> Self:
        return self.exclude(done_at=None)

    def left(self) -> Self:
        return self.filter(done_at=None)


class Trial(models.Model):
    """One request of a run: a case asked of one version once, or a pair shown to the judge."""

    class Arm(models.TextChoices):
        CURRENT = "current", _("current version")
        CANDIDATE = "candidate", _("new version")
        JUDGE = "judge", _("judge")
        JUDGE_SWAPPED = "swapped", _("judge, order swapped")

    run = models.ForeignKey(EvaluationRun, on_delete=models.CASCADE, related_name="trials")
    case_key = models.CharField(max_length=100)
    repeat = models.PositiveSmallIntegerField()
    arm = models.CharField(max_length=10, choices=Arm.choices)
    asked_at = models.DateTimeField(
        null=True, help_text=_("Written before the request leaves, so that a crash is seen.")
    )
    done_at = models.DateTimeField(null=True)
    asks = models.PositiveSmallIntegerField(default=0, help_text=_("How often it was begun."))
    outcome = models.CharField(
        max_length=12,
        blank=True,
        choices=[(outcome.value, outcome.value.replace("_", " ")) for outcome in Outcome],
    )
    score = models.FloatField(null=True, validators=[MinValueValidator(0), MaxValueValidator(1)])
    reason = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    latency_ms = models.FloatField(null=True)
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    cost_usd = models.DecimalField(**MONEY, null=True)
    held_usd = models.DecimalField(**MONEY, default=0)
    held_tokens = models.PositiveBigIntegerField(default=0)
    served_id = models.CharField(max_length=200, blank=True)
    output = models.TextField(
        blank=True, help_text=_("The answer, where the suite keeps answers or a judge needs it.")
    )

    objects = TrialQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "case_key", "repeat", "arm"], name="each_trial_once"
            ),
            models.CheckConstraint(
                condition=Q(score=None) | Q(score__range=(0, 1)), name="a_score_is_from_0_to_1"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_key} #{self.repeat} {self.arm}"


class Mark(models.Model):
    """Which answer of a pair a person finds better: what a judge is measured by."""

    run = models.ForeignKey(EvaluationRun, on_delete=models.CASCADE, related_name="marks")
    case_key = models.CharField(max_length=100)
    repeat = models.PositiveSmallIntegerField()
    prefers = models.CharField(
        max_length=10,
        choices=[
            (judging.Preference.CURRENT.value, _("the current version's")),
            (judging.Preference.CANDIDATE.value, _("the new version's")),
            (judging.Preference.SAME.value, _("both the same")),
        ],
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "case_key", "repeat", "made_by"], name="one_mark_per_person_and_pair"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.made_by}: {self.prefers}"
