"""Evidence as it is kept for good: one schema with a number, and a reader for older ones.

Records of upgrades, their steps and outcome reports keep what was shown when somebody decided;
runs of suites keep what they showed. Whatever is written says its `schema_version`; whoever reads
goes through `read` or `read_run`, which never fail (`domain.stored_documents`).
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

import msgspec

from versioning.domain.statistics.comparison import Comparison
from versioning.domain.statistics.decision import Decision
from versioning.domain.statistics.figures import Change
from versioning.domain.statistics.verdict import Verdict
from versioning.domain.stored_documents import (
    SCHEMA_VERSION,
    Document,
    as_json,
    as_text,
    read_as,
)


class KeptNeeded(msgspec.Struct, frozen=True, kw_only=True):
    """How much more would settle it: both sides' samples and their days, and the words for it.

    All None where nothing can be foretold: `because` says why.
    """

    samples: int | None = None
    most_samples: int | None = None
    days: int | None = None
    most_days: int | None = None
    because: str = ""
    words: str = ""


class KeptFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Quality of both versions, 0 to 1, over the tasks that both have.

    `relative` is the rise as a fraction; coverage the share of requests that have a score.
    """

    current: Decimal | None = None
    candidate: Decimal | None = None
    relative: Decimal | None = None
    n_current: int = 0
    n_candidate: int = 0
    coverage_current: float = 1.0
    coverage_candidate: float = 1.0


class KeptJudgement(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict with its interval in points of quality; an end that is None is open."""

    verdict: str = ""
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    needed: KeptNeeded | None = None
    to_tell_apart: KeptNeeded | None = None


class KeptPart(msgspec.Struct, frozen=True, kw_only=True):
    """One task, one slice, or the days after the last one side by side."""

    name: str = ""
    quality: KeptFigures = KeptFigures()
    judgement: KeptJudgement = KeptJudgement()


def change_of(quality: KeptFigures, judgement: KeptJudgement) -> Change | None:
    """Return a change of quality as sentences tell it; None where they tell none."""
    before, after = quality.current, quality.candidate
    if before is None or after is None or judgement.low is None or judgement.high is None:
        return None
    return Change.of(
        before=float(before), after=float(after), low=judgement.low, high=judgement.high
    )


class KeptGate(msgspec.Struct, frozen=True, kw_only=True):
    """A limit and how the candidate stands to it: passed, unsure, failed or unknown.

    `value`, `limit` and the interval are points of error rate, or fractions of latency or cost.
    """

    name: str = ""
    status: str = ""
    limit: Decimal | None = None
    reason: str = ""
    value: Decimal | None = None
    low: float | None = None
    high: float | None = None
    current: float | None = None
    candidate: float | None = None
    needed: KeptNeeded | None = None


class KeptCaution(msgspec.Struct, frozen=True, kw_only=True):
    """What makes figures doubtful although they are there."""

    code: str = ""
    text: str = ""


class KeptTest(msgspec.Struct, frozen=True, kw_only=True):
    """What the latest finished run of one suite said of the pair; scores are means, 0 to 1.

    `passes` is None where a person has yet to rule.
    """

    run: int = 0
    suite: str = ""
    verdict: str = ""
    passes: bool | None = None
    sentence: str = ""
    cases: int | None = None
    current: float | None = None
    candidate: float | None = None
    ended_at: str | None = None


class KeptWayBack(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider said of the version to go back to: open, closed, refused or unknown."""

    outcome: str = ""
    version: str | None = None
    sentence: str = ""
    asked_at: str = ""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A comparison as it is shown, stored and decided on.

    `verdict` is better, not_worse, worse or not_enough_data; `decision` UPGRADE, STAY, NOT ENOUGH
    EVIDENCE or BLOCKED. `improvement` is the rise of mean quality relative to the current
    version's, None where it is unknown. `tests`, `rests_on` and `missing` are None where tests
    weren't asked for, `harm_unseen` where nothing was compared.
    """

    schema_version: int = SCHEMA_VERSION
    verdict: str = ""
    decision: str = ""
    reasons: tuple[str, ...] = ()
    sentence: str = ""
    headline: str = ""
    improvement: Decimal | None = None
    quality: KeptFigures = KeptFigures()
    judgement: KeptJudgement = KeptJudgement()
    basis: str = ""
    shared_days: int = 0
    method: str = ""
    method_version: str = ""
    alpha: float | None = None
    alpha_split: str = ""
    tasks: tuple[KeptPart, ...] = ()
    slices: tuple[KeptPart, ...] = ()
    gates: tuple[KeptGate, ...] = ()
    afterwards: KeptPart | None = None
    warnings: tuple[KeptCaution, ...] = ()
    harm_unseen: tuple[str, ...] | None = None
    uncovered_tasks: tuple[str, ...] = ()
    uncovered_share: float = 0.0
    worse_tasks: tuple[str, ...] = ()
    worse_slices: tuple[str, ...] = ()
    tests: tuple[KeptTest, ...] | None = None
    rests_on: tuple[str, ...] | None = None
    missing: tuple[str, ...] | None = None
    way_back: KeptWayBack | None = None

    @classmethod
    def of(cls, found: Comparison) -> Evidence:
        """Return a comparison in the form that is kept."""
        told = {**found.as_dict(), "improvement": found.quality.relative}
        return msgspec.convert(told, cls)

    @property
    def is_measured(self) -> bool:
        """Whether it came from figures, so that it can be measured anew."""
        return bool(self.method)

    @property
    def speaks_for(self) -> bool:
        """Whether it asks for the move: a verdict, every gate passed, nothing in doubt."""
        return self.decision == Decision.UPGRADE

    @property
    def speaks_against(self) -> bool:
        """Whether something is surely wrong: worse quality, a broken gate, a worse part."""
        return self.decision == Decision.BLOCKED or self.verdict == Verdict.WORSE

    @property
    def would_show_harm(self) -> bool:
        """Whether there is enough to see great harm, though perhaps too little for a verdict."""
        return self.verdict != Verdict.NOT_ENOUGH_DATA or self.judgement.low is not None

    @property
    def why_harm_is_unseen(self) -> str:
        """Why harm couldn't have been seen yet, or what looks like it; empty where neither is."""
        unseen = self.harm_unseen
        return "; ".join(("there is no comparison",) if unseen is None else unseen)

    def warning(self, code: str) -> str:
        """Return the sentence of a warning; empty where it isn't given."""
        return next((one.text for one in self.warnings if one.code == code), "")

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can keep it; decimals are texts."""
        return as_json(self)

    @property
    def details(self) -> dict[str, Any]:
        """What was compared and what it says; the rest is said in other words there already."""
        return {
            name: value
            for name, value in self.as_dict().items()
            if name not in ("improvement", "way_back")
        }

    @property
    def digest(self) -> str:
        """The same for the same evidence, whenever it is read: SHA-256 of its canonical JSON.

        Figures count to six digits: adding up in another order moves the sixteenth.
        """
        text = json.dumps(self.details, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


class UnreadEvidence(Evidence, frozen=True, kw_only=True):
    """A document whose schema isn't known here: nothing of it is read, and nothing is lost.

    It speaks neither for nor against anything. It counts as measured: to look again writes
    evidence that is known.
    """

    document: dict[str, Any]

    @property
    def text(self) -> str:
        """The document for a person to read."""
        return as_text(self.document)

    @property
    def is_measured(self) -> bool:
        return True

    def as_dict(self) -> dict[str, Any]:
        return self.document


class KeptArm(msgspec.Struct, frozen=True, kw_only=True):
    """One version's requests in a run: milliseconds are the median, USD a decimal as text."""

    requests: int = 0
    outcomes: dict[str, int] = {}
    retries: int = 0
    latency_ms: float | None = None
    cost_usd: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of a suite showed: mean scores (0 to 1), the interval of their difference."""

    schema_version: int = SCHEMA_VERSION
    method: str = ""
    method_version: str = ""
    cases: int | None = None
    left_out: int = 0
    current: float | None = None
    candidate: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    margin: float | None = None
    spread: float | None = None
    arms: dict[str, KeptArm] = {}
    flips: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can keep it."""
        return as_json(self)


class UnreadRun(RunResult, frozen=True, kw_only=True):
    """What a run kept in a schema that isn't known here, and why it isn't read."""

    document: dict[str, Any]
    why: str

    @property
    def text(self) -> str:
        """The document for a person to read."""
        return as_text(self.document)


def read(document: Document) -> Evidence:
    """Return stored evidence of any version; never raises. An empty document is empty evidence."""
    return read_as(
        Evidence, document, unread=lambda why, **kept: UnreadEvidence(sentence=why, **kept)
    )


def read_run(document: Document) -> RunResult:
    """Return what a run of a suite showed, of any version; never raises."""
    return read_as(RunResult, document, unread=UnreadRun)


def with_way_back(document: Document, way_back: KeptWayBack) -> dict[str, Any]:
    """Return stored evidence, word for word, with what was said of the way back beside it."""
    kept = dict(document) or Evidence().as_dict()
    return {**kept, "way_back": as_json(way_back)}
