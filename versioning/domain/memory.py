"""Decision memory: when a question that was answered with no may be asked again."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from versioning.domain import dates


class WakeKind(StrEnum):
    """What must happen before a rejected version is offered again."""

    NEVER = "never"
    UNTIL = "until"
    PRICE = "price"
    NEXT_SNAPSHOT = "next_snapshot"
    RETIREMENT = "retirement"


class UnreadableWake(ValueError):
    """A wake-up rule with a part missing or out of range; the sentence says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """A wake-up rule; each kind needs its own value and no other.

    ``price_falls_by`` is a fraction of the price at the rejection (0.2 is 20 %), ``days`` the
    days before the retirement of the version in use.
    """

    kind: WakeKind = WakeKind.NEVER
    until: date | None = None
    price_falls_by: Decimal | None = None
    days: int | None = None

    def __post_init__(self) -> None:
        needs = {
            WakeKind.UNTIL: ("until", self.until is not None),
            WakeKind.PRICE: (
                "price_falls_by, over 0 and up to 1",
                self.price_falls_by is not None and 0 < self.price_falls_by <= 1,
            ),
            WakeKind.RETIREMENT: ("days, from 1 up", self.days is not None and self.days >= 1),
        }
        what, given = needs.get(self.kind, ("", True))
        if not given:
            raise UnreadableWake(f"To ask again by {self.kind.value}, say {what}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """What was so at the rejection: USD per million input and output tokens together."""

    price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What is so now: the target's price, and when the version in use retires."""

    today: date
    price: Decimal | None
    retires_on: date | None


def wakes(*, wake: Wake, then: Then, now: Now) -> bool:
    """Say whether the rejected version may be offered again.

    The next snapshot is another version, which is asked about in any case: that kind only says
    that the rejected one never comes back. A price that is unknown has not fallen.
    """
    if wake.kind is WakeKind.UNTIL and wake.until is not None:
        return now.today >= wake.until
    if wake.kind is WakeKind.PRICE and wake.price_falls_by is not None:
        return _has_fallen(by=wake.price_falls_by, then=then.price, now=now.price)
    if wake.kind is WakeKind.RETIREMENT and wake.days is not None and now.retires_on is not None:
        return (now.retires_on - now.today).days < wake.days
    return False


def _has_fallen(*, by: Decimal, then: Decimal | None, now: Decimal | None) -> bool:
    return then is not None and now is not None and now < then and now <= then * (1 - by)


def sentence(wake: Wake) -> str:
    """Say in words when the question comes back."""
    match wake.kind:
        case WakeKind.UNTIL:
            return f"Asked again from {dates.day(wake.until)} on."
        case WakeKind.PRICE:
            return f"Asked again when the price has fallen by {wake.price_falls_by:.0%}."
        case WakeKind.RETIREMENT:
            return f"Asked again when retirement is nearer than {_days(wake.days)}."
        case WakeKind.NEXT_SNAPSHOT:
            return "Not asked again; the next snapshot will be."
        case WakeKind.NEVER:
            return "Not asked again."


def _days(count: int | None) -> str:
    return "1 day" if count == 1 else f"{count} days"
