"""Find the successor of each version in use, gather the evidence, recommend."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from providers.models import Provider
from versioning.domain import lineage
from versioning.domain.canary import Action
from versioning.domain.evidence import Evidence
from versioning.domain.transitions import UNDER_WAY, State
from versioning.models import (
    CatalogueEntry,
    EvaluationRun,
    Look,
    ModelVersion,
    PassedOver,
    TrackedModel,
    UpgradeRecord,
)
from versioning.services import clock, locks, lookups, nudges, sweeps, versions
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import approvals, looks, memory, moves, policies
from versioning.services.upgrades.successors import Market, answer_for

__all__ = [
    "Market",
    "explain",
    "held_models",
    "open_recommendations",
    "recommend",
    "recommend_all",
    "refresh_evidence",
    "refresh_tested",
    "tracked_models_of",
]

DECIDED_AGAINST = (State.REJECTED, State.ROLLED_BACK, State.FAILED, State.ABORTED)


def open_recommendations() -> QuerySet[UpgradeRecord]:
    """Return what waits for a decision now, urgent ones first."""
    return UpgradeRecord.objects.recommended().with_versions().urgent_first()


@one_transaction
def recommend(*, tracked_model_id: int, now: datetime) -> UpgradeRecord | None:
    """Look for a successor of one tracked model now, in what its provider last listed.

    Returns the recommendation that waits for a decision, None where there is none. A worker asks
    at once for its target, which nobody may do within a transaction. Raises NotFound.
    """
    nudges.soon(nudges.Nudge.ASK)
    # Held before anything is read: a check of the same provider may recommend just now.
    moves.locked_model(tracked_model_id)
    tracked = _with_all(TrackedModel.objects.filter(pk=tracked_model_id)).get()
    market = Market.from_catalogue(tracked.provider, now=now)
    found = recommend_all(tracked_models=[tracked], market=market, now=now, rules_changed=True)
    return found[0] if found else None


def tracked_models_of(provider: Provider) -> list[TrackedModel]:
    """Return the provider's active models with all that looking for successors needs."""
    return list(_with_all(TrackedModel.objects.active().filter(provider=provider)))


def held_models(provider: Provider, *, ids: Sequence[int]) -> list[TrackedModel]:
    """Return some of the provider's active models, locked, with all that recommending needs."""
    models = TrackedModel.objects.active().filter(provider=provider, pk__in=ids)
    locks.take(models)
    return list(_with_all(models))


def explain(*, tracked_model_id: int) -> lineage.Answer:
    """Say which successor lineage finds for a tracked model now, and what else it considered."""
    models = TrackedModel.objects.select_related("provider", "current_version")
    tracked = lookups.one(
        models.filter(pk=tracked_model_id).prefetch_related("lineage_rules"),
        missing=f"There is no tracked model {tracked_model_id}.",
    )
    market = Market.from_catalogue(tracked.provider, now=clock.now())
    return answer_for(tracked=tracked, market=market)


@dataclass(frozen=True, slots=True)
class _Offer:
    """What is offered to a tracked model in place of its current version."""

    tracked: TrackedModel
    current: ModelVersion
    version: ModelVersion
    answer: lineage.Answer
    waits: UpgradeRecord | None
    """What waits for the version already."""

    @property
    def pair(self) -> policies.PairOfVersions:
        return policies.PairOfVersions(self.tracked, self.current, self.version)


def recommend_all(
    *,
    tracked_models: Sequence[TrackedModel],
    market: Market,
    now: datetime,
    rules_changed: bool = False,
) -> list[UpgradeRecord]:
    """Recommend within a market to models that come from ``held_models``; return what waits.

    Maybes are written down as well, each apart, but none is returned: they recommend nothing.
    What a list says of a target takes a recommendation back once several listings said so; what
    staff say (``rules_changed``) does at once. What many models need is read and written at once,
    so that a check of a thousand takes seconds.
    """
    meant = [
        offer
        for tracked in tracked_models
        for offer in _offers(tracked=tracked, market=market, now=now, rules_changed=rules_changed)
    ]
    ModelVersion.objects.bulk_create(o.version for o in meant if o.version.pk is None)
    offers = [offer for offer in meant if offer.waits or _may_be_offered(offer, now=now)]
    shown = policies.compared_all([offer.pair for offer in offers], now=now)
    new = [_recommended(o, evidence=shown[o.pair.ids], now=now) for o in offers if not o.waits]
    moves.open_recommended(new, actor=Actor.scheduler(), now=now)
    records = {(record.tracked_model_id, record.to_version_id): record for record in new}
    for offer in offers:
        if offer.waits:
            records[offer.tracked.pk, offer.version.pk] = _refresh(
                record=offer.waits,
                current=offer.current,
                evidence=shown[offer.pair.ids],
                now=now,
            )
    return [
        records[offer.tracked.pk, offer.version.pk]
        for offer in offers
        if offer.answer.step is not lineage.StepKind.MAYBE
    ]


def _offers(
    *, tracked: TrackedModel, market: Market, now: datetime, rules_changed: bool
) -> list[_Offer]:
    """Return what lineage offers a model, and take back what waits for anything else."""
    current = tracked.current_version
    if current is None:
        return []
    answer = answer_for(tracked=tracked, market=market)
    _keep_passed_over(tracked, answer, now=now)
    waiting = [record for record in tracked.upgrades.all() if record.is_waiting]
    offered = [answer.successor] if answer.successor else answer.maybes
    if not rules_changed and _are_held(tracked, waiting, offered=offered, market=market, now=now):
        return []
    if not offered or answer.step is None:
        _supersede(waiting, reason="No successor is listed any more.", now=now)
        return []
    step = answer.step.value
    entries = [market.entries[one.id] for one in offered]
    targets = _versions_for(tracked=tracked, entries=entries, step=step)
    kept = _still_meant(waiting, versions=targets, step=step)
    others = [record for record in waiting if record not in kept]
    labels = " and ".join(version.label for version in targets)
    _supersede(others, reason=f"{labels} came.", now=now)
    return [
        _Offer(
            tracked=tracked,
            current=current,
            version=version,
            answer=answer,
            waits=next((one for one in kept if one.to_version_id == version.pk), None),
        )
        for version in targets
    ]


def _keep_passed_over(tracked: TrackedModel, answer: lineage.Answer, *, now: datetime) -> None:
    """Write down what one thing alone kept back; what stays so keeps its beginning."""
    known = {row.upstream_id: row for row in tracked.passed_over.all()}
    found = {one.id: one for one in answer.held_back}
    stays = {id for id, one in found.items() if id in known and known[id].by == one.by}
    gone = [row.pk for id, row in known.items() if id not in stays]
    if gone:
        PassedOver.objects.filter(pk__in=gone).delete()
    if found.keys() - stays:
        PassedOver.objects.bulk_create(
            PassedOver(
                tracked_model=tracked,
                upstream_id=id,
                by=one.by.value,
                why=one.why[:300],
                since=now,
            )
            for id, one in found.items()
            if id not in stays
        )


def _are_held(
    tracked: TrackedModel,
    waiting: Sequence[UpgradeRecord],
    *,
    offered: Sequence[lineage.Known],
    market: Market,
    now: datetime,
) -> bool:
    """Tell whether something waits although the list says today that its target is none.

    A word, a date or a way of calling that only one listing has takes nothing back, and lets
    nothing else be recommended in its place but what came since.
    """
    ids = {version.pk: version.upstream_id for version in tracked.versions.all()}
    targets = {record.pk: market.entry_of(ids[record.to_version_id]) for record in waiting}
    still = {one.id for one in offered}
    came = max((market.entries[id].first_seen_at for id in still), default=None)
    return any(
        (entry := targets[record.pk]) is not None
        and entry.gone_at is None
        and entry.upstream_id not in still
        and not entry.has_settled(at=now)
        and (came is None or came <= record.recommended_at)
        for record in waiting
    )


def _still_meant(
    waiting: Sequence[UpgradeRecord], *, versions: Sequence[ModelVersion], step: str
) -> list[UpgradeRecord]:
    """Return what still says the same: a maybe that became sure is offered anew, and back.

    What a person or client asked for stays whatever lineage says of it.
    """
    maybe = UpgradeRecord.Step.MAYBE
    meant = {version.pk for version in versions}
    return [
        record
        for record in waiting
        if record.to_version_id in meant
        and (
            (record.step == maybe) == (step == maybe)
            or record.origin != UpgradeRecord.Origin.DETECTION
        )
    ]


@one_transaction
def refresh_evidence(*, record_id: int, now: datetime) -> UpgradeRecord:
    """Gather the evidence of a waiting recommendation anew. Raises NotFound."""
    record = moves.locked(record_id)
    if record.is_waiting and record.from_version is not None:
        evidence = policies.compared(
            tracked=record.tracked_model,
            from_version=record.from_version,
            to_version=record.to_version,
            now=now,
        )
        return _refresh(record=record, current=record.from_version, evidence=evidence, now=now)
    return record


def refresh_tested(*, since: datetime, now: datetime) -> int:
    """Renew the evidence of what waits for a pair that a run has tested since; return how many.

    So a test shows where people decide as soon as it ends, not at the next check.
    """
    ended = EvaluationRun.objects.filter(ended_at__gte=since)
    pairs = set(ended.values_list("from_version", "to_version"))
    tested = Q(pk__in=())
    for from_version, to_version in pairs:
        tested |= Q(from_version=from_version, to_version=to_version)
    return sweeps.each(
        list(UpgradeRecord.objects.waiting().filter(tested).values_list("pk", flat=True)),
        lambda record_id: refresh_evidence(record_id=record_id, now=now),
        subject=lambda record_id: f"Evidence of upgrade {record_id} after a test",
        now=now,
    )


def _with_all(models: QuerySet[TrackedModel]) -> QuerySet[TrackedModel]:
    past = UpgradeRecord.objects.exclude(state=State.SUPERSEDED).order_by("pk")
    past = past.select_related("wake_rule")
    return models.select_related("provider", "current_version").prefetch_related(
        "lineage_rules", "versions", "passed_over", Prefetch("upgrades", queryset=past)
    )


def _versions_for(
    *, tracked: TrackedModel, entries: Sequence[CatalogueEntry], step: str
) -> list[ModelVersion]:
    """Return the versions that stand for the entries; those that are new are not stored yet."""
    known = list(tracked.versions.all())
    found = []
    for entry in entries:
        version = _that_stands_for(entry, known)
        if version is None:
            taken = frozenset(old.label for old in known)
            version = versions.of_entry(tracked=tracked, entry=entry, step=step, taken=taken)
            known.append(version)
        found.append(version)
    return found


def _that_stands_for(
    entry: CatalogueEntry, versions: Sequence[ModelVersion]
) -> ModelVersion | None:
    for version in versions:
        same_revision = version.revision in ("", entry.revision) or not entry.revision
        if version.upstream_id == entry.upstream_id and same_revision:
            return version
    return None


def _may_be_offered(offer: _Offer, *, now: datetime) -> bool:
    """Say whether nobody decided against the version, or the decision's time has come."""
    version = offer.version
    past = [record for record in offer.tracked.upgrades.all() if record.to_version_id == version.pk]
    if any(State(record.state) in UNDER_WAY for record in past):
        return False
    against = [record for record in past if record.state in DECIDED_AGAINST]
    return memory.may_be_offered_again(
        decided=against, current=offer.current, version=version, now=now
    )


def _recommended(offer: _Offer, *, evidence: Evidence, now: datetime) -> UpgradeRecord:
    """Return the record of a new recommendation, not yet stored."""
    answer = offer.answer
    return UpgradeRecord(
        tracked_model=offer.tracked,
        from_version=offer.current,
        to_version=offer.version,
        origin=UpgradeRecord.Origin.DETECTION,
        step=answer.step.value if answer.step else "",
        confidence=answer.confidence,
        reasons=list(answer.reasons),
        doubt=answer.doubt,
        runners_up=_runners_up(answer),
        evidence=evidence.as_dict(),
        evidence_hash=evidence.digest,
        evidence_at=now,
        urgent_on=offer.current.retires_on,
    )


def _runners_up(answer: lineage.Answer) -> list[dict[str, Any]]:
    return [{"id": other.id, "why_not": other.why_not} for other in answer.runners_up]


def _refresh(
    *, record: UpgradeRecord, current: ModelVersion, evidence: Evidence, now: datetime
) -> UpgradeRecord:
    """Write down the evidence of now; a record that moved in between keeps what it has."""
    if evidence.digest == record.evidence_hash and record.urgent_on == current.retires_on:
        return record
    UpgradeRecord.objects.waiting().filter(pk=record.pk).update(
        evidence=evidence.as_dict(),
        evidence_hash=evidence.digest,
        evidence_at=now,
        urgent_on=current.retires_on,
    )
    record.refresh_from_db()
    looks.keep(
        record=record,
        stage=Look.Stage.WAITING,
        outcome=Action.WAIT.value,
        says=evidence.sentence,
        shown=evidence,
        now=now,
    )
    approvals.fall(record=record, now=now)
    return record


def _supersede(records: Sequence[UpgradeRecord], *, reason: str, now: datetime) -> None:
    for record in records:
        if record.origin != UpgradeRecord.Origin.DETECTION:
            continue
        try:
            moves.move(
                record_id=record.pk,
                to=State.SUPERSEDED,
                actor=Actor.scheduler(),
                now=now,
                reason=reason,
                changes={"snoozed_until": None},
            )
        except AlreadyMoved:
            continue  # somebody decided in between; their word stands
