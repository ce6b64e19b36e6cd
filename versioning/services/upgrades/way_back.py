"""Is the way back open: would the earlier version still answer if the move were wrong?"""

from datetime import date, datetime, timedelta

from versioning.domain.policy import Policy
from versioning.models import ModelVersion


def why_closed(
    *,
    version: ModelVersion | None,
    fallback: ModelVersion | None,
    policy: Policy,
    now: datetime,
) -> str:
    """Say what is wrong with the way back; empty where it is open until the watch period ends.

    Judged by what checks know: is the version listed, when does it retire. A canary counts with
    its holds by time. A fallback that a policy names opens a closed way.
    """
    if version is None:
        return ""
    holds = sum(float(step.hold_hours) for step in policy.canary_steps)
    until = (now + timedelta(days=policy.watch_days, hours=holds)).date()
    if _lives(version, until=until):
        return ""
    if fallback is not None and fallback.pk != version.pk and _lives(fallback, until=until):
        return ""
    if not version.is_listed:
        return f"There is no way back: {version.upstream_id} is no longer listed."
    return (
        f"There would be no way back: {version.upstream_id} retires on {version.retires_on}, "
        f"inside the watch period that ends on {until}. Name a fallback version in its policy."
    )


def _lives(version: ModelVersion, *, until: date) -> bool:
    return version.is_listed and (version.retires_on is None or version.retires_on > until)
