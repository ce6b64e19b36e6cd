"""Are both versions' requests the same kind of requests, split as was meant?"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from .inputs import PARTS, Day, Split, Stratum

MISMATCH_RISK = 0.001
"""Risk of a false alarm on a right split, over all looks."""

CLUSTERED = 2.0
"""Times the odds of getting the new version that requests may differ by chance of their keys."""

SHIFT = 0.1
"""Share of requests that would have to change task before a shift is worth a warning."""

SURE = 5.0
"""Standard deviations that a count must be off by: at a hundred looks, and of requests that come
in bursts."""

# The prior's weight, in requests: Beta(50, 50) for an even split looks for another share within
# five points or so (its standard deviation) of the meant one.
_PRIOR = 100.0


def split_is_off(split: Split) -> bool:
    """Return whether the split contradicts the one that was meant, safe at every look.

    The Bayes factor of "another share" (a Beta prior about the expected one) against the expected
    share exceeds 1 / risk with at most that risk, ever (Ville). Source: Lindon & Malek,
    "Anytime-valid inference for multinomial count data", NeurIPS 2022. That counts requests, but
    keys are assigned, and one key may send many: so the odds must be off by a factor of two as
    well (Fabijan et al., "Diagnosing sample ratio mismatch", KDD 2019: test the assigned unit).
    """
    share = float(split.expected_share)
    times = split.candidate * (1 - share), split.current * share
    if max(times) < CLUSTERED * min(times):
        return False
    a, b = _PRIOR * share, _PRIOR * (1 - share)
    evidence = (
        _log_beta(a + split.candidate, b + split.current)
        - _log_beta(a, b)
        - split.candidate * math.log(share)
        - split.current * math.log1p(-share)
    )
    return evidence > -math.log(MISMATCH_RISK)


def mix_distance(strata: Sequence[Stratum]) -> float:
    """Return the share of the candidate's requests that lie on other tasks than the current's.

    Total variation distance of the two mixes, 0 to 1; 0 when a side has no requests.
    """
    current = sum(stratum.current.n for stratum in strata)
    candidate = sum(stratum.candidate.n for stratum in strata)
    if not current or not candidate:
        return 0.0
    return sum(abs(s.current.n / current - s.candidate.n / candidate) for s in strata) / 2


def mix_has_shifted(strata: Sequence[Stratum]) -> bool:
    """Return whether the mixes differ by a tenth, and by more than chance.

    Chance: chi-square of homogeneity more than four standard deviations above its mean.
    """
    served = [s for s in strata if s.current.n + s.candidate.n]
    if mix_distance(served) < SHIFT:
        return False
    current = sum(stratum.current.n for stratum in served)
    candidate = sum(stratum.candidate.n for stratum in served)
    # For two rows chi-square is the sum of (a/A - b/B)^2 / (a + b), times A B.
    chi_square = (
        sum(
            (s.current.n / current - s.candidate.n / candidate) ** 2 / (s.current.n + s.candidate.n)
            for s in served
        )
        * current
        * candidate
    )
    freedom = len(served) - 1
    return chi_square > freedom + 4 * math.sqrt(2 * freedom)


def other_hours(strata: Sequence[Stratum]) -> float:
    """Return which share of the candidate's requests came at other hours than the current's.

    Hours are compared day by day, in parts of a day, where both sides know them: so a candidate
    that gets more on some days than on others is no other mix. 0 where chance explains it.
    """

    def hours(day: Day) -> Mapping[int, int]:
        return day.hours

    return _moved(strata, kinds=range(PARTS), counts=hours)


def other_tags(strata: Sequence[Stratum], *, slices: Mapping[str, Sequence[Stratum]]) -> float:
    """Return by which share of requests a declared tag is commoner, or rarer, at the candidate.

    The largest of all values of all tags; day by day as in `other_hours`. 0 where chance explains
    it.
    """
    wholes = _days_of(strata)
    found = [0.0]
    for part in slices.values():
        tagged = _days_of(part)
        both = {
            number: tuple(
                {0: inside, 1: max(0, whole - inside)}
                for inside, whole in zip(tagged.get(number, (0, 0)), wholes[number], strict=True)
            )
            for number in wholes
        }
        found.append(_distance([(one[0], one[1]) for one in both.values()], kinds=(0, 1)))
    return max(found)


def _moved(
    strata: Sequence[Stratum],
    *,
    kinds: Sequence[int],
    counts: Callable[[Day], Mapping[int, int]],
) -> float:
    sides: defaultdict[int, tuple[dict[int, int], dict[int, int]]] = defaultdict(lambda: ({}, {}))
    for stratum in strata:
        for side, arm in enumerate((stratum.current, stratum.candidate)):
            for day in arm.days:
                into = sides[day.number][side]
                for kind, count in counts(day).items():
                    into[kind] = into.get(kind, 0) + count
    return _distance(list(sides.values()), kinds=kinds)


def _distance(
    days: Sequence[tuple[Mapping[int, int], Mapping[int, int]]], *, kinds: Sequence[int]
) -> float:
    """Return the total variation of the candidate's counts from those that the current's foretell.

    What is foretold of a day is the candidate's total in the current's shares. 0 below `SHIFT`,
    and unless one kind is `SURE` standard deviations off.
    """
    told = dict.fromkeys(kinds, 0.0)
    variance = dict.fromkeys(kinds, 0.0)
    got = dict.fromkeys(kinds, 0)
    for current, candidate in days:
        before, after = sum(current.values()), sum(candidate.values())
        if not before or not after:
            continue
        for kind in kinds:
            share = current.get(kind, 0) / before
            # With one more request of each kind, lest a kind not met yet have no spread.
            spread = (current.get(kind, 0) + 1) / (before + len(kinds))
            told[kind] += after * share
            variance[kind] += after * spread * (1 - spread) * (1 + after / before)
            got[kind] += candidate.get(kind, 0)
    total = sum(got.values())
    if not total:
        return 0.0
    apart = sum(abs(got[kind] - told[kind]) for kind in kinds) / 2 / total
    surely = any(abs(got[kind] - told[kind]) > SURE * math.sqrt(variance[kind]) for kind in kinds)
    return apart if apart >= SHIFT and surely else 0.0


def _days_of(strata: Sequence[Stratum]) -> dict[int, tuple[int, int]]:
    """Return both sides' requests of each day that both have."""
    found: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for stratum in strata:
        for side, arm in enumerate((stratum.current, stratum.candidate)):
            for day in arm.days:
                found[day.number][side] += day.n
    return {number: (before, after) for number, (before, after) in found.items()}


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
