"""Decision memory: what was rejected isn't asked again before its time."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from versioning.domain.memory import Now, Then, Wake, wakes
from versioning.domain.transitions import State
from versioning.models import ModelVersion, UpgradeRecord, WakeRule
from versioning.services import clock


def remember(*, record: UpgradeRecord, wake: Wake, now: datetime) -> None:
    """Keep when a rejected record's version may be offered again, and its price now."""
    WakeRule.objects.create(
        record=record,
        kind=wake.kind.value,
        until=wake.until,
        price_falls_by=wake.price_falls_by,
        days=wake.days,
        price_then=price(record.to_version),
        made_at=now,
    )


def may_be_offered_again(
    *, decided: Iterable[UpgradeRecord], current: ModelVersion, version: ModelVersion, now: datetime
) -> bool:
    """Say whether a version may be offered although these records decided against it.

    Only the latest decision counts, and only a rejection with a wake-up rule wakes.
    """
    # Ids grow with the decisions; an older word doesn't stand against a newer one.
    latest = max(decided, key=lambda record: record.pk, default=None)
    if latest is None:
        return True
    rule: WakeRule | None = getattr(latest, "wake_rule", None)
    if latest.state != State.REJECTED or rule is None:
        return False
    return wakes(
        wake=rule.wake,
        then=Then(price=rule.price_then),
        now=Now(today=clock.local_day(now), price=price(version), retires_on=current.retires_on),
    )


def price(version: ModelVersion) -> Decimal | None:
    """Return the price of a million input and a million output tokens in USD; None if unknown."""
    if version.input_price is None or version.output_price is None:
        return None
    return version.input_price + version.output_price
