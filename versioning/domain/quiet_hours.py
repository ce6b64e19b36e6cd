"""When people are not disturbed: hours of the day in their own time zone."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def next_open(at: datetime, *, zone: ZoneInfo, start: time, end: time) -> datetime:
    """Return the first moment from ``at`` on that lies outside the quiet hours.

    They run from ``start`` up to ``end`` of the zone's days, past midnight where ``end`` comes
    first; where both are the same there are none. Never before ``at``, also where clocks change.
    """
    local = at.astimezone(zone)
    clock = local.time()
    past_midnight = end < start
    inside = clock >= start or clock < end if past_midnight else start <= clock < end
    if not inside:
        return at
    day = local.date() if clock < end else local.date() + timedelta(days=1)
    ends = [datetime.combine(day, end.replace(fold=fold), tzinfo=zone) for fold in (0, 1)]
    after = [each.astimezone(UTC) for each in ends if each.astimezone(UTC) >= at]
    return min(after, default=at)
