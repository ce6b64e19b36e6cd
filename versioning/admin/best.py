"""The page "Best per task": which version does a task best, over all providers."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from versioning.admin import pareto_front, words
from versioning.admin.base import caller_of
from versioning.domain.statistics.ranking import Place
from versioning.models import ModelVersion
from versioning.services import clock
from versioning.services.errors import NotFound
from versioning.services.evidence import best_models


@dataclass(frozen=True, slots=True)
class RankedRow:
    """One version on the task, ready to be shown."""

    version: ModelVersion
    rank: str
    quality: str
    scores: str
    cost: str
    latency: str
    standing: SafeString | str
    retires: str
    needed: str


def best(request: HttpRequest) -> HttpResponse:
    """Show the table of one task, the first one unless another is named."""
    if not request.user.has_perm("versioning.view_modelversion"):
        raise PermissionDenied
    tasks = best_models.tasks()
    task = request.GET.get("task") or next(iter(tasks), None)
    found = None
    if task is not None:
        try:
            found = best_models.best_for(task=task, caller=caller_of(request))
        except NotFound as error:
            raise Http404(str(error)) from error
    now = clock.now()
    places = found.ranking.places if found else ()
    context = {
        **admin.site.each_context(request),
        "title": _("Best per task: %(task)s") % {"task": task} if task else _("Best per task"),
        "tasks": tasks,
        "task": task,
        "sentence": found.ranking.sentence if found else "",
        "plot": pareto_front.draw([_dot(place, found.versions[place.name]) for place in places])
        if found
        else None,
        "lines": [_line(place, found.versions[place.name], now=now) for place in places]
        if found
        else [],
    }
    return TemplateResponse(request, "admin/versioning/modelversion/best.html", context)


def _dot(place: Place, version: ModelVersion) -> pareto_front.FrontPoint:
    known = None if place.rank is None else place.quality
    return pareto_front.FrontPoint(
        name=place.name,
        label="" if place.rank is None else str(place.rank),
        cost=place.cost,
        quality=known,
        low=place.low,
        high=place.high,
        href=reverse("admin:versioning_modelversion_change", args=[version.pk]),
    )


def _line(place: Place, version: ModelVersion, *, now: datetime) -> RankedRow:
    retires = version.retires_on
    return RankedRow(
        version=version,
        rank="–" if place.rank is None else str(place.rank),
        quality=place.figures or "–",
        scores=f"{place.n:,}",
        cost=words.usd(place.cost) or "unknown",
        latency=words.ms(place.latency_ms),
        standing=_standing(place),
        retires=words.until_day(retires, now=now) if retires else "",
        needed="" if place.needed is None else place.needed.words,
    )


def _standing(place: Place) -> SafeString | str:
    if place.rank is None:
        return words.badge(_("too few scores"), "plain")
    if place.tie:
        return words.badge(_("tie"), "warn", title=_("It can't be told from the first."))
    if place.rank == 1:
        return words.badge(_("best"), "good")
    if place.on_front:
        title = _("No other is at least as good in quality, cost and latency.")
        return words.badge(_("cheaper or faster"), "info", title=title)
    return ""
