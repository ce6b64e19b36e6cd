"""The page "Retirements": when each model in use retires, until when a move is safe, and moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from providers.models import Provider
from versioning.admin import urgency, words
from versioning.admin.base import caller_of
from versioning.admin.drawing import Scale, Tick
from versioning.models import UpgradeRecord
from versioning.services import clock
from versioning.services import clock as clocks
from versioning.services.upgrades import retirement
from versioning.services.upgrades.retirement import Clock, Due

PER_PAGE = 50
WIDTH = 300.0
BEFORE, LEAST, MOST = timedelta(days=14), timedelta(days=60), timedelta(days=730)
"""How far the axis reaches: before today, and after it at least and at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """One model in use that retires; positions in the units of the view box.

    ``latest`` is the end of a forecast's range, None where a day is announced; ``move`` is where
    what waits or is under way for it began.
    """

    clock: Clock
    start: float
    end: float
    latest: float | None
    move: float | None
    start_words: str
    start_left: str
    retires_words: str
    tone: str
    record: UpgradeRecord | None
    state: SafeString | str

    @property
    def width(self) -> float:
        return round(max(0.0, self.end - self.start), 2)


@dataclass(frozen=True, slots=True)
class Axis:
    scale: Scale
    today: float
    ticks: Sequence[Tick]

    def place(self, day: date) -> float:
        return self.scale.place(day.toordinal())


def page(request: HttpRequest) -> HttpResponse:
    """Show what retires, first what must start first; of a provider or owner that is asked for."""
    if not request.user.has_perm("versioning.view_trackedmodel"):
        raise PermissionDenied
    now = clock.now()
    asked = {name: request.GET.get(name, "") for name in ("provider", "owner")}
    due = retirement.due(
        now=now,
        provider_slug=asked["provider"],
        owner=asked["owner"],
        caller=caller_of(request),
    )
    shown = Paginator(due, PER_PAGE).get_page(request.GET.get("p"))
    found = list(shown)
    axis = _axis(found, today=clocks.local_day(now))
    records = retirement.moves([each.tracked_model_id for each in found])
    context = {
        **admin.site.each_context(request),
        "title": _("Retirements"),
        "asked": asked,
        "providers": Provider.objects.order_by("slug").values_list("slug", flat=True),
        "summary": _summary(due, today=clocks.local_day(now)),
        "axis": axis,
        "page": shown,
        "rows": [
            _row(each, axis=axis, record=records.get(each.tracked_model.pk), now=now)
            for each in retirement.clocks(found)
        ],
    }
    return TemplateResponse(request, "admin/versioning/trackedmodel/retirements.html", context)


def _summary(due: Sequence[Due], *, today: date) -> str:
    """Say how many retire, and how many of their moves are late or must start soon."""
    late = sum(each.latest_start < today for each in due)
    soon = sum(each.this_week for each in due) - late
    told = (
        (len(due), ngettext("%(count)s retires", "%(count)s retire", len(due))),
        (
            late,
            ngettext(
                "%(count)s is past its last safe start",
                "%(count)s are past their last safe start",
                late,
            ),
        ),
        (soon, ngettext("%(count)s must start this week", "%(count)s must start this week", soon)),
    )
    said = [sentence % {"count": f"{count:,}"} for count, sentence in told if count]
    return ", ".join(said)


def _axis(found: Sequence[Due], *, today: date) -> Axis:
    """Return one scale for all rows of the page; what lies beyond stands at its edge."""
    days = [day for each in found for day in (each.latest_start, each.retirement.latest)]
    low = max(min([today - BEFORE, *days]), today - MOST / 4)
    high = min(max([today + LEAST, *days]), today + MOST)
    scale = Scale(low=low.toordinal(), high=high.toordinal(), start=6.0, end=WIDTH - 6.0)
    ticks = scale.ends_and_middle(lambda day: words.day(date.fromordinal(round(day))))
    return Axis(scale=scale, today=scale.place(today.toordinal()), ticks=ticks)


def _row(clock: Clock, *, axis: Axis, record: UpgradeRecord | None, now: datetime) -> TimelineRow:
    today = clocks.local_day(now)
    known = clock.retirement
    began = clocks.local_day(record.changed_at) if record else None
    return TimelineRow(
        clock=clock,
        start=axis.place(clock.latest_start),
        end=axis.place(known.on),
        latest=axis.place(known.latest) if known.precision == "forecast" else None,
        move=axis.place(began) if began else None,
        start_words=words.day(clock.latest_start),
        start_left=words.until_day(clock.latest_start, now=now),
        retires_words=urgency.clock_date(clock, now=now),
        tone="bad" if clock.latest_start < today else "warn" if clock.this_week else "plain",
        record=record,
        state=words.state(record) if record else "",
    )
