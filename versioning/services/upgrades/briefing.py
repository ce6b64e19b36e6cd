"""What a decision would do, said before it is made."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from versioning.domain import dates
from versioning.domain.policy import EffectivePolicy
from versioning.domain.statistics.figures import counted
from versioning.domain.transitions import UNDER_WAY, WAITING, State
from versioning.models import CatalogueEntry, ModelVersion, Notice, UpgradeRecord
from versioning.services import clock, witness
from versioning.services.upgrades import policies, way_back
from versioning.services.upgrades.policies import Resolved

# To move to what ends within two months is to move twice.
RETIRES_SOON = timedelta(days=60)
EVIDENCE_IS_OLD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Briefing:
    """One record with what its decision would change.

    ``before`` is what ``current`` answers now and ``after`` what it would answer; ``falls`` are
    the waiting records of the model that would be superseded; ``warnings`` are sentences.
    ``first`` says what happens first, and ``at_once`` whether ``after`` is answered then;
    ``way_back`` says until when one could go back.
    """

    record: UpgradeRecord
    before: ModelVersion | None
    after: ModelVersion
    falls: Sequence[UpgradeRecord]
    warnings: Sequence[str]
    first: str = ""
    at_once: bool = True
    way_back: str = ""


def of_approvals(*, records: Collection[UpgradeRecord], now: datetime) -> list[Briefing]:
    """Say for each record what approving it would do. The records come with their versions."""
    others = _others(records)
    resolved = policies.resolve_all(tracked_models=[record.tracked_model for record in records])
    told = _told_of_the_way_back(records)
    return [
        Briefing(
            record=record,
            before=record.tracked_model.current_version,
            after=record.to_version,
            first=_first(resolved[record.tracked_model_id].policy),
            at_once=not resolved[record.tracked_model_id].policy.gathers_evidence,
            # What a provider said when it was asked is newer than what its list had.
            way_back=told.get(record.pk, "")
            or _until_when(record, resolved=resolved[record.tracked_model_id], now=now),
            falls=[
                other
                for other in others
                if other.tracked_model_id == record.tracked_model_id
                and other.pk != record.pk
                and State(other.state) in WAITING
                and other.from_version_id != record.to_version_id
            ],
            warnings=[
                *_against_approving(record=record, others=others, now=now),
                *_no_way_back(
                    record=record,
                    resolved=resolved[record.tracked_model_id],
                    told=told.get(record.pk, ""),
                    now=now,
                ),
            ],
        )
        for record in records
    ]


def of_canaries(*, records: Collection[UpgradeRecord]) -> list[Briefing]:
    """Say for each canary that is on which versions it is between."""
    return [
        Briefing(
            record=record,
            before=record.tracked_model.current_version,
            after=record.to_version,
            falls=(),
            warnings=(),
        )
        for record in records
    ]


def of_rollbacks(*, records: Collection[UpgradeRecord], now: datetime) -> list[Briefing]:
    """Say for each completed record what rolling it back would do."""
    others = _others(records)
    listed = _listed_now(records)
    return [
        Briefing(
            record=record,
            before=record.tracked_model.current_version,
            after=record.from_version,
            falls=[
                other
                for other in others
                if other.tracked_model_id == record.tracked_model_id
                and State(other.state) in WAITING
                and other.from_version_id != record.from_version_id
            ],
            warnings=_against_going_back(version=record.from_version, listed=listed, now=now),
        )
        for record in records
        if record.from_version is not None
    ]


def _first(policy: EffectivePolicy) -> str:
    """Say what an approval sets going, the first stop first."""
    several = policy.approvals_needed > 1
    once = f"Once {policy.approvals_needed} people have approved it, it is" if several else "It is"
    after = ""
    if policy.required_suites and policy.canary_steps:
        weight = policy.canary_steps[0].weight
        after = f" Passed, it is tried as a canary, at first with {weight:.0%} of the keys."
    elif policy.required_suites:
        after = " Passed, it is made current."
    elif policy.canary_steps:
        after = " Before, the provider is asked whether the way back is open."
    return f"{once} {policy.first_stop}.{after}"


def _until_when(record: UpgradeRecord, *, resolved: Resolved, now: datetime) -> str:
    """Say until when one could go back; empty for a first version."""
    if record.from_version is None:
        return ""
    return way_back.until_when(
        version=record.from_version, fallback=resolved.fallback, policy=resolved.policy, now=now
    )


def _no_way_back(
    *, record: UpgradeRecord, resolved: Resolved, told: str, now: datetime
) -> list[str]:
    """Say that the way back is closed as far as checks and the last question know."""
    closed = way_back.why_closed(
        version=record.from_version, fallback=resolved.fallback, policy=resolved.policy, now=now
    )
    if not closed:
        return [told] if told else []
    refused = " It can't be approved so." if resolved.policy.gathers_evidence else ""
    return [f"{closed}{refused}"]


def _told_of_the_way_back(records: Collection[UpgradeRecord]) -> dict[int, str]:
    """Return what the open notices say of the records' ways back, in one query."""
    found = Notice.objects.open().filter(record__in=records, kind=Notice.Kind.WAY_BACK)
    return dict(found.values_list("record_id", "sentence"))


def _others(records: Collection[UpgradeRecord]) -> list[UpgradeRecord]:
    """Return what else waits or is under way for the records' models, in one query."""
    states = sorted(state.value for state in WAITING | UNDER_WAY)
    return list(
        UpgradeRecord.objects.with_versions()
        .filter(tracked_model__in={record.tracked_model_id for record in records})
        .filter(state__in=states)
        .order_by("pk")
    )


def _against_approving(
    *, record: UpgradeRecord, others: Sequence[UpgradeRecord], now: datetime
) -> list[str]:
    tracked, version = record.tracked_model, record.to_version
    warnings = []
    if State(record.state) not in WAITING:
        warnings.append(f"It is {record.get_state_display()} already: nothing will change.")
    elif tracked.current_version_id != record.from_version_id:
        warnings.append("The current version has changed since this was recommended.")
    if any(
        other.tracked_model_id == tracked.pk
        and other.pk != record.pk
        and State(other.state) in UNDER_WAY
        for other in others
    ):
        warnings.append("Another upgrade of this model is under way; this one has to wait.")
    if tracked.pinned:
        reason = f": {tracked.pin_reason.rstrip('.')}" if tracked.pin_reason else ""
        warnings.append(f"The model is pinned{reason}. Approving moves it all the same.")
    if version.is_gone:
        warnings.append(f"{version.upstream_id} is no longer listed by the provider.")
    if is_unasked(record):
        warnings.append(
            f"{version.upstream_id} is listed, and nobody has asked for it directly yet: your key "
            "may not be allowed to call it. A worker asks within minutes."
        )
    warnings += _retires_soon(version, now=now)
    if record.evidence_at is not None and now - record.evidence_at > EVIDENCE_IS_OLD:
        days = (now - record.evidence_at).days
        warnings.append(f"The evidence is {counted(days, 'day')} old.")
    return warnings


def is_unasked(record: UpgradeRecord) -> bool:
    """Tell whether it waits though its target was not asked for directly yet, and will be.

    So it is for a moment where tracking or a rule recommends at once, before a worker has asked.
    """
    return (
        record.is_waiting
        and record.origin == UpgradeRecord.Origin.DETECTION
        and record.step != UpgradeRecord.Step.REVISION
        and record.to_version.answers_at is None
        # The record's model is loaded with its provider, the version's own isn't.
        and witness.may_probe(record.tracked_model.provider)
    )


def _against_going_back(
    *, version: ModelVersion, listed: Collection[CatalogueEntry], now: datetime
) -> list[str]:
    warnings = []
    entry = next(
        (
            entry
            for entry in listed
            if entry.provider_id == version.tracked_model.provider_id
            and entry.upstream_id == version.upstream_id
        ),
        None,
    )
    if version.is_gone or (entry is not None and entry.gone_at is not None):
        warnings.append(
            f"{version.upstream_id} is no longer listed by the provider: requests may fail."
        )
    elif entry is not None and entry.missing_since is not None:
        warnings.append(f"{version.upstream_id} was missing from the provider's last listings.")
    if entry is not None and version.revision and entry.revision not in ("", version.revision):
        warnings.append(
            f"The provider serves another revision as {version.upstream_id} by now "
            f"({entry.revision} instead of {version.revision}): the earlier one may be gone."
        )
    return warnings + _retires_soon(version, now=now)


def _retires_soon(version: ModelVersion, *, now: datetime) -> list[str]:
    if version.retires_on is None:
        return []
    days = (version.retires_on - clock.local_day(now)).days
    if days < 0:
        return [f"{version.upstream_id} retired on {dates.day(version.retires_on)}."]
    if days <= RETIRES_SOON.days:
        return [
            f"{version.upstream_id} retires on {dates.day(version.retires_on)}, "
            f"in {counted(days, 'day')}."
        ]
    return []


def _listed_now(records: Collection[UpgradeRecord]) -> list[CatalogueEntry]:
    """Return the catalogue entries of the versions to go back to, in one query."""
    wanted = Q(pk__in=[])
    for record in records:
        if record.from_version is not None:
            wanted |= Q(
                provider=record.tracked_model.provider_id,
                upstream_id=record.from_version.upstream_id,
            )
    return list(CatalogueEntry.objects.filter(wanted))
