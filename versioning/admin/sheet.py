"""The decision sheet of an upgrade record: its evidence as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from versioning.admin import intervals, words
from versioning.models import ModelVersion


@dataclass(frozen=True, slots=True)
class TaskRow:
    """Both versions on one task or slice."""

    name: str
    before: str
    after: str
    change: str
    scores: str
    verdict: SafeString
    needed: str


@dataclass(frozen=True, slots=True)
class GateRow:
    status: SafeString
    reason: str
    is_open: bool
    """Whether nobody can tell yet on which side of its limit it lies."""


@dataclass(frozen=True, slots=True)
class TestRow:
    """What the latest run of a suite over both versions said."""

    __test__ = False  # no test, whatever its name

    run_id: int
    suite: str
    verdict: SafeString
    sentence: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the evidence says, ready to be shown; every part may be empty."""

    decision: SafeString
    verdict: SafeString
    sentence: str
    intervals: Sequence[intervals.Row]
    reasons: Sequence[str]
    tasks: Sequence[TaskRow]
    slices: Sequence[TaskRow]
    gates: Sequence[GateRow]
    warnings: Sequence[str]
    tests: Sequence[TestRow]
    rests_on: str
    missing: str


@dataclass(frozen=True, slots=True)
class FactRow:
    """One fact of two versions side by side."""

    name: str
    before: str
    after: str

    @property
    def has_changed(self) -> bool:
        return self.before != self.after


def of_evidence(evidence: Mapping[str, Any]) -> Sheet:
    """Read stored evidence; what an older form doesn't have stays empty."""
    details = evidence.get("details")
    told: Mapping[str, Any] = {**evidence, **(details if isinstance(details, Mapping) else {})}
    return Sheet(
        decision=words.decision(told),
        verdict=words.verdict(told.get("verdict")),
        sentence=str(told.get("sentence") or ""),
        intervals=intervals.of_evidence(told),
        reasons=[str(reason) for reason in told.get("reasons") or ()],
        tasks=[_part(part) for part in told.get("tasks") or ()],
        slices=[_part(part) for part in told.get("slices") or ()],
        gates=[
            GateRow(
                status=words.verdict(gate.get("status")),
                reason=str(gate.get("reason", "")),
                is_open=gate.get("status") in ("unsure", "unknown"),
            )
            for gate in told.get("gates") or ()
        ],
        warnings=[str(caution.get("text", "")) for caution in told.get("warnings") or ()],
        tests=[
            TestRow(
                run_id=int(test["run"]),
                suite=str(test["suite"]),
                verdict=words.verdict(test["verdict"]),
                sentence=str(test["sentence"]),
            )
            for test in told.get("tests") or ()
        ],
        rests_on=" and ".join(told.get("rests_on") or ()),
        missing=" and ".join(told.get("missing") or ()),
    )


def side_by_side(before: ModelVersion, after: ModelVersion) -> list[FactRow]:
    """Return the facts of two versions, those that neither tells left out."""
    rows = [
        FactRow("upstream id", before.upstream_id, after.upstream_id),
        FactRow("revision", before.revision or "–", after.revision or "–"),
        FactRow("released", _day(before.released_on), _day(after.released_on)),
        FactRow("input price", words.price(before.input_price), words.price(after.input_price)),
        FactRow("output price", words.price(before.output_price), words.price(after.output_price)),
        FactRow(
            "cached input price",
            words.price(before.cached_input_price),
            words.price(after.cached_input_price),
        ),
        FactRow(
            "context, tokens",
            words.number(before.context_tokens),
            words.number(after.context_tokens),
        ),
        FactRow(
            "longest output, tokens",
            words.number(before.output_tokens),
            words.number(after.output_tokens),
        ),
        FactRow(
            "input", words.listing(before.input_modalities), words.listing(after.input_modalities)
        ),
        FactRow(
            "output",
            words.listing(before.output_modalities),
            words.listing(after.output_modalities),
        ),
        FactRow("parameters", words.listing(before.parameters), words.listing(after.parameters)),
        FactRow(
            "capabilities", words.listing(before.capabilities), words.listing(after.capabilities)
        ),
        FactRow("deprecated", _day(before.deprecated_on), _day(after.deprecated_on)),
        FactRow("retires", _day(before.retires_on), _day(after.retires_on)),
    ]
    return [row for row in rows if {row.before, row.after} - {"unknown", "–"}]


def _day(value: Any) -> str:
    return words.day(value) if value else "–"


def _part(part: Mapping[str, Any]) -> TaskRow:
    quality: Mapping[str, Any] = part.get("quality") or {}
    judgement: Mapping[str, Any] = part.get("judgement") or {}
    return TaskRow(
        name=str(part.get("name", "")),
        before=words.score(quality.get("current")),
        after=words.score(quality.get("candidate")),
        change=words.percent(quality.get("relative")),
        scores=_scores(quality),
        verdict=words.verdict(judgement.get("verdict")),
        needed=_needed(judgement.get("needed")),
    )


def _needed(needed: Any) -> str:
    """Return the words that were kept with the evidence; older evidence has none."""
    return str(needed.get("words", "")) if isinstance(needed, Mapping) else ""


def _scores(quality: Mapping[str, Any]) -> str:
    """Say how many scores each side has, and which share of its requests where not all have one."""
    shares = [quality.get(f"coverage_{side}", 1.0) for side in ("current", "candidate")]
    counts = f"{quality.get('n_current', 0):,} / {quality.get('n_candidate', 0):,}"
    if min(shares) >= 1:
        return counts
    return f"{counts} ({shares[0]:.0%} / {shares[1]:.0%} scored)"
