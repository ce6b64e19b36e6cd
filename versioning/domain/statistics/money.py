"""What requests cost, as a person reads it."""

from __future__ import annotations

from decimal import Decimal

REQUESTS = 1_000
"""One request costs too little to be read: $0.0000622."""


def per_thousand(usd: float) -> str:
    """Return the cost of so many requests at `usd` each: "$1.25", "$0.062", "$1,340".

    Three significant digits, whole cents from a dollar up, never an exponent.
    """
    cost = Decimal(f"{usd * REQUESTS:.3g}")
    if not cost:
        return "$0"
    digits = 0 if cost >= 100 else 2 if cost >= Decimal("0.1") else 1 - cost.adjusted()
    return f"${cost:,.{digits}f}"
