"""The versions of a model as a line of descent: which followed which, and when each served."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Window
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from versioning.admin import words
from versioning.models import ModelVersion, TrackedModel, UpgradeRecord
from versioning.services import clock
from versioning.services.evidence import history

SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class DescentRow:
    """One version in the line: ``tone`` and ``badge`` say the same, by colour and in a word."""

    version: ModelVersion
    badge: SafeString
    tone: str
    follows: str
    served: Sequence[str]


def of_model(tracked: TrackedModel, *, open_records: Iterable[UpgradeRecord]) -> dict[str, object]:
    """Return the newest versions of a model, newest first, and how many there are; two queries.

    ``open_records`` are those of its upgrades that wait or are under way.
    """
    counted = tracked.versions.annotate(
        of_all=Window(Count("pk")), follows=F("previous_version__label")
    )
    versions: list[Any] = list(counted.order_by("-pk")[:SHOWN])
    periods = history.periods(tracked_model_id=tracked.pk)
    waiting, moving = set[int](), set[int]()
    for record in open_records:
        (waiting if record.is_waiting else moving).add(record.to_version_id)
    rows = []
    for version in versions:
        served = [_span(p.since, p.until) for p in periods if p.version_id == version.pk]
        badge, tone = _standing(
            version,
            is_current=version.pk == tracked.current_version_id,
            waits=version.pk in waiting,
            moves=version.pk in moving,
            has_served=bool(served),
        )
        rows.append(
            DescentRow(
                version=version,
                badge=words.badge(badge, tone),
                tone=tone,
                follows=_("after %(label)s") % {"label": version.follows}
                if version.follows
                else "",
                served=served,
            )
        )
    return {"descent": rows, "version_count": versions[0].of_all if versions else 0}


def _standing(
    version: ModelVersion, *, is_current: bool, waits: bool, moves: bool, has_served: bool
) -> tuple[str, str]:
    """Return in a word what a version is to its model, and the tone of that."""
    if is_current:
        return (_("in use, gone"), "bad") if version.is_gone else (_("in use"), "good")
    if version.is_gone:
        return _("gone"), "plain"
    if moves:
        return _("on its way"), "info"
    if waits:
        return _("candidate"), "info"
    return (_("served before"), "plain") if has_served else (_("never used"), "plain")


def _span(since: datetime, until: datetime | None) -> str:
    begun = words.day(clock.local_day(since))
    if until is None:
        return _("since %(day)s") % {"day": begun}
    ended = words.day(clock.local_day(until))
    return _("%(begun)s to %(ended)s") % {"begun": begun, "ended": ended}
