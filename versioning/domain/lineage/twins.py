"""A bare name and its dated snapshot: what tells that they are two models, not one."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from versioning.domain.lineage.entry import Entry
from versioning.domain.lineage.known import Known
from versioning.domain.lineage.line import ONE_RELEASE_DAYS, differences, other_weights
from versioning.domain.lineage.order import day_of

# Catalogues round: 128000 and 131072 are one context, and a price may lose its last digit.
_CONTEXT_ROUNDING: Final = Decimal("1.1")
_PRICE_ROUNDING: Final = Decimal("1.01")


def told_apart(bare: Entry, dated: Entry) -> bool:
    """True where the list itself says that the two differ, and in which order.

    Other weights say it alone, since weights keep their name. Another price, context or set of
    parameters says it where the dated one came clearly later: the facts of a moving name are
    those of its newest snapshot, its date is that of its first.
    """
    if bare.stands_for and dated.snapshot:
        return bare.stands_for != dated.snapshot
    return other_weights(bare, dated) or (
        clearly_later(bare, dated) and bool(_other_facts(bare.known, dated.known))
    )


def has_moved(bare: Entry, listed: Iterable[Entry]) -> bool:
    """True where the bare name has the very facts of a snapshot that came long after it.

    Then it is a moving name, and what it shares or not with other snapshots tells nothing.
    """
    return any(
        other.identity.snapshot is not None
        and other.identity.ordinal == bare.identity.ordinal
        and clearly_later(bare, other)
        and _are_priced_alike(bare.known, other.known)
        and not other_weights(bare, other)
        and not differences(bare.identity, other.identity)
        for other in listed
    )


def clearly_later(earlier: Entry, later: Entry) -> bool:
    here, there = day_of(earlier), day_of(later)
    return bool(here and there and (there - here).days > ONE_RELEASE_DAYS)


def _are_priced_alike(a: Known, b: Known) -> bool:
    is_known = all(
        value is not None for known in (a, b) for value in (known.input_price, known.context_tokens)
    )
    return is_known and not _other_facts(a, b)


def _other_facts(a: Known, b: Known) -> bool:
    has_other_price = _differ(a.input_price, b.input_price, _PRICE_ROUNDING) or _differ(
        a.output_price, b.output_price, _PRICE_ROUNDING
    )
    has_other_context = _differ(
        _as_decimal(a.context_tokens), _as_decimal(b.context_tokens), _CONTEXT_ROUNDING
    )
    takes_others = bool(a.parameters and b.parameters) and set(a.parameters) != set(b.parameters)
    return has_other_price or has_other_context or takes_others


def _as_decimal(count: int | None) -> Decimal | None:
    return None if count is None else Decimal(count)


def _differ(a: Decimal | None, b: Decimal | None, rounding: Decimal) -> bool:
    """True for two known values further apart than rounding explains."""
    if a is None or b is None:
        return False
    return max(a, b) > min(a, b) * rounding
