"""Evaluation runs: the same cases through both versions, one look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from .figures import change, counted, exact
from .intervals import ALPHA
from .noninferiority import RISK, p_not_worse, score_interval
from .verdict import Judgement, Needed, Verdict

if TYPE_CHECKING:
    from .noninferiority import Floats

LEAST_CASES = 10
"""Cases below which nothing is claimed: six that all agree are the least that can reach 5 %."""

# With the one seen they make 10,000, so that p is a multiple of 1e-4 and never 0 (Phipson & Smyth,
# "Permutation p-values should never be zero", 2010). The seed is fixed: the same answers get the
# same verdict, today and when somebody checks.
RESAMPLES = 9_999
_SEED = 20_240_501

_FEW = Needed(because=f"at least {LEAST_CASES} cases that both answer come first")
_NEVER = Needed(because="no realistic number of cases would settle it")
_ENDS = 1.96
"""Standard errors from the estimate to an end of its interval."""

METHOD_VERSION = "1"
"""Raised whenever the same answers may get another verdict; stored with each run."""

SIGN_FLIP = "sign-flip permutation test, interval with one case more that is lost"
MCNEMAR = "exact McNemar test, exact test of not worse"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseScores:
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
    """The verdict of an evaluation run; `n` counts cases that both versions have answered.

    `spread` is the root mean square of the cases' differences: for pass/fail the root of the share
    of cases that came out differently.
    """

    judgement: Judgement
    sentence: str
    method: str
    n: int
    left_out: int
    current: Decimal | None
    candidate: Decimal | None
    relative: Decimal | None
    p_value: float | None
    spread: float | None

    @property
    def verdict(self) -> Verdict:
        """Better, not worse, worse or not enough data."""
        return self.judgement.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tested:
    """What a test says of a difference. `p_not_worse`: how likely a version that is worse by the
    margin does at least so well."""

    method: str
    p_value: float
    p_not_worse: float
    low: float
    high: float


def compare_cases(
    *,
    cases: Sequence[CaseScores],
    margin: Decimal = Decimal("0.02"),
    alpha: float = ALPHA,
) -> PairedResult:
    """Compare two versions on the same cases; for one look at a finished run.

    Repeats of a case are averaged first: the case is the unit. Cases that one version hasn't
    answered are left out and counted. Pass/fail without weights: exact
    McNemar test, and an exact test of "not worse by the margin"; scores: sign-flip permutation
    test, and an interval that reckons with a lost case nobody has seen yet. A version that is worse
    by the margin is called not worse in 5 % of runs at most. Seeded: the same cases give the same
    answer.
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
    tested = _test(answered, margin=float(margin), alpha=alpha)
    judgement = _judge(
        tested, n=len(answered), estimate=means[1] - means[0], margin=margin, alpha=alpha
    )
    relative = (means[1] - means[0]) / means[0] if means[0] else None
    sentence = _sentence(
        judgement,
        tested=tested,
        means=means,
        relative=relative,
        n=len(answered),
        margin=margin,
        alpha=alpha,
    )
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
        spread=_spread(answered),
    )


def _spread(cases: Sequence[CaseScores]) -> float:
    """Return the root mean square of the cases' differences."""
    squares = math.fsum((_mean(case.candidate) - _mean(case.current)) ** 2 for case in cases)
    return math.sqrt(squares / len(cases))


def _test(cases: Sequence[CaseScores], *, margin: float, alpha: float) -> _Tested:
    scores = [(_mean(case.current), _mean(case.candidate)) for case in cases]
    equal_weights = len({case.weight for case in cases}) == 1
    if equal_weights and all(score in (0.0, 1.0) for pair in scores for score in pair):
        won = sum(candidate > current for current, candidate in scores)
        lost = sum(candidate < current for current, candidate in scores)
        return _mcnemar(won=won, lost=lost, n=len(cases), margin=margin, alpha=alpha)
    return _sign_flip(scores, [case.weight for case in cases], margin=margin, alpha=alpha)


def _mcnemar(*, won: int, lost: int, n: int, margin: float, alpha: float) -> _Tested:
    """Test the cases on which the versions differ as tosses of a fair coin.

    The interval holds every difference that the score test (Tango 1998) doesn't reject; where the
    exact test sees no difference, it reaches over 0: its sign agrees with the test.
    """
    from scipy.stats import binomtest

    p_value = float(binomtest(won, won + lost).pvalue) if won + lost else 1.0
    low, high = score_interval(won=won, lost=lost, n=n, alpha=alpha)
    if p_value >= alpha:
        low, high = min(low, 0.0), max(high, 0.0)
    return _Tested(
        method=MCNEMAR,
        p_value=p_value,
        p_not_worse=p_not_worse(won=won, lost=lost, n=n, margin=margin),
        low=low,
        high=high,
    )


def _sign_flip(
    scores: Sequence[tuple[float, float]],
    weights: Sequence[float],
    *,
    margin: float,
    alpha: float,
) -> _Tested:
    """Test whether the signs of the weighted differences could be chance.

    Each end of the interval is Student's, with one case more that nobody has seen yet: lost as
    far as a case can be at the lower end, won at the upper. So rare disasters are reckoned with:
    without a difference among n cases about 3 / n stays possible, as for a share (the rule of
    three). It is as wide for "not worse" (5 % instead of 2.5 would do where nothing is rare).
    """
    if len(scores) < 2:
        # One case has no spread: it says nothing of others.
        return _Tested(method=SIGN_FLIP, p_value=1.0, p_not_worse=1.0, low=-1.0, high=1.0)
    import numpy as np
    from scipy.stats import permutation_test

    pairs = np.asarray(scores)
    size = np.asarray(weights) / np.mean(weights)
    differences = np.round(pairs[:, 1] - pairs[:, 0], 12)
    low = _end(differences, size, unseen=-float(pairs[:, 0].max()), alpha=alpha)
    high = _end(differences, size, unseen=1 - float(pairs[:, 0].min()), alpha=alpha)
    flips = permutation_test(
        (differences * size, np.zeros_like(size)),
        lambda one, other, axis: (one - other).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(_SEED),
    )
    return _Tested(
        method=SIGN_FLIP,
        p_value=float(flips.pvalue),
        p_not_worse=0.0 if exact(low) > -exact(margin) else 1.0,
        low=max(-1.0, low),
        high=min(1.0, high),
    )


def _end(differences: Floats, weights: Floats, *, unseen: float, alpha: float) -> float:
    """Return the end of Student's interval on the side of a case that was not seen."""
    import numpy as np
    from scipy.stats import t

    # Of the weight that a case has where weights fall together: a heavy one may be it.
    values = np.append(differences, unseen)
    size = np.append(weights, float((weights**2).sum() / weights.sum()))
    total = float(size.sum())
    mean = float((size * values).sum()) / total
    worth = total**2 / float((size**2).sum())
    variance = float((size**2 * (values - mean) ** 2).sum()) / total**2 * worth / (worth - 1)
    reach = float(t.ppf(1 - alpha / 2, worth - 1)) * math.sqrt(variance)
    return mean + math.copysign(reach, unseen) if unseen else mean


def _judge(
    tested: _Tested, *, n: int, estimate: Decimal, margin: Decimal, alpha: float
) -> Judgement:
    verdict = Verdict.NOT_ENOUGH_DATA
    if n >= LEAST_CASES:
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
    if tested.p_not_worse <= RISK:
        return Verdict.NOT_WORSE
    return Verdict.NOT_ENOUGH_DATA


def _needed(tested: _Tested, *, n: int, estimate: float, margin: float) -> Needed:
    """Say how many more cases would do: widths shrink with the square root of their number.

    For true differences within half a standard error of the estimate.
    """
    if n < LEAST_CASES:
        return _FEW
    half = max(tested.high - estimate, estimate - tested.low)
    error = half / _ENDS / 2
    truths = (estimate - error, estimate, estimate + error)
    goals = [max(abs(truth), truth + margin) for truth in truths]
    if goals[1] <= 0:
        return _NEVER
    least, most = (
        math.ceil(n * ((half / goal) ** 2 - 1)) if goal > 0 else None
        for goal in (max(goals), min(goals))
    )
    return Needed(samples=max(1, least or 1), most_samples=None if most is None else max(1, most))


def _sentence(
    judgement: Judgement,
    *,
    tested: _Tested,
    means: tuple[Decimal, Decimal],
    relative: Decimal | None,
    n: int,
    margin: Decimal,
    alpha: float,
) -> str:
    changed = change(
        before=float(means[0]),
        after=float(means[1]),
        low=tested.low,
        high=tested.high,
        alpha=alpha,
        relative=None if relative is None else float(relative),
    )
    more = "" if judgement.needed is None else f": {judgement.needed.of('cases')}"
    return (
        f"score {changed}, the same {counted(n, 'case')}; "
        f"{judgement.verdict.words}{_by(judgement, margin=margin)}{more}"
    )


def _by(judgement: Judgement, *, margin: Decimal) -> str:
    return f" by more than {margin.normalize():f}" if judgement.verdict is Verdict.NOT_WORSE else ""


def _gap(left_out: int) -> str:
    if not left_out:
        return ""
    return f"; {counted(left_out, 'case')} without answers of both left out"


def _nothing(left_out: int) -> PairedResult:
    return PairedResult(
        judgement=Judgement(verdict=Verdict.NOT_ENOUGH_DATA, needed=_FEW),
        sentence=f"no case has answers of both versions: at least {LEAST_CASES} are needed"
        + _gap(left_out),
        method=SIGN_FLIP,
        n=0,
        left_out=left_out,
        current=None,
        candidate=None,
        relative=None,
        p_value=None,
        spread=None,
    )


def _mean(scores: Sequence[float]) -> float:
    return math.fsum(scores) / len(scores)
