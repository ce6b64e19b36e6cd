"""How often things happened, for whoever watches: what /metrics tells as counters."""

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from versioning.domain import dates


class Tally(models.Model):
    """So many times, of one kind and result.

    Appended in the transaction of what is counted, folded later: so no two writers wait for the
    same row, and what was undone was never counted.
    """

    class Kind(models.TextChoices):
        CHECK = "check", _("check of a provider")
        MOVE = "move", _("end of an upgrade")
        SAMPLE = "sample", _("sample that was sent")
        STAGE = "stage", _("stage of a task")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    subject = models.CharField(max_length=200, blank=True, help_text=_("Which provider, or stage."))
    result = models.CharField(max_length=40)
    times = models.PositiveBigIntegerField()
    seconds = models.FloatField(default=0, help_text=_("What it took in all; 0 where nobody asks."))
    last_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = _("tallies")

    def __str__(self) -> str:
        until = dates.moment(self.last_at)
        return gettext("%(kind)s %(subject)s %(result)s: %(times)s until %(until)s") % {
            "kind": self.kind,
            "subject": self.subject,
            "result": self.result,
            "times": self.times,
            "until": until,
        }
