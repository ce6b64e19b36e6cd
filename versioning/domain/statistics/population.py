"""Are the two versions' requests the same kind of requests, split as was meant?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .evidence import Stratum
from .thresholds import Split

MISMATCH_RISK = 0.001
"""Risk of a false alarm on a right split, over all looks."""

CLUSTERED = 2.0
"""Times the odds of getting the new version that requests may differ by chance of their keys."""

SHIFT = 0.1
"""Share of requests that would have to change task before a shift is worth a warning."""

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


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
