"""Ask for what would be recommended, before a person sees it: is it callable?"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from providers.models import Provider
from versioning.domain import lineage
from versioning.models import CatalogueEntry, ModelVersion, TrackedModel, UpgradeRecord
from versioning.services import sweeps, witness
from versioning.services.upgrades import recommendation
from versioning.services.upgrades.successors import Market, answer_for
from versioning.services.witness import Probe

ROUNDS = 3
"""How often the next best is looked for where the provider refuses the best."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The market without what was refused, and what came of asking."""

    market: Market
    asked: Mapping[str, Probe]
    refused: Mapping[int, Mapping[str, Probe]]
    """By tracked model: ids that would have been recommended to it, and were refused."""


def probe_targets(
    *,
    provider: Provider,
    tracked_models: Sequence[TrackedModel],
    entries: Mapping[str, CatalogueEntry],
    now: datetime,
) -> Targets:
    """Ask a provider for each successor that nobody has seen yet. Speaks HTTP.

    One that is refused is left out, and the next best asked for. What can't be told stays
    recommended, unless it was refused when it could be told last.
    """
    market = Market.of(provider=provider, entries=entries)
    asked: dict[str, Probe] = {}
    refused: dict[int, dict[str, Probe]] = {}
    before = witness.refused(provider=provider, now=now)
    left = [tracked for tracked in tracked_models if tracked.current_version is not None]
    why: dict[str, str] = {}
    for _ in range(ROUNDS):
        wanted = {each.pk: _new_ids(each, answer_for(tracked=each, market=market)) for each in left}
        new = {id for ids in wanted.values() for id in ids} - asked.keys()
        known = witness.answered(provider=provider, upstream_ids=new, now=now)
        asked |= witness.probe_all(provider=provider, upstream_ids=sorted(new - known), now=now)
        for id in new & asked.keys():
            if asked[id].is_refused:
                why[id] = asked[id].sentence
            elif id in before and not asked[id].is_callable:
                why[id] = before[id]
        left = [tracked for tracked in left if wanted[tracked.pk] & why.keys()]
        if not left:
            break
        for tracked in left:
            for id in wanted[tracked.pk] & why.keys():
                refused.setdefault(tracked.pk, {})[id] = Probe("refused", why[id])
        market = Market.of(provider=provider, entries=entries, refused=why)
    return Targets(market=market, asked=asked, refused=refused)


def probe_waiting(*, now: datetime) -> int:
    """Ask for what is recommended and nobody asked for yet; return for how many. Speaks HTTP.

    A check asks before it recommends. A rule of staff's recommends at once, within its transaction:
    its target is asked for here, right after that. One that is refused is taken back, and the next
    best asked for.
    """
    asked = 0
    for _ in range(ROUNDS):
        unasked = _unasked()
        sweeps.each(
            unasked,
            lambda record: _ask_for(record, now=now),
            subject=lambda record: f"Asking for the target of upgrade {record.pk}",
            now=now,
        )
        asked += len(unasked)
        if not unasked:
            break
    return asked


def _unasked() -> list[UpgradeRecord]:
    """Return the first recommendations whose target nobody asked for, where that may be done."""
    waiting = UpgradeRecord.objects.waiting().with_versions().order_by("pk")
    never = waiting.filter(
        origin=UpgradeRecord.Origin.DETECTION,
        to_version__answers_at=None,
        tracked_model__provider__enabled=True,
    ).exclude(step=UpgradeRecord.Step.REVISION)
    some = list(never[: witness.MOST_AT_ONCE])
    return [record for record in some if witness.may_probe(record.tracked_model.provider)]


def _ask_for(record: UpgradeRecord, *, now: datetime) -> None:
    provider, id = record.tracked_model.provider, record.to_version.upstream_id
    known = witness.answered(provider=provider, upstream_ids=[id], now=now)
    said = (
        Probe("callable", "")
        if known
        else witness.probe(provider=provider, upstream_id=id, now=now)
    )
    keep_answers(provider=provider, asked={id: said}, now=now)
    if said.is_refused:
        recommendation.recommend(tracked_model_id=record.tracked_model_id, now=now)


def keep_answers(*, provider: Provider, asked: Mapping[str, Probe], now: datetime) -> None:
    """Keep with each version what came of asking for it directly."""
    alike: defaultdict[Probe, list[str]] = defaultdict(list)
    for upstream_id, said in asked.items():
        alike[said].append(upstream_id)
    for said, upstream_ids in alike.items():
        ModelVersion.objects.filter(
            tracked_model__provider=provider, upstream_id__in=upstream_ids
        ).update(answers=said.outcome, answers_why=said.sentence[:300], answers_at=now)


def _new_ids(tracked: TrackedModel, answer: lineage.Answer) -> set[str]:
    """Return what is offered, a maybe too, under another id than that in use, and waits nowhere."""
    current = tracked.current_version
    offered = {one.id for one in ([answer.successor] if answer.successor else answer.maybes)}
    ids = {version.pk: version.upstream_id for version in tracked.versions.all()}
    waiting = {ids.get(each.to_version_id) for each in tracked.upgrades.all() if each.is_waiting}
    return offered - waiting - {current.upstream_id if current else ""}
