"""What served on a day: the answer to one field on a model's page, in sentences."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from providers.moments import stamp
from versioning.admin import words
from versioning.domain.transitions import State
from versioning.models import TrackedModel, UpgradeRecord
from versioning.services import clock
from versioning.services.evidence import history
from versioning.services.evidence.history import Period


def answer(*, tracked: TrackedModel, asked: str, now: datetime) -> Sequence[str]:
    """Say which versions served on a day ("2026-11-01"), since when, and who had moved there.

    Days are those of the configured zone. One sentence a version, or why there is none; empty
    where nothing is asked.
    """
    if not asked:
        return []
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        return [_("Write a day, such as %(day)s.") % {"day": clock.local_day(now).isoformat()}]
    if day > clock.local_day(now):
        return [_("%(day)s has not come yet.") % {"day": words.day(day)}]
    begins, ends = clock.start_of(day), clock.start_of(day + timedelta(days=1))
    periods = history.periods(tracked_model_id=tracked.pk)
    served = [
        each
        for each in periods
        if each.since < ends and (each.until is None or each.until > begins)
    ]
    if not served:
        return [_before(periods, day=day)]
    records = (
        UpgradeRecord.objects.filter(pk__in=[each.record_id for each in served])
        .select_related("to_version")
        .prefetch_related("steps")
        .in_bulk()
    )
    return [_said(each, records[each.record_id], day=day) for each in served]


def _before(periods: Sequence[Period], *, day: date) -> str:
    if not periods:
        return _("Nothing has served yet.")
    began = stamp(periods[0].since)
    return _("On %(day)s nothing was tracked: that began on %(began)s.") % {
        "day": words.day(day),
        "began": began,
    }


def _said(period: Period, record: UpgradeRecord, *, day: date) -> str:
    version = record.to_version
    step = next((each for each in record.steps.all() if each.after == State.COMPLETED), None)
    told = {
        "day": words.day(day),
        "label": version.label,
        "id": version.upstream_id,
        "since": stamp(period.since),
        "until": stamp(period.until) if period.until else "",
        "who": step.actor_name if step else _("somebody"),
    }
    if period.until is None:
        return (
            _("On %(day)s %(label)s (%(id)s) served: since %(since)s, by %(who)s, till now.") % told
        )
    return _("On %(day)s %(label)s (%(id)s) served: from %(since)s, by %(who)s, to %(until)s.") % (
        told
    )
