"""Dates as makers write them into ids. The longest form is tried first.

Four digits are `MMDD` when the first two can be a month, `YYMM` when they are a year of this
century after 2021 and the last two a month, else a context length: the three never overlap.
"""

import re
from calendar import monthrange
from collections.abc import Sequence
from typing import Final

from versioning.domain.lineage.identity import Snapshot

_DIGITS: Final = re.compile(r"[0-9]{1,8}\Z")
_FIRST_YEAR, _LAST_YEAR = 2015, 2059
_FIRST_SHORT_YEAR, _LAST_SHORT_YEAR = 22, 59
_LEAP_YEAR = 2024  # a month and day without a year may be 29 February


def read_date(tokens: Sequence[str], *, short_forms: bool) -> tuple[Snapshot, int] | None:
    """Read a date at the start of the tokens: the snapshot and how many tokens it took.

    `short_forms` admits `MM-DD`, which elsewhere could be a version such as `3-5`.
    """
    digits: list[str] = []
    for token in tokens[:3]:
        if not _DIGITS.match(token):
            break
        digits.append(token)
    if not digits:
        return None
    return _in_one_token(digits[0]) or _in_several(digits, short_forms=short_forms)


def _in_one_token(token: str) -> tuple[Snapshot, int] | None:
    if len(token) == 8:
        return _taking(1, _full(token[:4], token[4:6], token[6:]))
    if len(token) == 6:
        month_of_year = _year_month(token[:4], token[4:])
        return _taking(1, month_of_year or _full(f"20{token[:2]}", token[2:4], token[4:]))
    if len(token) == 4:
        return _taking(1, _month_day(token[:2], token[2:]) or _short_year(token))
    return None


def _in_several(digits: Sequence[str], *, short_forms: bool) -> tuple[Snapshot, int] | None:
    lengths = tuple(len(token) for token in digits)
    if lengths == (4, 2, 2):
        return _taking(3, _full(*digits))
    if lengths[:2] == (4, 2):
        return _taking(2, _year_month(digits[0], digits[1]))
    if lengths[:2] == (2, 4) and not _starts_with_a_year(digits[1:]):
        return _taking(2, _year_month(digits[1], digits[0]))
    if lengths[:2] == (2, 2) and short_forms:
        return _taking(2, _month_day(digits[0], digits[1]))
    return None


def _starts_with_a_year(digits: Sequence[str]) -> bool:
    """Whether they go on as `2026-09`: before it stands a number."""
    return tuple(map(len, digits)) == (4, 2) and _year_month(*digits) is not None


def _taking(count: int, snapshot: Snapshot | None) -> tuple[Snapshot, int] | None:
    return (snapshot, count) if snapshot else None


def _full(year: str, month: str, day: str) -> Snapshot | None:
    found = _year_month(year, month)
    if found and 1 <= int(day) <= monthrange(found.year, found.month)[1]:
        return Snapshot(found.year, found.month, int(day))
    return None


def _year_month(year: str, month: str) -> Snapshot | None:
    if _FIRST_YEAR <= int(year) <= _LAST_YEAR and 1 <= int(month) <= 12:
        return Snapshot(int(year), int(month), 0)
    return None


def _month_day(month: str, day: str) -> Snapshot | None:
    if 1 <= int(month) <= 12 and 1 <= int(day) <= monthrange(_LEAP_YEAR, int(month))[1]:
        return Snapshot(0, int(month), int(day))
    return None


def _short_year(token: str) -> Snapshot | None:
    year, month = int(token[:2]), int(token[2:])
    if _FIRST_SHORT_YEAR <= year <= _LAST_SHORT_YEAR and 1 <= month <= 12:
        return Snapshot(2000 + year, month, 0)
    return None
