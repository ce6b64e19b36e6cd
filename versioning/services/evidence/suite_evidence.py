"""The second leg of evidence: what finished runs of test suites said of the same two versions."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from msgspec import structs

from versioning.domain.evidence import Evidence, KeptTest, read_run
from versioning.domain.statistics.decision import Decision, Leg, SuiteResult, weigh
from versioning.domain.statistics.verdict import Verdict
from versioning.models import EvaluationRun, ModelVersion

_PASSES: Mapping[str, bool] = {
    Verdict.BETTER: True,
    Verdict.NOT_WORSE: True,
    Verdict.WORSE: False,
}


@dataclass(frozen=True, slots=True)
class TestedSuite:
    """One suite's latest finished run of the pair, and what it says in the terms of evidence."""

    run: EvaluationRun
    says: SuiteResult

    def kept(self) -> KeptTest:
        """Return it as evidence keeps it."""
        result = read_run(self.run.result)
        return KeptTest(
            run=self.run.pk,
            suite=self.says.suite,
            verdict=self.says.verdict.value,
            passes=self.says.passes,
            sentence=self.run.sentence,
            cases=result.cases,
            current=result.current,
            candidate=result.candidate,
            ended_at=self.run.ended_at.isoformat() if self.run.ended_at else None,
        )


def latest_tests(*, from_version: ModelVersion, to_version: ModelVersion) -> list[TestedSuite]:
    """Return the latest finished run of each suite over exactly this pair, by the suites' names."""
    pair = (from_version.pk, to_version.pk)
    return latest_tests_of([pair])[pair]


def latest_tests_of(pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], list[TestedSuite]]:
    """Return the latest tests of pairs of versions, as ``latest_tests``, in one query for all."""
    runs = EvaluationRun.objects.filter(
        from_version__in={from_id for from_id, _ in pairs},
        to_version__in={to_id for _, to_id in pairs},
        state=EvaluationRun.State.DONE,
    ).select_related("frozen__suite")
    latest: defaultdict[tuple[int, int], dict[str, EvaluationRun]] = defaultdict(dict)
    for run in runs.order_by("pk"):
        latest[run.from_version_id, run.to_version_id][run.frozen.suite.name] = run
    return {
        pair: [
            TestedSuite(run=run, says=_said(name, run))
            for name, run in sorted(latest.get(pair, {}).items())
        ]
        for pair in pairs
    }


def with_tests(
    shown: Evidence,
    *,
    tests: Sequence[TestedSuite],
    tests_alone: bool = False,
    least: Decimal = Decimal(0),
) -> Evidence:
    """Return the evidence of live samples with what the tests say of the same pair.

    It names the runs (``tests``), what the verdict rests on (``rests_on``) and which leg is
    missing (``missing``); see ``domain.statistics.decision`` for how they are weighed.
    """
    weighed = weigh(
        live=Verdict(shown.verdict),
        decision=Decision(shown.decision),
        tests=[each.says for each in tests],
        tests_alone=tests_alone,
        least=least,
    )
    stands_alone = weighed.rests_on == (Leg.TESTS,)
    sentence = _sentence(shown.sentence, tests, tests_first=stands_alone)
    reasons = [*weighed.reasons, *shown.reasons]
    why = f" ({reasons[0]})" if reasons else ""
    return structs.replace(
        shown,
        verdict=weighed.verdict.value,
        decision=weighed.decision.value,
        improvement=weighed.improvement if stands_alone else shown.improvement,
        reasons=tuple(reasons),
        sentence=sentence,
        headline=f"{weighed.decision.value}{why}: {sentence}",
        tests=tuple(each.kept() for each in tests),
        rests_on=tuple(leg.value for leg in weighed.rests_on),
        missing=tuple(leg.value for leg in weighed.missing),
    )


def _said(suite: str, run: EvaluationRun) -> SuiteResult:
    verdict, result = Verdict(run.verdict), read_run(run.result)
    ruled = {"passes": True, "fails": False}.get(run.ruling)
    return SuiteResult(
        suite=suite,
        verdict=verdict,
        passes=_PASSES.get(verdict, ruled),
        improvement=_improvement(result.current, result.candidate),
    )


def _improvement(current: float | None, candidate: float | None) -> Decimal | None:
    if current is None or candidate is None or not current:
        return None
    return round(Decimal(str(candidate)) / Decimal(str(current)) - 1, 9)


def _sentence(live: str, tests: Sequence[TestedSuite], *, tests_first: bool) -> str:
    """Say what both legs say, first the one that it rests on."""
    if not tests:
        return live
    told = "; ".join(f"{each.says.suite}: {each.run.sentence}" for each in tests)
    if tests_first:
        return f"Tests alone: {told}. Live samples: {live}"
    return f"{live}. Tests: {told}"
