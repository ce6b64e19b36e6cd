"""After how many samples each method calls a better version better, and how often an equal one.

python -m benchmarks.stopping [--runs 60]

The same data for all, a look a day, 20 samples a side a day for 60 days: ours, a Welch test at 5 %
at each look, an mSPRT tuned to a rise of 0.1 (Johari et al. 2017), and GrowthBook's sequential test
where ``gbstats`` is installed: in an environment of its own
(python -m venv --system-site-packages var/gb && var/gb/bin/pip install gbstats), since it is no
dependency of Hotswap.
"""

import argparse
import math
import statistics
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from versioning.domain.signals import QUALITY
from versioning.domain.statistics.contrast import difference
from versioning.domain.statistics.inputs import WEIGHTS, Arm, Basis, Day, Stratum
from versioning.domain.statistics.intervals import ALPHA, LEAST_DAYS
from versioning.domain.statistics.summaries import Moments
from versioning.domain.statistics.verdict import quality_groups

Numbers = NDArray[np.float64]
Method = Callable[[Numbers, Numbers], bool]
"""Whether scores (a row a day) of the current version and the candidate say "better"."""

SEED = 20_260_101
DAYS = 60
PER_DAY = 20
TUNED_TO = 0.1


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=60, help="runs of each world")
    runs = parser.parse_args().runs
    methods: dict[str, Method] = {"ours": _ours, "Welch, daily": _welch, "mSPRT": _msprt}
    if find_spec("gbstats"):
        methods["GrowthBook"] = _growthbook
    worlds = {
        "equal, days alike": (0.0, 0.0),
        "equal, levels wander (0.7, sd 0.05)": (0.0, 0.05),
        "+0.10": (0.10, 0.0),
        "+0.05": (0.05, 0.0),
        "+0.02": (0.02, 0.0),
    }
    print(f"{runs} runs, seed {SEED}: % called better within {DAYS} days (mean samples of both)")
    for name, (rise, spread) in worlds.items():
        rng = np.random.default_rng(SEED)
        pairs = [(_scores(rng, 0.0, spread), _scores(rng, rise, spread)) for _ in range(runs)]
        found = [f"{label} {_summary(method, pairs)}" for label, method in methods.items()]
        print(f"{name:<36} {'   '.join(found)}", flush=True)
    return 0


def _summary(method: Method, pairs: Sequence[tuple[Numbers, Numbers]]) -> str:
    stopped = [day for one, other in pairs if (day := _first(method, one, other))]
    mean = f"{statistics.fmean(stopped) * 2 * PER_DAY:.0f}" if stopped else "-"
    return f"{len(stopped) / len(pairs):4.0%} ({mean})"


def _first(method: Method, current: Numbers, candidate: Numbers) -> int | None:
    days = range(2, DAYS + 1)
    return next((day for day in days if method(current[:day], candidate[:day])), None)


def _scores(rng: np.random.Generator, rise: float, spread: float) -> Numbers:
    levels = rng.normal(size=DAYS)
    for day in range(1, DAYS):
        levels[day] = 0.7 * levels[day - 1] + math.sqrt(1 - 0.7**2) * levels[day]
    means = np.clip(0.75 + rise + spread * levels, 0.05, 0.97)[:, None]
    scores: Numbers = rng.beta(8 * means, 8 * (1 - means), (DAYS, PER_DAY))
    return scores


def _ours(current: Numbers, candidate: Numbers) -> bool:
    if len(current) < LEAST_DAYS or candidate.mean() <= current.mean():
        return False
    old, new = (
        Arm(
            days=tuple(
                Day(number=day, n=len(row), components={QUALITY: Moments.of(row.tolist())})
                for day, row in enumerate(side)
            )
        )
        for side in (current, candidate)
    )
    strata = [Stratum(task="one", current=old, candidate=new)]
    groups = quality_groups(strata, basis=Basis.SIDE_BY_SIDE, weights=WEIGHTS)
    found = difference(groups, basis=Basis.SIDE_BY_SIDE)
    return found is not None and found.estimate > found.half_width(alpha=ALPHA)


def _welch(current: Numbers, candidate: Numbers) -> bool:
    told = stats.ttest_ind(candidate.ravel(), current.ravel(), equal_var=False)
    return bool(told.pvalue < ALPHA and told.statistic > 0)


def _msprt(current: Numbers, candidate: Numbers) -> bool:
    """Mixture of normal alternatives of variance TUNED_TO^2: reject where it exceeds 1 / alpha."""
    rise = float(candidate.mean() - current.mean())
    variance = float(candidate.var(ddof=1) / candidate.size + current.var(ddof=1) / current.size)
    mixed = variance + TUNED_TO**2
    evidence = (math.log(variance / mixed) + rise**2 * TUNED_TO**2 / (variance * mixed)) / 2
    return rise > 0 and evidence > -math.log(ALPHA)


def _growthbook(current: Numbers, candidate: Numbers) -> bool:
    from gbstats.frequentist.tests import SequentialConfig, SequentialTwoSidedTTest
    from gbstats.models.statistics import SampleMeanStatistic

    sides = [
        SampleMeanStatistic(n=side.size, sum=float(side.sum()), sum_squares=float((side**2).sum()))
        for side in (current, candidate)
    ]
    config = SequentialConfig(difference_type="absolute")
    told = SequentialTwoSidedTTest(*sides, config=config).compute_result()
    return bool(told.ci[0] is not None and told.ci[0] > 0)


if __name__ == "__main__":
    sys.exit(main())
