"""The decision sheet of an upgrade record: its evidence as tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from versioning.admin import intervals, words
from versioning.domain.evidence import (
    Evidence,
    KeptCaution,
    KeptFigures,
    KeptPart,
    UnreadEvidence,
    change_of,
)
from versioning.domain.statistics.cautions import WarningCode
from versioning.domain.statistics.decision import QUALITY_IS_WORSE, WITHOUT_EVIDENCE
from versioning.domain.statistics.verdict import Verdict
from versioning.models import ModelVersion
from versioning.services.evidence.price_change import PriceChange

SHOWN_REASONS = 2
"""With the warnings: who decides in half a minute reads no more; the rest is a click away."""


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
    """What the evidence says, ready to be shown; every part may be empty.

    ``unread`` is the document itself where its schema isn't known.
    """

    unread: str
    decision: SafeString
    verdict: SafeString
    sentence: str
    intervals: Sequence[intervals.IntervalRow]
    reasons: Sequence[str]
    first_reasons: Sequence[str]
    """The first few that neither the sentence nor a warning says already."""
    worse_alone: str
    """The tasks that got worse while others did not; empty where none did, or all."""
    tasks: Sequence[TaskRow]
    slices: Sequence[TaskRow]
    gates: Sequence[GateRow]
    warnings: Sequence[str]
    tests: Sequence[TestRow]
    rests_on: str
    missing: str
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class FactRow:
    """One fact of two versions side by side."""

    name: str
    before: str
    after: str
    is_id: bool = False
    """Whether people copy it."""

    @property
    def has_changed(self) -> bool:
        return self.before != self.after


def of_evidence(evidence: Evidence) -> Sheet:
    """Return evidence as tables; what an older form doesn't have stays empty."""
    return Sheet(
        unread=evidence.text if isinstance(evidence, UnreadEvidence) else "",
        decision=words.decision(evidence),
        verdict=words.verdict(evidence.verdict),
        sentence=evidence.sentence,
        intervals=intervals.of_evidence(evidence),
        reasons=evidence.reasons,
        first_reasons=_first_reasons(evidence),
        worse_alone=_worse_alone(evidence),
        tasks=[_part(part) for part in evidence.tasks],
        slices=[_part(part) for part in evidence.slices],
        gates=[
            GateRow(
                status=words.verdict(gate.status),
                reason=gate.reason,
                is_open=gate.status in ("unsure", "unknown"),
            )
            for gate in evidence.gates
        ],
        warnings=[caution.text for caution in _warnings(evidence)],
        tests=[
            TestRow(
                run_id=test.run,
                suite=test.suite,
                verdict=words.verdict(test.verdict),
                sentence=test.sentence,
            )
            for test in evidence.tests or ()
        ],
        rests_on=_(" and ").join(evidence.rests_on or ()),
        missing=_(" and ").join(evidence.missing or ()),
        is_blocked=words.plain_code(evidence.decision) == "blocked",
    )


def _warnings(evidence: Evidence) -> list[KeptCaution]:
    """Return the cautions; that no task can be compared, the sentence says already."""
    scored = evidence.quality.n_current and evidence.quality.n_candidate
    return [
        caution
        for caution in evidence.warnings
        if scored or caution.code != WarningCode.UNCOVERED_TASKS
    ]


def _worse_alone(evidence: Evidence) -> str:
    verdicts = {part.judgement.verdict for part in evidence.tasks}
    others_are_fine = bool(verdicts & {Verdict.BETTER, Verdict.NOT_WORSE})
    return _(" and ").join(evidence.worse_tasks) if others_are_fine else ""


def _first_reasons(evidence: Evidence) -> list[str]:
    warned = {caution.text for caution in _warnings(evidence)}
    told = evidence.sentence.lower()
    # That nobody can tell yet, the plot says: by the row of such a limit, or by having none.
    untold = {gate.reason for gate in evidence.gates if gate.status in ("unknown", "unsure")}
    if evidence.verdict == Verdict.WORSE:
        untold |= {QUALITY_IS_WORSE, *(f"worse on {part.name}" for part in evidence.tasks)}
    if not (evidence.quality.n_current and evidence.quality.n_candidate):
        untold |= {reason for reason in evidence.reasons if reason.endswith(WITHOUT_EVIDENCE)}
    said = [each for each in evidence.reasons if each not in warned | untold]
    room = max(0, SHOWN_REASONS - len(warned))
    return [words.sentence(each) for each in said if each.lower() not in told][:room]


@dataclass(frozen=True, slots=True)
class PriceSheet:
    """What a month's requests cost at the prices of both versions, in words."""

    traffic: str
    before: str
    after: str
    change: str
    unknown: str
    has_steps: bool


def of_prices(found: PriceChange | None) -> PriceSheet | None:
    """Return what a month costs at both versions' prices in words; None without such requests."""
    if found is None:
        return None
    tokens = {"input": f"{found.input_tokens:,}", "output": f"{found.output_tokens:,}"}
    traffic = (
        words.counted(found.requests, ngettext_lazy("%(n)s request", "%(n)s requests", "c")),
        _("tokens in %(input)s, out %(output)s") % tokens,
    )
    return PriceSheet(
        traffic="; ".join(traffic),
        before=_dollars(found.before),
        after=_dollars(found.after),
        change="" if found.relative is None else words.percent(found.relative),
        unknown=found.unknown,
        has_steps=found.has_steps,
    )


def _dollars(value: Decimal | None) -> str:
    """Return "$1,234.50", of less than a dollar three digits, or that it is unknown."""
    if value is None:
        return _("unknown")
    return f"${value:,.2f}" if value >= 1 or not value else words.usd(value) or ""


def side_by_side(before: ModelVersion, after: ModelVersion) -> list[FactRow]:
    """Return the facts of two versions, those that neither tells left out."""
    rows = [
        FactRow(_("upstream id"), before.upstream_id, after.upstream_id, is_id=True),
        FactRow("revision", before.revision or "–", after.revision or "–", is_id=True),
        FactRow("released", _day(before.released_on), _day(after.released_on)),
        FactRow(_("input price"), words.price(before.input_price), words.price(after.input_price)),
        FactRow(
            _("output price"), words.price(before.output_price), words.price(after.output_price)
        ),
        FactRow(
            _("cached input price"),
            words.price(before.cached_input_price),
            words.price(after.cached_input_price),
        ),
        FactRow(
            _("context, tokens"),
            words.number(before.context_tokens),
            words.number(after.context_tokens),
        ),
        FactRow(
            _("longest output, tokens"),
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


def _part(part: KeptPart) -> TaskRow:
    told = change_of(part.quality, part.judgement)
    return TaskRow(
        name=part.name,
        before=told.before if told else words.score(part.quality.current),
        after=told.after if told else words.score(part.quality.candidate),
        change=words.percent(part.quality.relative),
        scores=_scores(part.quality),
        verdict=words.verdict(part.judgement.verdict),
        # Evidence that was kept before there were words has none.
        needed=part.judgement.needed.words if part.judgement.needed else "",
    )


def _scores(quality: KeptFigures) -> str:
    """Say how many scores each side has, and which share of its requests where not all have one."""
    shares = quality.coverage_current, quality.coverage_candidate
    counts = f"{quality.n_current:,} / {quality.n_candidate:,}"
    if min(shares) >= 1:
        return counts
    return _("%(counts)s (%(shares)s / %(shares_2)s scored)") % {
        "counts": counts,
        "shares": f"{shares[0]:.0%}",
        "shares_2": f"{shares[1]:.0%}",
    }
