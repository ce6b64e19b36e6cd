"""Pages of the demo: the tour, and the canary in a time-lapse."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from sample_world import lapse, tasks
from sample_world.tour import PARTS
from versioning.domain.transitions import State
from versioning.models import PerformanceSample, UpgradeRecord
from versioning.services.actors import Actor

MAY_BEGIN = "versioning.add_trackedmodel"
LOOKS_AGAIN_AFTER_S = 2


def tour(request: HttpRequest) -> HttpResponse:
    """Show the tour: each stop with the address of its living example."""
    parts = [
        {
            "title": part.title,
            "stops": [{"stop": stop, "link": stop.find()} for stop in part.stops],
        }
        for part in PARTS
    ]
    return _page(
        request,
        "tour",
        title="Tour",
        parts=parts,
        may_begin=request.user.has_perm(MAY_BEGIN),
    )


@require_POST
def begin_lapse(request: HttpRequest) -> HttpResponse:
    """Begin the time-lapse, unless one is under way; show it."""
    user: Any = request.user
    if not user.has_perm(MAY_BEGIN):
        raise PermissionDenied
    record = _lapses().filter(state=State.CANARY.value).first()
    if record is None:
        record = lapse.begin(actor=Actor.of_user(user), now=timezone.now())
        tasks.time_lapse.delay(record_id=record.pk)
    return redirect("lapse", record_id=record.pk)


def show_lapse(request: HttpRequest, record_id: int) -> HttpResponse:
    """Show how far it is, hour by hour; the page looks again by itself while it goes on."""
    record = get_object_or_404(_lapses(), pk=record_id)
    goes_on = record.state == State.CANARY
    last = record.steps.order_by("-at", "-pk").first()
    return _page(
        request,
        "lapse",
        title=f"Time-lapse: {record}",
        record=record,
        share=f"{record.canary.weight:.0%} of the keys get {record.to_version.label}",
        hours=_hours(record),
        goes_on=goes_on,
        says=record.canary.says if goes_on else last.reason if last else "",
        seconds=LOOKS_AGAIN_AFTER_S,
    )


def _lapses() -> Any:
    return (
        UpgradeRecord.objects.with_versions()
        .select_related("canary")
        .filter(tracked_model__name__startswith=lapse.NAME, canary__isnull=False)
        .order_by("-pk")
    )


def _hours(record: UpgradeRecord) -> list[dict[str, Any]]:
    """Return requests and mean quality of both versions, hour by hour, the newest first."""
    told = PerformanceSample.objects.filter(
        version__in=[record.from_version_id, record.to_version_id]
    ).values_list("at", "version", "quality")
    hours: dict[datetime, dict[str, list[float | None]]] = {}
    for at, version, quality in told:
        sides = hours.setdefault(
            at.replace(minute=0, second=0, microsecond=0), {"old": [], "new": []}
        )
        sides["new" if version == record.to_version_id else "old"].append(quality)
    return [
        {"hour": hour, **{side: _figures(scores) for side, scores in sides.items()}}
        for hour, sides in sorted(hours.items(), reverse=True)
    ]


def _figures(scores: Sequence[float | None]) -> dict[str, Any]:
    known = [score for score in scores if score is not None]
    return {"requests": len(scores), "mean": sum(known) / len(known) if known else None}


def _page(request: HttpRequest, name: str, **more: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), **more}
    return render(request, f"sample_world/{name}.html", context)
