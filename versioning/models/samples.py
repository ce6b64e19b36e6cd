"""What each AI request cost and gave: one compact row a request, and what was not placed."""

from typing import ClassVar, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from providers.moments import stamp_to_the_second
from versioning.domain import dates
from versioning.models import columns
from versioning.models.catalogue import ModelVersion, TrackedModel
from versioning.models.checks import check_text
from versioning.models.fields import InstantField

TAGS_LENGTH = 400
USE_LENGTH = 60


class Word(models.Model):
    """A text that many samples share, kept once."""

    class Kind(models.IntegerChoices):
        TASK = 1, _("task")
        ERROR = 2, _("error class")
        TAGS = 3, _("tags")
        SLICE = 4, _("declared tags")

    id = models.AutoField(primary_key=True)
    kind = models.PositiveSmallIntegerField(choices=Kind.choices)
    text = models.CharField(max_length=TAGS_LENGTH)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "text"], name="one_word_per_text"),
        ]

    def __str__(self) -> str:
        return self.text


class Route(models.Model):
    """The id that was asked for, the one we resolved it to, and the one that answered."""

    id = models.AutoField(primary_key=True)
    requested = models.CharField(max_length=200, blank=True)
    resolved = models.CharField(max_length=200, blank=True)
    served = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["requested", "resolved", "served"], name="one_route_per_ids"
            ),
        ]

    def __str__(self) -> str:
        return " → ".join(part or "?" for part in (self.requested, self.resolved, self.served))


class SliceTag(models.Model):
    """A tag that staff declared: comparisons then look at each of its values apart."""

    name = models.CharField(
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(r"\A[^=,]+\Z", _("A tag's name has neither = nor a comma.")),
            check_text,
        ],
        help_text=_(
            "The name of a tag that your applications send, such as language. No version "
            "is called better while it is worse for one of the tag's values."
        ),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class UnknownModelQuerySet(models.QuerySet["UnknownModel"]):
    def open(self) -> Self:
        """Those that nobody tracks yet, and that some sample names that was not taken back."""
        return self.seen().filter(tracked_model=None)

    def seen(self) -> Self:
        """Those that are tracked by now, or that some sample names that was not taken back."""
        waiting = Sighting.objects.filter(unknown_model=OuterRef("pk"))
        return self.filter(Q(samples__gt=0) | Exists(waiting) | Q(tracked_model__isnull=False))

    def with_counts(self) -> Self:
        """Add ``seen``: the number of samples, those not folded yet included."""
        # Each row's own: to add up the sightings of all is to read all, whichever page is asked.
        waiting = Sighting.objects.filter(unknown_model=OuterRef("pk")).order_by()
        added = waiting.values("unknown_model").annotate(sum=Sum("samples")).values("sum")
        return self.annotate(seen=F("samples") + Coalesce(Subquery(added), 0))


class UnknownModel(models.Model):
    """A model that samples name and nobody tracks: its samples wait until somebody does."""

    provider_slug = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=200, help_text=_("The name or upstream id in the samples."))
    samples = models.PositiveBigIntegerField(default=0, editable=False)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    tracked_model = models.ForeignKey(
        TrackedModel, on_delete=models.PROTECT, null=True, blank=True, related_name="seen_as"
    )
    told_at = models.DateTimeField(
        null=True, editable=False, help_text=_("When the event of it was written.")
    )

    objects = UnknownModelQuerySet.as_manager()

    class Meta:
        verbose_name = _("model seen but not tracked")
        verbose_name_plural = _("models seen but not tracked")
        constraints = [
            models.UniqueConstraint(
                fields=["provider_slug", "name"], name="one_unknown_model_per_name"
            ),
        ]
        indexes = [
            # The admin's list, as it comes.
            models.Index(fields=["-last_seen_at", "-id"], name="unknown_models_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.provider_slug or '?'} / {self.name}"


class Measured(models.Model):
    """The columns of what one request cost and gave; empty is unknown, never 0."""

    class Meta:
        abstract = True


columns.add_fields(Measured)


class PerformanceSample(Measured):
    """What one AI request cost and gave, with the columns that ``domain.figures`` declares.

    The migrations have columns widest first, which saves PostgreSQL the padding between them.
    The foreign keys have neither index nor constraint: a thousand rows arrive at once, the rows
    they name are never deleted, and roll-ups (which keep the constraint) answer every question by
    version.
    """

    class Source(models.IntegerChoices):
        PRODUCTION = 1, _("production")
        CANARY = 2, _("canary")
        EVALUATION = 3, _("evaluation")
        COUNTED_OUT = 4, _("counted out")
        """Only of roll-ups: what no comparison counts of the other sources' sums."""

    LIVE: ClassVar[tuple[int, ...]] = (Source.PRODUCTION, Source.CANARY)
    """Of requests that somebody waited for: what figures, canaries and watches go by."""

    at = InstantField()
    request_hash = models.BigIntegerField(
        null=True,
        help_text=_("64 bits of the hash of API key and request id; empty without an id."),
    )
    version = models.ForeignKey(
        ModelVersion,
        on_delete=models.PROTECT,
        null=True,
        related_name="samples",
        db_index=False,
        db_constraint=False,
        help_text=_("Empty while nobody tracks the model."),
    )
    session_hash = models.BigIntegerField(
        null=True, help_text=_("64 bits of the hash of API key and session; empty without one.")
    )
    signals = models.BigIntegerField(
        null=True,
        help_text=_(
            "The signals that are known, packed (domain.signals); empty "
            "without them: the quality was then given as such."
        ),
    )
    task = models.ForeignKey(
        Word, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    route = models.ForeignKey(
        Route, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    tags = models.ForeignKey(
        Word, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    error = models.ForeignKey(
        Word,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    unknown_model = models.ForeignKey(
        UnknownModel,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    source = models.PositiveSmallIntegerField(choices=Source.choices, default=Source.PRODUCTION)
    counted_out = models.BooleanField(
        db_default=False,
        help_text=_("Of a session that got both versions of a canary: no comparison counts it."),
    )

    class Meta:
        constraints = [
            # A repeat of a request changes nothing. At 10^8 kept samples, two different
            # requests share a hash with a probability of n^2 / 2^65 = 0.03 %.
            models.UniqueConstraint(
                fields=["request_hash"],
                condition=Q(request_hash__isnull=False),
                name="one_sample_per_request",
            ),
        ]
        indexes = [
            # Tracking an unknown model attaches its samples. Costs nothing for the others.
            models.Index(
                fields=["unknown_model"],
                condition=Q(unknown_model__isnull=False),
                name="samples_of_unknown_models",
            ),
            # A canary looks for sessions that got both versions. Costs nothing without sessions.
            models.Index(
                fields=["version", "session_hash"],
                condition=Q(session_hash__isnull=False),
                name="samples_of_sessions",
            ),
        ]

    def __str__(self) -> str:
        return gettext("sample of %(moment)s") % {"moment": stamp_to_the_second(self.at)}


class PendingScore(models.Model):
    """A score, or signals that make one, that came before its sample.

    A request may have several: two that came in the same moment don't see each other, and nothing
    of either may be lost. They count in the order of their ids.
    """

    request_hash = models.BigIntegerField()
    quality = models.FloatField(null=True)
    signals = models.BigIntegerField(default=0, help_text=_("Packed, as in a sample."))
    latency_budget_ms = models.FloatField(
        null=True, help_text=_("Makes a signal with the latency of the sample.")
    )
    received_at = models.DateTimeField()

    class Meta:
        indexes = [
            # Its sample asks for it.
            models.Index(fields=["request_hash"], name="pending_scores_of_requests"),
            # Retention drops those whose sample never came.
            models.Index(fields=["received_at"], name="pending_scores_by_age"),
        ]

    def __str__(self) -> str:
        return gettext("score of request %(request_hash)s, not seen yet") % {
            "request_hash": self.request_hash
        }


class SamplesDropped(models.Model):
    """Single samples before a moment are no longer complete; roll-ups of then can't be remade."""

    before = InstantField(unique=True)

    def __str__(self) -> str:
        return gettext("samples before %(before)s were dropped") % {
            "before": dates.day(self.before)
        }


class ServedDrift(models.Model):
    """Another id answered than the version's own: since when, and how often."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="drifts")
    served = models.CharField(max_length=200)
    samples = models.PositiveBigIntegerField(default=0)
    since = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    told_at = models.DateTimeField(
        null=True, editable=False, help_text=_("When the event of it was written.")
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "served"], name="one_drift_per_served_id"),
        ]

    def __str__(self) -> str:
        return gettext("%(version)s answered as %(served)s") % {
            "version": self.version,
            "served": self.served,
        }


class Sighting(models.Model):
    """One batch's count of an unknown model, or of another id than the version's own.

    Appended with the samples, folded later: so no two writers wait for the same row.
    """

    unknown_model = models.ForeignKey(
        UnknownModel, on_delete=models.PROTECT, null=True, related_name="sightings"
    )
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    served = models.CharField(max_length=200, blank=True)
    samples = models.PositiveIntegerField()
    first_at = InstantField()
    last_at = InstantField()

    def __str__(self) -> str:
        one_or_more = ngettext("%(samples)s sample", "%(samples)s samples", self.samples)
        return one_or_more % {"samples": self.samples}


class RequestUse(models.Model):
    """How many of a version's requests of a day used a thing, and how long they were.

    Appended with the samples, folded later. The row without a name counts all requests that
    told what they use.
    """

    class Kind(models.IntegerChoices):
        ALL = 0, _("all that told")
        PARAMETER = 1, _("parameter")
        MODALITY = 2, _("input")
        UNPRICED = 3, _("part whose price or count is missing")

    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="uses", db_index=False
    )
    day = models.DateField(help_text=_("In UTC."))
    kind = models.PositiveSmallIntegerField(choices=Kind.choices)
    name = models.CharField(max_length=USE_LENGTH, blank=True)
    requests = models.PositiveIntegerField()
    longest_input = models.PositiveIntegerField(default=0, help_text=_("Tokens."))
    longest_output = models.PositiveIntegerField(default=0, help_text=_("Tokens."))

    class Meta:
        indexes = [models.Index(fields=["version", "day"], name="uses_of_a_version")]

    def __str__(self) -> str:
        return f"{self.name or 'all'}: {self.requests}"
