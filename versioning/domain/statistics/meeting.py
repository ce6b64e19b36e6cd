"""Which days of two versions are side by side, and which only before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .contrast import Basis
from .evidence import Stratum
from .needed import LEAST_DAYS
from .sequence import FLOOR

NEAR = 28
"""Days on each side that count before and after: nearer ones have more in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """Two versions' records cut to what is compared, and how.

    `afterwards` are the candidate's days after the last one side by side against the current
    version's last ones, where there are enough to say something.
    """

    basis: Basis
    strata: tuple[Stratum, ...]
    shared_days: int
    afterwards: tuple[Stratum, ...] = ()


def meeting(strata: Sequence[Stratum]) -> Meeting:
    """Cut the records to the days on which both served, or say that they hardly did.

    Side by side: a week of such days with enough requests, or at least half of the candidate's
    requests came on them. Otherwise before / after: the nearest days of both.
    """
    met = tuple(_met(stratum) for stratum in strata)
    shared = {day.number for stratum in met for day in stratum.candidate.days}
    inside = _requests(met)
    every = sum(stratum.candidate.n for stratum in strata)
    week = len(shared) >= LEAST_DAYS and min(inside) >= FLOOR
    if not any(stratum.current.n for stratum in strata) or not every:
        return Meeting(basis=Basis.SIDE_BY_SIDE, strata=met, shared_days=0)
    if week or (shared and 2 * inside[1] >= every):
        return Meeting(
            basis=Basis.SIDE_BY_SIDE,
            strata=met,
            shared_days=len(shared),
            afterwards=_afterwards(strata, last=max(shared)),
        )
    return Meeting(basis=Basis.BEFORE_AFTER, strata=_nearest(strata), shared_days=len(shared))


def cut_like(strata: Sequence[Stratum], *, basis: Basis) -> tuple[Stratum, ...]:
    """Cut a part's records as the whole's were."""
    if basis is Basis.SIDE_BY_SIDE:
        return tuple(_met(stratum) for stratum in strata)
    return _nearest(strata)


def _met(stratum: Stratum) -> Stratum:
    """Return a task's records of the days on which both served it."""
    both = {day.number for day in stratum.current.days if day.n} & {
        day.number for day in stratum.candidate.days if day.n
    }
    return replace(
        stratum,
        current=stratum.current.on(lambda day: day.number in both),
        candidate=stratum.candidate.on(lambda day: day.number in both),
    )


def _nearest(strata: Sequence[Stratum]) -> tuple[Stratum, ...]:
    """Return the current version's last days and the candidate's first ones after them.

    Of the candidate the days from its first on; of the current version those up to its last.
    """
    last = max((day.number for s in strata for day in s.current.days), default=0)
    first = min((day.number for s in strata for day in s.candidate.days), default=0)
    return tuple(
        replace(
            stratum,
            current=stratum.current.on(lambda day: day.number > last - NEAR),
            candidate=stratum.candidate.on(lambda day: day.number < first + NEAR),
        )
        for stratum in strata
    )


def _afterwards(strata: Sequence[Stratum], *, last: int) -> tuple[Stratum, ...]:
    """Return the candidate's days after the last shared one; none where the current serves on."""
    cut = tuple(
        replace(
            stratum,
            current=stratum.current.on(lambda day: last - NEAR < day.number <= last),
            candidate=stratum.candidate.on(lambda day: last < day.number <= last + NEAR),
        )
        for stratum in strata
    )
    goes_on = any(day.number > last for s in strata for day in s.current.days if day.n)
    return () if goes_on or min(_requests(cut)) < FLOOR else cut


def _requests(strata: Sequence[Stratum]) -> tuple[int, int]:
    return (
        sum(stratum.current.n for stratum in strata),
        sum(stratum.candidate.n for stratum in strata),
    )
