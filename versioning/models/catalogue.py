"""What an application asks for, and the versions that answer to it."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Self

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from providers.models import Provider
from versioning.models.checks import check_name, check_other_prices, check_parameter_map, check_text
from versioning.models.teams import Team

LIFECYCLE = ("active", "preview", "legacy", "deprecated", "retired")
LEAVING = frozenset({"legacy", "deprecated", "retired"})


class TrackedModelQuerySet(models.QuerySet["TrackedModel"]):
    def active(self) -> Self:
        """Those that checks look after."""
        return self.filter(active=True, provider__enabled=True)

    def named(self, *, provider: str, name: str) -> Self:
        """The one of this name at the provider with this slug, with all that serving needs."""
        return self.filter(provider__slug=provider, name=name).select_related(
            "provider", "current_version"
        )


class TrackedModel(models.Model):
    """The stable name that applications ask for; it points at its current version."""

    provider = models.ForeignKey(
        Provider,
        on_delete=models.PROTECT,
        related_name="tracked_models",
        help_text=_("The service that lists and serves this model."),
    )
    name = models.CharField(
        max_length=200,
        validators=[check_name],
        help_text=_(
            "The stable name your applications ask for, such as qwen-2.5-7b-instruct. "
            "It stays the same through every upgrade."
        ),
    )
    current_version = models.ForeignKey(
        "ModelVersion",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        help_text=_("Changed by approving, completing and rolling back upgrades only."),
    )
    team = models.ForeignKey(
        Team,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tracked_models",
        help_text=_("Only its members decide on it. Leave empty: whoever has the permission."),
    )
    owner = models.EmailField(
        blank=True,
        help_text=_("Who hears of retirement dates. Leave empty if nobody needs to."),
    )
    notes = models.TextField(
        blank=True, help_text=_("What uses this model, and what to mind when it moves.")
    )
    active = models.BooleanField(
        default=True,
        help_text=_("Switch off instead of deleting: checks then pass it by, its history stays."),
    )
    pinned = models.BooleanField(
        default=False,
        help_text=_("A pinned model is never moved by itself; staff may still approve an upgrade."),
    )
    pin_reason = models.CharField(
        max_length=300, blank=True, help_text=_("Why it is pinned, for whoever looks at it later.")
    )
    allow_previews = models.BooleanField(
        default=False,
        help_text=_("Offer preview and experimental versions too."),
    )
    moves = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text=_("How often the answer to current has changed; part of its ETag."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TrackedModelQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["current_version", "moves"])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "name"],
                name="one_tracked_model_per_provider_and_name",
                violation_error_message="This provider already has a tracked model of that name.",
            ),
        ]
        permissions = [
            ("approve_upgrade", "Can approve upgrades"),
            ("reject_upgrade", "Can reject upgrades"),
            ("snooze_upgrade", "Can snooze upgrades"),
            ("roll_back_upgrade", "Can roll back upgrades"),
            ("emergency", "Can move at once in an emergency"),
            ("run_check", "Can ask the providers now"),
            ("setup", "Can set up providers, keys, models, policies, suites and schedules"),
        ]

    def __str__(self) -> str:
        return f"{self.provider.slug} / {self.name}"


class LineageRule(models.Model):
    """What a person said about the successors of a tracked model; it beats the grammar."""

    class Kind(models.TextChoices):
        IGNORE = "ignore", _("Ignore versions that match")
        FORBID = "forbid", _("Never offer this id")
        SUCCESSOR = "successor", _("This id is the successor")

    tracked_model = models.ForeignKey(
        TrackedModel, on_delete=models.CASCADE, related_name="lineage_rules"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    pattern = models.CharField(
        max_length=200,
        validators=[check_text],
        help_text=_(
            "An upstream id; for ignore, * and ? stand for any text and any letter, "
            "such as gpt-4o-audio-*."
        ),
    )
    reason = models.CharField(max_length=300, blank=True)
    made_by = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tracked_model"],
                condition=Q(kind="successor"),
                name="one_set_successor_per_tracked_model",
                violation_error_message="A successor is set already; change that rule instead.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.pattern}"


class DaysBetween(models.Func):
    """Whole days from the second date to the first, reckoned by the database."""

    arity = 2
    template = "(%(expressions)s)"
    arg_joiner = " - "
    output_field = models.IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "CAST(julianday(%(expressions)s) AS INTEGER)"
        joiner = ") - julianday("
        return self.as_sql(compiler, connection, template=template, arg_joiner=joiner, **extra)


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def listed(self) -> Self:
        """Those that a listing had, and that no run of good listings has found gone."""
        return self.filter(gone_at=None, first_seen_at__isnull=False)

    def gone(self) -> Self:
        return self.exclude(gone_at=None)

    def in_use(self) -> Self:
        """The current version of each tracked model."""
        return self.filter(tracked_model__current_version=F("pk"))

    def with_retirement(self) -> Self:
        """Those whose retirement is announced."""
        return self.exclude(retires_on=None)

    def lived(self) -> Self:
        """Those that retire after a release, with ``days_lived``: the days between."""
        # In the words of the index lives_of_a_model, or SQLite doesn't see that it will do.
        dated = self.filter(retires_on__isnull=False, released_on__isnull=False)
        days = DaysBetween("retires_on", "released_on")
        return dated.filter(retires_on__gt=F("released_on")).annotate(days_lived=days)

    def held_by_staff(self) -> Self:
        """Those with facts that a person set."""
        return self.exclude(staff_fields=[])

    def retiring(self, *, by: date) -> Self:
        """Those in use that retire up to the day."""
        return self.filter(
            retires_on__lte=by, tracked_model__current_version=F("pk"), tracked_model__active=True
        )


class ModelVersion(models.Model):
    """One concrete thing that a provider serves for a tracked model."""

    tracked_model = models.ForeignKey(
        TrackedModel, on_delete=models.PROTECT, related_name="versions"
    )
    label = models.CharField(
        max_length=50,
        validators=[check_name],
        help_text=_(
            "Our number for this version. The first is 1.0.0; a revision raises the last "
            "number, a snapshot or minor generation the second, a major one the first."
        ),
    )
    upstream_id = models.CharField(
        max_length=200,
        validators=[check_text],
        help_text=_("The id that the provider's API takes."),
    )
    revision = models.CharField(
        max_length=200,
        blank=True,
        help_text=_(
            "What the id stood for: dated slug, digest or fingerprint. "
            "Empty where the provider doesn't say."
        ),
    )
    previous_version = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="next_versions"
    )
    released_on = models.DateField(null=True, blank=True)

    told_by = models.JSONField(
        default=dict,
        editable=False,
        help_text=_("Who tells a fact that the provider's own list doesn't, by the field's name."),
    )
    found_improvements = models.JSONField(
        default=list, editable=False, help_text=_("Computed from the two versions' metadata.")
    )
    added_improvements = models.JSONField(
        default=list,
        blank=True,
        help_text=_(
            'What staff know is better, a list of sentences: ["Follows JSON schemas"]. '
            "Checks never change it."
        ),
    )
    found_breaking_changes = models.JSONField(default=list, editable=False)
    added_breaking_changes = models.JSONField(
        default=list,
        blank=True,
        help_text=_("What staff know breaks, a list of sentences. Checks never change it."),
    )
    migration_notes = models.TextField(
        blank=True, help_text=_("What an application must do to move to this version.")
    )
    baseline = models.JSONField(
        null=True,
        editable=False,
        help_text=_("Its performance at the moment it became current."),
    )
    baseline_taken_at = models.DateTimeField(null=True, editable=False)

    input_price = models.DecimalField(
        _("input price"),
        max_digits=16,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("USD per million input tokens. Empty means unknown, not free."),
    )
    output_price = models.DecimalField(
        _("output price"),
        max_digits=16,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("USD per million output tokens."),
    )
    cached_input_price = models.DecimalField(
        max_digits=16,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("USD per million cached input tokens."),
    )
    other_prices = models.JSONField(
        default=list,
        blank=True,
        validators=[check_other_prices],
        help_text=_(
            'Further prices, in USD per million tokens (per request for "request"): '
            '[{"part": "cache_write", "usd": "3.75"}, {"part": "input", "usd": "6", "above": '
            "200000}, "
            '{"part": "input", "usd": "1.5", "tier": "batch"}]. Parts: input, output, '
            "cached_input, "
            "cache_write, cache_write_1h, input_audio, input_image, reasoning, output_audio, "
            "output_image, request. A request above a price step, or of a tier, whose price isn't "
            "told has no known cost."
        ),
    )
    past_prices = models.JSONField(
        default=list,
        editable=False,
        help_text=_(
            "Prices that held before those of now: until when (ms since 1970) and what they "
            "were, oldest first. Requests that are told late cost what they cost then."
        ),
    )
    context_tokens = models.PositiveIntegerField(_("context, tokens"), null=True, blank=True)
    output_tokens = models.PositiveIntegerField(_("longest output, tokens"), null=True, blank=True)
    input_modalities = models.JSONField(default=list, blank=True)
    output_modalities = models.JSONField(default=list, blank=True)
    parameters = models.JSONField(
        default=list, blank=True, help_text=_("Request parameters that it accepts.")
    )
    capabilities = models.JSONField(default=list, blank=True)

    parameter_map = models.JSONField(
        default=dict,
        blank=True,
        validators=[check_parameter_map],
        help_text=_(
            'What requests must say otherwise to this version: {"rename": {"max_tokens": '
            '"max_completion_tokens"}, "drop": ["top_k"], "default": {"temperature": 1}}. '
            "Applications "
            "get it with current, and the earlier one again after a rollback."
        ),
    )

    deprecated_on = models.DateField(null=True, blank=True)
    retires_on = models.DateField(
        null=True, blank=True, help_text=_("The day from which requests fail.")
    )
    retires_precision = models.CharField(
        max_length=10,
        blank=True,
        choices=[
            ("exact", _("exact")),
            ("earliest", _("not before")),
            ("tentative", _("planned for about")),
        ],
    )
    retires_source = models.CharField(max_length=300, blank=True)
    lifecycle = models.CharField(
        max_length=12,
        blank=True,
        choices=[(word, word) for word in LIFECYCLE],
        help_text=_(
            "Where it stands, in the provider's own word, else a catalogue's. Empty where "
            "nobody says."
        ),
    )
    lifecycle_source = models.CharField(
        max_length=300, blank=True, help_text=_("Who says so; empty for the provider's own list.")
    )
    lifecycle_on = models.DateField(
        null=True, blank=True, editable=False, help_text=_("The day that it was first said.")
    )
    doubts = models.JSONField(
        default=list,
        editable=False,
        help_text=_("Sentences about facts that contradict each other or can't be so."),
    )
    replacement = models.CharField(
        max_length=200, blank=True, help_text=_("The id that the provider itself names instead.")
    )
    replacement_source = models.CharField(max_length=300, blank=True)
    replacement_dated = models.DateField(null=True, blank=True)

    staff_fields = models.JSONField(
        default=list,
        editable=False,
        help_text=_("Names of the fields that a person set: checks leave them alone."),
    )
    first_seen_at = models.DateTimeField(null=True, editable=False)
    last_seen_at = models.DateTimeField(null=True, editable=False)
    gone_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text=_("When several good listings in a row no longer had it."),
    )
    answers = models.CharField(
        max_length=10,
        blank=True,
        editable=False,
        choices=[
            ("callable", _("answers")),
            ("refused", _("is refused")),
            ("unknown", _("could not be told")),
        ],
        help_text=_("What the provider said when it was asked for this version directly."),
    )
    answers_why = models.CharField(max_length=300, blank=True, editable=False)
    answers_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ModelVersionQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["baseline"])

    skip_history_when_saving = True
    """Checks write versions every night and keep findings; what staff change is noted by name."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tracked_model", "upstream_id", "revision"],
                name="one_version_per_upstream_id_and_revision",
                violation_error_message="This id and revision is a version already.",
            ),
            models.UniqueConstraint(
                fields=["tracked_model", "label"],
                name="one_version_per_label",
                violation_error_message="Another version of this model has that label.",
            ),
            models.CheckConstraint(
                condition=Q(input_price__gte=0) | Q(input_price=None),
                name="input_price_is_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(output_price__gte=0) | Q(output_price=None),
                name="output_price_is_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(deprecated_on=None)
                | Q(retires_on=None)
                | Q(retires_on__gte=F("deprecated_on")),
                name="retires_after_deprecation",
                violation_error_message="The retirement can't be before the deprecation.",
            ),
        ]
        indexes = [
            # Ingestion and detection look versions up by what the provider calls them.
            models.Index(fields=["upstream_id"], name="version_by_upstream_id"),
            # Reminders and the inbox ask what retires soon.
            models.Index(
                fields=["retires_on"], condition=~Q(retires_on=None), name="version_by_retirement"
            ),
            # Forecasts add up how long a model's versions lived, without reading the versions.
            models.Index(
                fields=["tracked_model", "retires_on", "released_on"],
                condition=Q(retires_on__isnull=False, released_on__isnull=False),
                name="lives_of_a_model",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tracked_model.name} {self.label}"

    @property
    def improvements(self) -> list[str]:
        """What is better than in the previous version: found by checks, then added by staff."""
        return _distinct(self.found_improvements, self.added_improvements)

    @property
    def breaking_changes(self) -> list[str]:
        """What may break for an application that moves to it."""
        return _distinct(self.found_breaking_changes, self.added_breaking_changes)

    @property
    def is_listed(self) -> bool:
        """Whether a listing had it, and has it still as far as checks can tell."""
        return self.gone_at is None and self.first_seen_at is not None

    @property
    def is_gone(self) -> bool:
        """Whether it left the listing for good: what was never listed can't."""
        return self.gone_at is not None

    @property
    def is_leaving(self) -> bool:
        """Whether somebody calls it legacy, deprecated or retired, with or without a date."""
        return self.lifecycle in LEAVING


def _distinct(*lists: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(str(item) for part in lists for item in part))
