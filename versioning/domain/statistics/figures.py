"""Figures as a person writes them: the digits that they are worth, exact where it counts.

Never an exponent, never minus nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

_MOST_DIGITS = 6


def exact(value: float) -> Decimal:
    """Return a figure as a person would write it, to twelve digits: 0.1 + 0.2 is 0.3."""
    return Decimal(f"{value:.12g}")


def rise(*, before: float, after: float) -> Decimal | None:
    """Return the rise relative to `before` to nine decimals; None from 0.

    From 2/3 to 11/15 is exactly 0.1, though neither can be written down exactly.
    """
    if not before:
        return None
    value = (Decimal(after) - Decimal(before)) / Decimal(before)
    return value if value > 10**9 else exact(round(float(value), 9) + 0.0)


def significant(value: float, *, digits: int = 3, sign: bool = False) -> str:
    """Return so many significant digits, written out: "+12.5", "1,230", "0.0000123".

    `sign` puts a plus before what is not below 0.
    """
    if not value or not math.isfinite(value):
        return f"{'+' if sign else ''}{value + 0.0:g}"
    rounded = float(f"{value:.{digits}g}")
    places = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    text = f"{rounded:{'+' if sign else ''},.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def points(value: float, *, digits: int) -> str:
    """Return a difference with so many decimals and its sign: "+0.10"; nothing is "+0.00"."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"


def hundredths(rate: float, *, sign: bool = True) -> str:
    """Return a rise of a rate in hundredths: "+1.3 points"."""
    text = significant(rate * 100, digits=2, sign=sign)
    return f"{text} {'point' if text.lstrip('+-') == '1' else 'points'}"


def percent(fraction: float) -> str:
    """Return +13 %, or +1.3 % for a small change."""
    value = fraction * 100
    return f"{points(value, digits=0 if abs(value) >= 10 else 1)} %"


def digits_of(low: float, high: float) -> int:
    """Return how many digits an interval is worth: as many as its half-width, at least two.

    More where an end would be written as 0 that isn't.
    """
    half = (high - low) / 2
    digits = 2 if half <= 0 else max(2, -math.floor(math.log10(half)))
    while digits < _MOST_DIGITS and any(end and not round(end, digits) for end in (low, high)):
        digits += 1
    return digits


def span(value: float, *, low: float, high: float) -> str:
    """Return a mean from 0 to 1 with its interval: "0.80 (0.78 to 0.82)"."""
    digits = digits_of(low, high)
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def counted(number: int, noun: str) -> str:
    """Return "1 day" or "9 days"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def change(
    *,
    before: float,
    after: float,
    low: float,
    high: float,
    alpha: float,
    relative: float | None,
) -> str:
    """Say how a mean from 0 to 1 changed: in points with their interval, then in per cent.

    "0.75 → 0.85 (+0.10, 95 % interval from +0.07 to +0.13: +13 %)"
    """
    said = Change.of(before=before, after=after, low=low, high=high)
    rise = "" if relative is None else f": {percent(relative)}"
    return (
        f"{said.before} → {said.after} ({said.apart}, {significant((1 - alpha) * 100)} % interval "
        f"from {said.low} to {said.high}{rise})"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Two means from 0 to 1, how far they are apart, and the interval of that, in words.

    All have as many digits as the interval is worth, and who subtracts the one mean from the other
    finds what is said: so every place that tells of a change tells the same.
    """

    before: str
    after: str
    apart: str
    low: str
    high: str

    @classmethod
    def of(cls, *, before: float, after: float, low: float, high: float) -> Change:
        digits = digits_of(low, high)
        # 0.70 -> 0.55 is not -0.16. A digit more helps most; thirds never add up.
        if not _adds_up(before, after, digits=digits):
            digits = min(_MOST_DIGITS, digits + 1)
        return cls(
            before=f"{before:.{digits}f}",
            after=f"{after:.{digits}f}",
            apart=points(round(after, digits) - round(before, digits), digits=digits),
            low=points(low, digits=digits),
            high=points(high, digits=digits),
        )


def _adds_up(before: float, after: float, *, digits: int) -> bool:
    apart = round(after, digits) - round(before, digits)
    return round(apart, digits) == round(after - before, digits)


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
