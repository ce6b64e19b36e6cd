"""Evaluation runs: the same cases through both versions, one look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from .judgement import Judgement, Needed, Verdict, counted
from .sequence import ALPHA
from .thresholds import exact

FLOOR = 10
"""Cases below which nothing is claimed: six that all agree are the least that can reach 5 %, and
an interval resampled from fewer than ten is too narrow."""

RESAMPLES = 9_999
_SEED = 20_240_501

SIGN_FLIP = "sign-flip permutation test, bootstrap interval"
MCNEMAR = "exact McNemar test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test case: the scores (0 to 1) of each version, one per repeat, and its weight."""

    name: str
    current: tuple[float, ...]
    candidate: tuple[float, ...]
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not all(0 <= score <= 1 for score in (*self.current, *self.candidate)):
            raise ValueError(f"Case {self.name}: a score lies between 0 and 1.")
        if not 0 < self.weight < math.inf:
            raise ValueError(f"Case {self.name}: a weight is above 0.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedResult:
    """The verdict of an evaluation run; `n` counts cases that both versions have answered."""

    judgement: Judgement
    sentence: str
    method: str
    n: int
    left_out: int
    current: Decimal | None
    candidate: Decimal | None
    relative: Decimal | None
    p_value: float | None

    @property
    def verdict(self) -> Verdict:
        """Better, not worse, worse or not enough data."""
        return self.judgement.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tested:
    """What a test says of a difference."""

    method: str
    p_value: float
    low: float
    high: float


def compare_cases(
    *,
    cases: Sequence[Case],
    margin: Decimal = Decimal("0.02"),
    alpha: float = ALPHA,
) -> PairedResult:
    """Compare two versions on the same cases; for one look at a finished run.

    Repeats of a case are averaged first: the case is the unit. Cases that one version hasn't
    answered are left out and counted. Pass/fail without weights: exact McNemar; scores: sign-flip
    permutation test with a bootstrap interval. Seeded: the same cases give the same answer.
    """
    answered = [case for case in cases if case.current and case.candidate]
    left_out = len(cases) - len(answered)
    if not answered:
        return _nothing(left_out)
    total = math.fsum(case.weight for case in answered)
    means = (
        exact(math.fsum(case.weight * _mean(case.current) for case in answered) / total),
        exact(math.fsum(case.weight * _mean(case.candidate) for case in answered) / total),
    )
    tested = _test(answered, alpha=alpha)
    judgement = _judge(
        tested, n=len(answered), estimate=means[1] - means[0], margin=margin, alpha=alpha
    )
    relative = (means[1] - means[0]) / means[0] if means[0] else None
    sentence = _sentence(judgement, means=means, relative=relative, n=len(answered), alpha=alpha)
    return PairedResult(
        judgement=judgement,
        sentence=sentence + _gap(left_out),
        method=tested.method,
        n=len(answered),
        left_out=left_out,
        current=means[0],
        candidate=means[1],
        relative=relative,
        p_value=tested.p_value,
    )


def _test(cases: Sequence[Case], *, alpha: float) -> _Tested:
    scores = [(_mean(case.current), _mean(case.candidate)) for case in cases]
    equal_weights = len({case.weight for case in cases}) == 1
    if equal_weights and all(score in (0.0, 1.0) for pair in scores for score in pair):
        won = sum(candidate > current for current, candidate in scores)
        lost = sum(candidate < current for current, candidate in scores)
        return _mcnemar(won=won, lost=lost, n=len(cases), alpha=alpha)
    differences = [round(candidate - current, 12) for current, candidate in scores]
    return _sign_flip(differences, [case.weight for case in cases], alpha=alpha)


def _mcnemar(*, won: int, lost: int, n: int, alpha: float) -> _Tested:
    """Test the cases on which the versions differ as tosses of a fair coin.

    The interval turns the exact (Clopper-Pearson) interval of the share won among them into
    points with the share of such cases, taken at the end of its own interval that lies farther
    out on the losing side and nearer on the winning one: its sign agrees with the test.
    """
    from scipy.stats import binomtest

    differing = won + lost
    rate = binomtest(differing, n).proportion_ci(confidence_level=1 - alpha)
    low, high = 0.0, 1.0
    p_value = 1.0
    if differing:
        coin = binomtest(won, differing)
        low, high = coin.proportion_ci(confidence_level=1 - alpha)
        p_value = float(coin.pvalue)
    lean_low, lean_high = 2 * low - 1, 2 * high - 1
    return _Tested(
        method=MCNEMAR,
        p_value=p_value,
        low=float(lean_low * (rate.high if lean_low < 0 else rate.low)),
        high=float(lean_high * (rate.high if lean_high > 0 else rate.low)),
    )


def _sign_flip(differences: Sequence[float], weights: Sequence[float], *, alpha: float) -> _Tested:
    """Test whether the signs of the weighted differences could be chance.

    The interval resamples cases (with their weights). It is at least as wide as cases not seen
    could make it: with n cases, a share 1 - (alpha / 2)^(1 / n) of others may have been missed.
    """
    import numpy as np
    from scipy.stats import bootstrap, permutation_test

    size = np.asarray(weights)
    weighted = np.asarray(differences) * size
    estimate = float(weighted.sum() / size.sum())
    unseen = 1 - (alpha / 2) ** (1 / len(differences))
    if len(set(differences)) == 1:
        half = unseen
        low, high = estimate - half, estimate + half
    else:
        found = bootstrap(
            (weighted, size),
            lambda value, weight, axis: value.sum(axis=axis) / weight.sum(axis=axis),
            paired=True,
            vectorized=True,
            n_resamples=RESAMPLES,
            confidence_level=1 - alpha,
            rng=np.random.default_rng(_SEED),
        ).confidence_interval
        half = unseen * max(map(abs, differences))
        low = min(float(found.low), estimate - half)
        high = max(float(found.high), estimate + half)
    flips = permutation_test(
        (weighted, np.zeros_like(weighted)),
        lambda one, other, axis: (one - other).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(_SEED),
    )
    return _Tested(
        method=SIGN_FLIP,
        p_value=float(flips.pvalue),
        low=max(-1.0, low),
        high=min(1.0, high),
    )


def _judge(
    tested: _Tested, *, n: int, estimate: Decimal, margin: Decimal, alpha: float
) -> Judgement:
    verdict = Verdict.NOT_ENOUGH_DATA
    if n >= FLOOR:
        verdict = _verdict(tested, margin=margin, alpha=alpha)
    needed = None
    if verdict is Verdict.NOT_ENOUGH_DATA:
        needed = _needed(tested, n=n, estimate=float(estimate), margin=float(margin))
    return Judgement(
        verdict=verdict,
        estimate=float(estimate),
        low=tested.low,
        high=tested.high,
        needed=needed,
    )


def _verdict(tested: _Tested, *, margin: Decimal, alpha: float) -> Verdict:
    if tested.p_value < alpha and tested.low > 0:
        return Verdict.BETTER
    if tested.p_value < alpha and tested.high < 0:
        return Verdict.WORSE
    if exact(tested.low) > -margin:
        return Verdict.NOT_WORSE
    return Verdict.NOT_ENOUGH_DATA


def _needed(tested: _Tested, *, n: int, estimate: float, margin: float) -> Needed:
    """Widths shrink with the square root of the number of cases."""
    goal = max(abs(estimate), estimate + margin)
    if goal <= 0:
        return Needed(samples=None)
    half = max(tested.high - estimate, estimate - tested.low)
    return Needed(samples=max(1, FLOOR - n, math.ceil(n * ((half / goal) ** 2 - 1))))


def _sentence(
    judgement: Judgement,
    *,
    means: tuple[Decimal, Decimal],
    relative: Decimal | None,
    n: int,
    alpha: float,
) -> str:
    rise = "" if relative is None else f", {relative * 100:+.1f} %"
    more = ""
    if judgement.needed is not None:
        more = (
            ": no realistic number of cases would settle it"
            if judgement.needed.samples is None
            else f": about {counted(judgement.needed.samples, 'more case')}"
        )
    return (
        f"score {means[0]:.2f} -> {means[1]:.2f}{rise} ({(1 - alpha) * 100:.3g} % interval "
        f"{judgement.low:+.2f} to {judgement.high:+.2f}), the same {counted(n, 'case')}; "
        f"{judgement.verdict.words}{more}"
    )


def _gap(left_out: int) -> str:
    if not left_out:
        return ""
    return f"; {counted(left_out, 'case')} without answers of both left out"


def _nothing(left_out: int) -> PairedResult:
    return PairedResult(
        judgement=Judgement(verdict=Verdict.NOT_ENOUGH_DATA, needed=Needed(samples=FLOOR)),
        sentence=f"no case has answers of both versions: at least {FLOOR} are needed"
        + _gap(left_out),
        method=SIGN_FLIP,
        n=0,
        left_out=left_out,
        current=None,
        candidate=None,
        relative=None,
        p_value=None,
    )


def _mean(scores: Sequence[float]) -> float:
    return math.fsum(scores) / len(scores)
