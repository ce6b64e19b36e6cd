"""Look again before a decision: whoever decides must decide on what the figures say now."""

from datetime import datetime

from versioning.domain.evidence import read
from versioning.models import TrackedModel, UpgradeRecord
from versioning.services import sweeps
from versioning.services.upgrades import policies, recommendation


def renew(*, record_id: int, now: datetime, evidence_hash: str | None) -> None:
    """Renew the evidence of a waiting record where it says something else by now.

    Also where the hash is that of the figures of this moment, as ``compare`` gives it. More samples
    that say the same change nothing: else nobody could decide on a busy model. It is a transaction
    of its own, so that whoever is refused reads the new evidence.
    """
    record = UpgradeRecord.objects.waiting().with_versions().filter(pk=record_id).first()
    if record is None or record.from_version is None:
        return
    kept = read(record.evidence)
    if not kept.is_measured:
        return
    found = policies.compared(
        tracked=record.tracked_model,
        from_version=record.from_version,
        to_version=record.to_version,
        now=now,
    )
    # What an approval says yes to: see ``approvals.basis``.
    says_the_same = (found.verdict, found.decision) == (kept.verdict, kept.decision)
    if not says_the_same or found.digest == evidence_hash:
        recommendation.refresh_evidence(record_id=record_id, now=now)


def renew_of_model(*, tracked: TrackedModel, now: datetime, evidence_hash: str | None) -> None:
    """Renew the evidence of what waits for a model, for whoever decides on what they have read."""
    if evidence_hash is None:
        return
    waiting = UpgradeRecord.objects.waiting().filter(tracked_model=tracked)
    for record_id in waiting.values_list("pk", flat=True):
        renew(record_id=record_id, now=now, evidence_hash=evidence_hash)


def renew_all(*, now: datetime) -> int:
    """Renew the evidence of all that waits, where it says something else; return how many wait."""
    return sweeps.each(
        list(UpgradeRecord.objects.waiting().order_by("pk").values_list("pk", flat=True)),
        lambda record_id: renew(record_id=record_id, now=now, evidence_hash=None),
        subject=lambda record_id: f"Evidence of upgrade {record_id}",
        now=now,
    )
