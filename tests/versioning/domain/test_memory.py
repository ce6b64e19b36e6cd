"""When a rejected version may be offered again."""

from datetime import date
from decimal import Decimal

import pytest

from versioning.domain.memory import Now, Then, UnreadableWake, Wake, WakeKind, sentence, wakes

TODAY = date(2026, 3, 1)
PRICE = Wake(kind=WakeKind.PRICE, price_falls_by=Decimal("0.2"))


def now(*, price: str | None = None, retires_on: date | None = None) -> Now:
    return Now(
        today=TODAY, price=Decimal(price) if price is not None else None, retires_on=retires_on
    )


@pytest.mark.parametrize(
    ("then", "later", "again"),
    [
        ("10", "8", True),
        ("10", "8.01", False),
        ("10", None, False),
        (None, "1", False),
        ("0", "0", False),
    ],
)
def test_a_price_has_fallen(then: str | None, later: str | None, again: bool) -> None:
    before = Then(price=Decimal(then) if then is not None else None)

    assert wakes(wake=PRICE, then=before, now=now(price=later)) is again


@pytest.mark.parametrize(("day", "again"), [(1, True), (2, False)])
def test_it_is_asked_again_from_a_day_on(day: int, again: bool) -> None:
    wake = Wake(kind=WakeKind.UNTIL, until=date(2026, 3, day))

    assert wakes(wake=wake, then=Then(price=None), now=now()) is again
    assert sentence(wake) == f"Asked again from {day} Mar 2026 on."


def test_a_part_of_another_kind_wakes_nothing() -> None:
    """What was filled in before the kind was changed must not count."""
    wake = Wake(
        kind=WakeKind.NEVER, until=date(2026, 1, 1), price_falls_by=Decimal("0.2"), days=100
    )
    found = now(price="1", retires_on=TODAY)

    assert not wakes(wake=wake, then=Then(price=Decimal(10)), now=found)


@pytest.mark.parametrize(("day", "again"), [(10, True), (11, False)])
def test_retirement_is_nearer_than(day: int, again: bool) -> None:
    wake = Wake(kind=WakeKind.RETIREMENT, days=10)
    found = now(retires_on=date(2026, 3, day))

    assert wakes(wake=wake, then=Then(price=None), now=found) is again
    assert not wakes(wake=wake, then=Then(price=None), now=now())


@pytest.mark.parametrize("kind", [WakeKind.NEVER, WakeKind.NEXT_SNAPSHOT])
def test_some_never_come_back(kind: WakeKind) -> None:
    assert not wakes(wake=Wake(kind=kind), then=Then(price=None), now=now(price="0"))
    assert sentence(Wake(kind=kind)).startswith("Not asked again")


@pytest.mark.parametrize(
    "parts",
    [
        {"kind": WakeKind.UNTIL},
        {"kind": WakeKind.PRICE},
        {"kind": WakeKind.PRICE, "price_falls_by": Decimal(0)},
        {"kind": WakeKind.PRICE, "price_falls_by": Decimal("1.1")},
        {"kind": WakeKind.RETIREMENT},
        {"kind": WakeKind.RETIREMENT, "days": 0},
    ],
)
def test_a_rule_without_its_part_is_refused(parts: dict[str, object]) -> None:
    with pytest.raises(UnreadableWake):
        Wake(**parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            {"kind": WakeKind.PRICE, "price_falls_by": Decimal(1)},
            "Asked again when the price has fallen by 100%.",
        ),
        (
            {"kind": WakeKind.RETIREMENT, "days": 1},
            "Asked again when retirement is nearer than 1 day.",
        ),
    ],
)
def test_the_ends_of_what_may_be_said_are_allowed(parts: dict[str, object], said: str) -> None:
    assert sentence(Wake(**parts)) == said  # type: ignore[arg-type]
