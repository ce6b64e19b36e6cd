"""All that was ever measured of an upgrade, layer by layer: each dated, none over another.

What waited for a decision, the tests of its two versions, the looks at its canary and its watch,
and the reports afterwards.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q

from versioning.domain.evidence import Evidence, RunResult, read, read_run
from versioning.domain.statistics.figures import counted
from versioning.models import EvaluationRun, Look, OutcomeReport, UpgradeRecord, UpgradeStep


class LayerKind(StrEnum):
    """Where a layer comes from; of the same moment the later kind is the newer one."""

    STEP = "step"
    TESTS = "tests"
    LOOK = "look"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLayer:
    """A layer that can be read: which row it is, and when it was measured."""

    at: datetime
    kind: LayerKind
    id: int

    @property
    def rank(self) -> int:
        """Where its kind stands among those of one moment."""
        return list(LayerKind).index(self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What was measured at a moment, and what it led to.

    ``evidence`` is None for tests, whose ``run`` has its own result. ``at_the_latest`` is True
    where only a later moment is known: a step keeps what was measured before it.
    """

    found: FoundLayer
    title: str
    outcome: str
    says: str
    evidence: Evidence | None = None
    evidence_hash: str = ""
    run: EvaluationRun | None = None
    result: RunResult | None = None
    position: int | None = None
    samples: int | None = None
    at_the_latest: bool = False

    @property
    def counts(self) -> tuple[int, int] | None:
        """How many scores of the earlier and of the new version it rests on; None for tests."""
        if self.evidence is None:
            return None
        return self.evidence.quality.n_current, self.evidence.quality.n_candidate


def find(*, record: UpgradeRecord) -> list[FoundLayer]:
    """Find all layers of an upgrade, the newest first; five queries, little evidence is read.

    Tests are those of its two versions since it was recommended, and those that it rests on.
    """
    looks = list(record.looks.values_list("at", "pk", "evidence_hash"))
    seen = {digest for _, _, digest in looks}
    found = [FoundLayer(at=at, kind=LayerKind.LOOK, id=pk) for at, pk, _ in looks]
    steps = record.steps.exclude(evidence_hash="").order_by("at", "pk")
    for at, pk, digest in steps.values_list("at", "pk", "evidence_hash"):
        # A step that keeps what a layer shows already is the decision on it, no measurement.
        if digest not in seen:
            seen.add(digest)
            found.append(FoundLayer(at=at, kind=LayerKind.STEP, id=pk))
    runs = EvaluationRun.objects.filter(
        Q(ended_at__gte=record.recommended_at) | Q(record=record) | Q(pk__in=_rests_on(record)),
        from_version=record.from_version_id,
        to_version=record.to_version_id,
        state=EvaluationRun.State.DONE,
    ).exclude(ended_at=None)
    found += [
        FoundLayer(at=at, kind=LayerKind.TESTS, id=pk)
        for at, pk in runs.values_list("ended_at", "pk")
        if at is not None
    ]
    reports = record.outcome_reports.values_list("made_at", "pk")
    found += [FoundLayer(at=at, kind=LayerKind.REPORT, id=pk) for at, pk in reports]
    return sorted(found, key=lambda each: (each.at, each.rank, each.id), reverse=True)


def _rests_on(record: UpgradeRecord) -> set[int]:
    """Return the runs that a record's evidence names, as it was at first and as it is now."""
    first = record.steps.order_by("at", "pk").values_list("evidence", flat=True).first()
    return {test.run for kept in (first, record.evidence) for test in read(kept or {}).tests or ()}


def read_layers(found: Sequence[FoundLayer]) -> list[Layer]:
    """Read some of what was found, in the same order; four queries for any number."""
    ids = {kind: [each.id for each in found if each.kind is kind] for kind in LayerKind}
    steps = UpgradeStep.objects.select_related("record").in_bulk(ids[LayerKind.STEP])
    looks = Look.objects.in_bulk(ids[LayerKind.LOOK])
    runs = EvaluationRun.objects.with_names().in_bulk(ids[LayerKind.TESTS])
    reports = OutcomeReport.objects.in_bulk(ids[LayerKind.REPORT])
    of_kind: Mapping[LayerKind, Callable[[FoundLayer], Layer]] = {
        LayerKind.STEP: lambda each: _of_step(each, steps[each.id]),
        LayerKind.LOOK: lambda each: _of_look(each, looks[each.id]),
        LayerKind.TESTS: lambda each: _of_run(each, runs[each.id]),
        LayerKind.REPORT: lambda each: _of_report(each, reports[each.id]),
    }
    return [of_kind[each.kind](each) for each in found]


def _of_step(found: FoundLayer, step: UpgradeStep) -> Layer:
    return Layer(
        found=found,
        title="recommendation" if not step.before else step.get_after_display(),
        outcome="" if not step.before else step.after,
        says=step.reason,
        evidence=read(step.evidence),
        evidence_hash=step.evidence_hash,
        at_the_latest=bool(step.before),
    )


def _of_look(found: FoundLayer, look: Look) -> Layer:
    return Layer(
        found=found,
        title=look.get_stage_display(),
        outcome=look.outcome,
        says=look.says,
        evidence=read(look.evidence),
        evidence_hash=look.evidence_hash,
        position=look.position,
        samples=look.samples,
    )


def _of_run(found: FoundLayer, run: EvaluationRun) -> Layer:
    return Layer(
        found=found,
        title=f"tests: {run.frozen.suite.name}",
        outcome=run.verdict,
        says=run.sentence,
        run=run,
        result=read_run(run.result),
    )


def _of_report(found: FoundLayer, report: OutcomeReport) -> Layer:
    real = read(report.real)
    return Layer(
        found=found,
        title=f"report after {counted(report.after_days, 'day')}",
        outcome="",
        says=report.sentence,
        evidence=real,
        evidence_hash=real.digest,
    )
