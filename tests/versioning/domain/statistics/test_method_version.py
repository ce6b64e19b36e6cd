"""Evidence keeps the version of its method: where verdicts change, so must the version."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from versioning.domain.statistics import comparison, paired
from versioning.domain.statistics.cautions import DOUBTS
from versioning.domain.statistics.comparison import compare
from versioning.domain.statistics.inputs import Arm, Day, Stratum, Thresholds
from versioning.domain.statistics.paired import CaseScores, compare_cases
from versioning.domain.statistics.summaries import Moments, Sketch

SAID = Path(__file__).with_name("said_by_method.json")
"""What each method said of the worlds below, with its version. After a change that is meant: raise
the version (`METHOD_VERSION` of `comparison`, or of `paired`) and write down what is said now."""


THUMBS = ((0.0, 0.0), (0.0, 0.0), (0.3, 0.3), (0.3, 0.1))
"""Shares of requests with feedback, current and candidate."""


def live() -> Iterator[str]:
    """Yield what is said of versions as good, a little and far off in each of four figures."""
    for number, (quality, errors, slow, dear) in enumerate(
        itertools.product((-0.1, -0.015, 0.0, 0.05), (0.01, 0.02, 0.05), (1.0, 1.3), (1.0, 1.3))
    ):
        rng = np.random.default_rng(number)
        sides = [
            Arm(
                days=tuple(
                    _day(rng, day, level=level, errors=rate, slow=late, dear=price, share=share)
                    for day in range(24)
                )
            )
            for level, rate, late, price, share in (
                (0.75, 0.01, 1.0, 1.0, THUMBS[number % 4][0]),
                (0.75 + quality, errors, slow, dear, THUMBS[number % 4][1]),
            )
        ]
        for days in (4, 9, 24):
            current, candidate = (arm.on(lambda day, d=days: day.number < d) for arm in sides)
            strata = [Stratum(task="one", current=current, candidate=candidate)]
            found = compare(strata=strata, thresholds=Thresholds())
            gates = ",".join(gate.status.value for gate in found.gates)
            doubts = ",".join(one.code.value for one in found.warnings if one.code in DOUBTS)
            yield f"{found.verdict.value} {found.decision.value} {gates} {doubts}".rstrip()


def _day(
    rng: np.random.Generator,
    number: int,
    *,
    level: float,
    errors: float,
    slow: float,
    dear: float,
    share: float,
) -> Day:
    n = 200
    scores = np.clip(rng.normal(level, 0.1, n), 0, 1)
    failed = int(rng.binomial(n, errors))
    thumbs = rng.random(int(rng.binomial(n, share))) < 0.7
    return Day(
        number=number,
        n=n,
        errors=failed,
        components={"quality": Moments.of(scores.tolist())}
        | ({"user_feedback": Moments.of(thumbs.astype(float).tolist())} if share else {}),
        cost=Moments.of((dear * rng.lognormal(-6, 0.5, n)).tolist()),
        latency=Sketch.of(slow * rng.lognormal(6.5, 0.4, n - failed)),
    )


def runs() -> Iterator[str]:
    """Yield what is said of runs of few and many cases, graded and not."""
    for n, shift, graded in itertools.product((1, 12, 100, 400), (-0.1, 0.0, 0.1), (True, False)):
        rng = np.random.default_rng(n)
        old = rng.uniform(0.3, 0.7, n)
        new = np.clip(old + shift + rng.normal(0, 0.05, n), 0, 1)
        both = (old, new) if graded else (old < 0.5, new < 0.5)
        pairs = zip(*(side.astype(float).tolist() for side in both), strict=True)
        cases = [
            CaseScores(name=str(name), current=(one,), candidate=(other,))
            for name, (one, other) in enumerate(pairs)
        ]
        yield compare_cases(cases=cases).verdict.value


def test_where_another_thing_is_said_the_version_is_another() -> None:
    kept = json.loads(SAID.read_text())
    now = {
        "live": {"version": comparison.METHOD_VERSION, "said": list(live())},
        "runs": {"version": paired.METHOD_VERSION, "said": list(runs())},
    }
    assert now == kept, "verdicts changed: raise the method's version, then keep what is said now"
