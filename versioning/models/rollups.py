"""Sums of samples that never need the samples again, and what they showed."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from versioning.domain import dates
from versioning.domain.figures import WATCHED
from versioning.models import columns
from versioning.models.catalogue import ModelVersion
from versioning.models.fields import InstantField
from versioning.models.samples import PerformanceSample, Word


class Sums(models.Model):
    """All that is kept of the samples of one version, task, source and slice in one period.

    The columns are those that ``domain.figures`` declares.
    Moments are count, mean and M2 (the sum of squared distances from the mean). A score that
    is corrected adds its new value to ``quality`` and its old one to ``retracted``; both only
    grow, so parts add up in any order, and what counts is the difference. ``components`` has the
    moments of each thing that scores are made of (a given quality, valid output, feedback, ...)
    over the samples that have it, ``retracted_components`` what was corrected of them.
    """

    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    task = models.ForeignKey(Word, on_delete=models.PROTECT, related_name="+", db_index=False)
    slice = models.ForeignKey(
        Word,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text=_("The sample's tags as far as they are declared."),
    )
    source = models.PositiveSmallIntegerField(choices=PerformanceSample.Source.choices)
    start = InstantField()

    class Meta:
        abstract = True


columns.add_sums(Sums)


class RollupPart(Sums):
    """One batch's share of an hour: written with its samples, folded into the hour later."""

    class Meta:
        indexes = [
            # Comparisons read what isn't folded yet.
            models.Index(fields=["version"], name="parts_of_a_version"),
        ]

    def __str__(self) -> str:
        return gettext("part %(self_pk)s") % {"self_pk": self.pk}


class Rollup(Sums):
    """An hour, or a day once its hours are folded."""

    class Span(models.IntegerChoices):
        HOUR = 1, _("hour")
        DAY = 24, _("day")

    span = models.PositiveSmallIntegerField(choices=Span.choices, help_text=_("Hours."))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "task", "source", "slice", "span", "start"],
                name="one_rollup_per_period",
            ),
        ]
        indexes = [
            # Hours are folded into days by age.
            models.Index(fields=["start"], condition=Q(span=1), name="hours_by_start"),
        ]

    def __str__(self) -> str:
        return gettext("%(span)s from %(start)s") % {
            "span": self.get_span_display(),
            "start": dates.moment(self.start),
        }


class DriftFinding(models.Model):
    """A version that behaves otherwise than before although its name did not change."""

    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="drift_findings"
    )
    measure = models.CharField(
        max_length=15, choices=[(each.measure, _(each.title)) for each in WATCHED]
    )
    began_on = models.DateField()
    sentence = models.CharField(max_length=500)
    found_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "measure", "began_on"], name="one_finding_per_change"
            ),
        ]

    def __str__(self) -> str:
        return self.sentence
