"""What is kept of traces beside their samples: what was counted lately, and what wasn't read."""

from datetime import timedelta

from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from versioning.models.catalogue import ModelVersion

WINDOW = timedelta(minutes=15)
"""How long a span is remembered: a parent is sent seconds after its child, or after a retry."""


class TracedSpan(models.Model):
    """A span that told of a request to a model, or that has one below it; kept for minutes.

    Numbers only: 64 bits of the hash of trace and span, and of the model's name.
    """

    span = models.BigIntegerField()
    model = models.BigIntegerField()
    counted = models.BooleanField(
        help_text=_("Whether it asked the model itself; otherwise a span below it did.")
    )
    request_hash = models.BigIntegerField(
        null=True, help_text=_("Its sample's, until that is taken back.")
    )
    at = models.BigIntegerField(help_text=_("When it came, in milliseconds since 1970."))

    class Meta:
        constraints = [
            # Of two exports at the same moment, one of which holds the parent, one wins.
            models.UniqueConstraint(fields=["span", "model"], name="one_claim_per_span_and_model"),
        ]
        indexes = [
            # Each minute, those that are too old go.
            models.Index(fields=["at"], name="traced_spans_by_age"),
            # Before a sample is taken back: who else stands for it?
            models.Index(
                fields=["request_hash"],
                condition=models.Q(request_hash__isnull=False),
                name="traced_spans_by_request",
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(request)s to a model") % {
            "request": "a request" if self.counted else gettext("above a request")
        }


class SpanLink(models.Model):
    """Which span another one belongs to, by their hashes; kept for minutes.

    A span that asks no model may be all that joins a request to the one that wraps it.
    """

    span = models.BigIntegerField(primary_key=True)
    parent = models.BigIntegerField()
    at = models.BigIntegerField(help_text=_("When it came, in milliseconds since 1970."))

    class Meta:
        indexes = [
            # Each minute, those that are too old go.
            models.Index(fields=["at"], name="span_links_by_age"),
        ]

    def __str__(self) -> str:
        return gettext("%(span)s below %(parent)s") % {"span": self.span, "parent": self.parent}


class TracedUse(models.Model):
    """What one traced request used, kept apart for as long as it may be taken back.

    The longest input of several can't be made shorter again: so only what stays is added to
    ``RequestUse``.
    """

    request_hash = models.BigIntegerField()
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    day = models.DateField(help_text=_("In UTC."))
    use = models.TextField(help_text=_("Kinds and names as RequestUse has them, as JSON."))
    input_tokens = models.PositiveIntegerField()
    output_tokens = models.PositiveIntegerField()
    at = models.BigIntegerField(help_text=_("When it came, in milliseconds since 1970."))

    class Meta:
        indexes = [
            # Each minute, those that stay are added up.
            models.Index(fields=["at"], name="traced_uses_by_age"),
            # One is taken back.
            models.Index(fields=["request_hash"], name="traced_uses_by_request"),
            models.Index(fields=["version", "day"], name="traced_uses_of_a_version"),
        ]

    def __str__(self) -> str:
        return gettext("what a request of %(day)s used") % {"day": date_format(self.day, "j M Y")}


class LeftOutSpans(models.Model):
    """How many spans of a day were left out, by why; appended with each export, folded later."""

    reason = models.CharField(max_length=100)
    day = models.DateField(help_text=_("In UTC."))
    spans = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("left-out span")
        verbose_name_plural = _("left-out spans")
        indexes = [models.Index(fields=["day", "reason"], name="left_out_spans_by_day")]

    def __str__(self) -> str:
        return gettext("%(day)s: %(spans)s of %(reason)s") % {
            "day": date_format(self.day, "j M Y"),
            "spans": self.spans,
            "reason": self.reason,
        }
