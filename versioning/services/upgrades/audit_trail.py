"""All of one upgrade, for audits: what was done, by whom, on what, and is it as it was written?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from versioning.domain.statistics.figures import counted
from versioning.models import Approval, Comment, OutcomeReport, UpgradeRecord, UpgradeStep
from versioning.services import seals
from versioning.services.actors import Actor
from versioning.services.seals import Head, Sealed
from versioning.services.upgrades import layers
from versioning.services.upgrades.layers import Layer

SCHEDULER = Actor.scheduler()


class EntryKind(StrEnum):
    """Of what table an entry is a row; of the same moment the later kind came later."""

    COMMENT = "comment"
    APPROVAL = "approval"
    STEP = "step"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One row that is kept for good. ``evidence`` is word for word, empty where it keeps none."""

    kind: EntryKind
    row: Comment | Approval | UpgradeStep | OutcomeReport
    at: datetime
    what: str
    text: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    evidence_hash: str = ""
    sealed: Sealed | None = None
    """None: written by a release that sealed nothing, or put there behind Hotswap's back."""

    @property
    def id(self) -> int:
        return self.row.pk

    @property
    def actor_kind(self) -> str:
        """Who did it; a report has no actor of its own, the scheduler makes it."""
        return SCHEDULER.kind if isinstance(self.row, OutcomeReport) else self.row.actor_kind

    @property
    def actor_name(self) -> str:
        return SCHEDULER.name if isinstance(self.row, OutcomeReport) else self.row.actor_name


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrail:
    """An upgrade with its whole history. ``head`` is the end of the chain of all seals by now."""

    record: UpgradeRecord
    entries: Sequence[AuditEntry]
    layers: Sequence[Layer]
    head: Head

    @property
    def changed(self) -> Sequence[AuditEntry]:
        """Those that are not as they were written."""
        return [each for each in self.entries if each.sealed and each.sealed.changed]

    @property
    def unsealed(self) -> Sequence[AuditEntry]:
        return [each for each in self.entries if each.sealed is None]


def of_record(record: UpgradeRecord) -> AuditTrail:
    """Read all that is kept of an upgrade, the oldest first; a constant number of queries."""
    kept = [
        *(_of_comment(each) for each in record.comments.order_by("at", "pk")),
        *(_of_approval(each) for each in record.approvals.order_by("given_at", "pk")),
        *(_of_step(each) for each in record.steps.order_by("at", "pk")),
        *(_of_report(each) for each in record.outcome_reports.order_by("made_at", "pk")),
    ]
    sealed = seals.of_rows(each.row for each in kept)
    entries = [replace(each, sealed=sealed.get(each.row)) for each in kept]
    return AuditTrail(
        record=record,
        entries=sorted(entries, key=lambda each: each.at),  # stable: kinds stay in their order
        layers=layers.read_layers(layers.find(record=record)),
        head=seals.head(),
    )


def _of_comment(row: Comment) -> AuditEntry:
    return AuditEntry(kind=EntryKind.COMMENT, row=row, at=row.at, what=row.kind, text=row.text)


def _of_approval(row: Approval) -> AuditEntry:
    what = "approval" if row.fell_at is None else "approval, fallen since"
    return AuditEntry(kind=EntryKind.APPROVAL, row=row, at=row.given_at, what=what, text=row.reason)


def _of_step(row: UpgradeStep) -> AuditEntry:
    return AuditEntry(
        kind=EntryKind.STEP,
        row=row,
        at=row.at,
        what=row.after,
        text=row.reason,
        evidence=row.evidence,
        evidence_hash=row.evidence_hash,
    )


def _of_report(row: OutcomeReport) -> AuditEntry:
    return AuditEntry(
        kind=EntryKind.REPORT,
        row=row,
        at=row.made_at,
        what=f"report after {counted(row.after_days, 'day')}",
        text=row.sentence,
        evidence={"promised": row.promised, "real": row.real},
    )
