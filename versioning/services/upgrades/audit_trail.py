"""All of one upgrade, for audits: what was done, by whom, on what, and is it as it was written?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Model

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
    id: int
    at: datetime
    actor_kind: str
    actor_name: str
    what: str
    text: str
    evidence: Mapping[str, Any]
    evidence_hash: str
    sealed: Sealed | None
    """None: written by a release that sealed nothing, or put there behind Hotswap's back."""


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
    steps = list(record.steps.order_by("at", "pk"))
    approvals = list(record.approvals.order_by("given_at", "pk"))
    comments = list(record.comments.order_by("at", "pk"))
    reports = list(record.outcome_reports.order_by("made_at", "pk"))
    rows: list[Model] = [*steps, *approvals, *comments, *reports]
    sealed = seals.of_rows(rows)
    entries = [
        *(_of_comment(each, sealed.get(each)) for each in comments),
        *(_of_approval(each, sealed.get(each)) for each in approvals),
        *(_of_step(each, sealed.get(each)) for each in steps),
        *(_of_report(each, sealed.get(each)) for each in reports),
    ]
    return AuditTrail(
        record=record,
        entries=sorted(entries, key=lambda each: each.at),  # stable: kinds stay in their order
        layers=layers.read_layers(layers.find(record=record)),
        head=seals.head(),
    )


def _of_step(step: UpgradeStep, sealed: Sealed | None) -> AuditEntry:
    return AuditEntry(
        kind=EntryKind.STEP,
        id=step.pk,
        at=step.at,
        actor_kind=step.actor_kind,
        actor_name=step.actor_name,
        what=step.after,
        text=step.reason,
        evidence=step.evidence,
        evidence_hash=step.evidence_hash,
        sealed=sealed,
    )


def _of_approval(approval: Approval, sealed: Sealed | None) -> AuditEntry:
    return AuditEntry(
        kind=EntryKind.APPROVAL,
        id=approval.pk,
        at=approval.given_at,
        actor_kind=approval.actor_kind,
        actor_name=approval.actor_name,
        what="approval" if approval.fell_at is None else "approval, fallen since",
        text=approval.reason,
        evidence={},
        evidence_hash="",
        sealed=sealed,
    )


def _of_comment(comment: Comment, sealed: Sealed | None) -> AuditEntry:
    return AuditEntry(
        kind=EntryKind.COMMENT,
        id=comment.pk,
        at=comment.at,
        actor_kind=comment.actor_kind,
        actor_name=comment.actor_name,
        what=comment.kind,
        text=comment.text,
        evidence={},
        evidence_hash="",
        sealed=sealed,
    )


def _of_report(report: OutcomeReport, sealed: Sealed | None) -> AuditEntry:
    return AuditEntry(
        kind=EntryKind.REPORT,
        id=report.pk,
        at=report.made_at,
        actor_kind=SCHEDULER.kind,
        actor_name=SCHEDULER.name,
        what=f"report after {report.after_days} days",
        text=report.sentence,
        evidence={"promised": report.promised, "real": report.real},
        evidence_hash="",
        sealed=sealed,
    )
