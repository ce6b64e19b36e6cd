"""Is the way back open: would the earlier version still answer if the move were wrong?

Checks know what is listed and what retires; before a first step the provider is asked itself.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from providers.base import ProviderError, Refused
from versioning.domain import dates
from versioning.domain.evidence import KeptWayBack
from versioning.domain.policy import EffectivePolicy
from versioning.domain.statistics.figures import counted
from versioning.models import ModelVersion, Notice, UpgradeRecord
from versioning.services import clock, notices, witness


class WayBackState(StrEnum):
    """What asking came to; no answer is unknown: neither open nor gone."""

    OPEN = "open"
    CLOSED = "closed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """What the provider said of the version to go back to, and when it was asked."""

    outcome: WayBackState
    version: ModelVersion | None
    sentence: str
    asked_at: datetime

    @property
    def is_open(self) -> bool:
        return self.outcome is WayBackState.OPEN

    def kept(self) -> KeptWayBack:
        """Return it as a step keeps it."""
        return KeptWayBack(
            outcome=self.outcome.value,
            version=self.version.upstream_id if self.version else None,
            sentence=self.sentence,
            asked_at=self.asked_at.isoformat(),
        )


def why_closed(
    *,
    version: ModelVersion | None,
    fallback: ModelVersion | None,
    policy: EffectivePolicy,
    now: datetime,
) -> str:
    """Say what is wrong with the way back; empty where it is open until the watch period ends.

    Judged by what checks know: is the version listed, when does it retire. A canary counts with
    its holds by time. A fallback that a policy names opens a closed way.
    """
    if version is None:
        return ""
    until = _needed_until(policy=policy, now=now)
    if any(_lives(each, until=until) for each in _ways(version, fallback)):
        return ""
    if version.is_gone:
        return f"There is no way back: {version.upstream_id} is no longer listed."
    return (
        f"There would be no way back: {version.upstream_id} retires on "
        f"{dates.day(version.retires_on)}, inside the watch period that ends on "
        f"{dates.day(until)}. Name a fallback version in its policy."
    )


def until_when(
    *,
    version: ModelVersion,
    fallback: ModelVersion | None,
    policy: EffectivePolicy,
    now: datetime,
) -> str:
    """Say until when one could go back to a version, and who would, as far as checks know."""
    closed = why_closed(version=version, fallback=fallback, policy=policy, now=now)
    if closed:
        return closed
    open_way = version
    if fallback is not None and not _lives(version, until=_needed_until(policy=policy, now=now)):
        open_way = fallback
    name, retires_on = open_way.upstream_id, open_way.retires_on
    way = f"{name}, the fallback of its policy," if open_way is not version else name
    end = f"until {way} retires on {dates.day(retires_on)}" if retires_on else f"to {way}"
    said = f"The way back is open {end}{'' if retires_on else ', with no end announced'}."
    if not policy.watch_days:
        return f"{said} Nobody watches the move: its policy has no watch period."
    worse = "it is rolled back by itself" if policy.rollback_by_itself else "you are asked"
    watched = counted(policy.watch_days, "day")
    return f"{said} The move is watched for {watched}; where it is worse, {worse}."


def verify(
    *,
    version: ModelVersion | None,
    fallback: ModelVersion | None,
    policy: EffectivePolicy,
    now: datetime,
) -> WayBack:
    """Ask the provider whether the version, else the fallback, answers until the watch ends.

    Speaks HTTP within the provider's time limit, so it is called outside any transaction. It
    asks what the provider lists, and for the version itself (see ``witness``); a provider that
    gives no answer leaves it unknown.
    """
    if version is None:
        return WayBack(
            outcome=WayBackState.OPEN,
            version=None,
            sentence="There was no version before.",
            asked_at=now,
        )
    until = _needed_until(policy=policy, now=now)
    first = _probe(version, until=until, now=now)
    # Unknown is no reason for the fallback: the earlier version may be there in a minute.
    if first.outcome in (WayBackState.OPEN, WayBackState.UNKNOWN):
        return first
    if fallback is None or fallback.pk == version.pk:
        return first
    second = _probe(fallback, until=until, now=now)
    return WayBack(
        outcome=second.outcome,
        version=fallback,
        sentence=f"{first.sentence} The fallback: {second.sentence}",
        asked_at=now,
    )


def probe(*, version: ModelVersion, now: datetime) -> WayBack:
    """Ask the provider whether it still lists a version today. Speaks HTTP, as ``verify`` does."""
    return _probe(version, until=clock.local_day(now), now=now)


def update_notice(*, record: UpgradeRecord, back: WayBack, now: datetime) -> None:
    """Raise a notice of a way that isn't open, in the words of now; close it where it is."""
    sentence = f"{record} waits. {back.sentence}"[:500]
    opened = Notice.objects.open().filter(record=record, kind=Notice.Kind.WAY_BACK)
    if not back.is_open and opened.filter(sentence=sentence).exists():
        return
    # One open notice of a kind: the one in yesterday's words makes room for today's.
    notices.resolve(record=record, kind=Notice.Kind.WAY_BACK, by="scheduler", now=now)
    if not back.is_open:
        notices.raise_for(record=record, kind=Notice.Kind.WAY_BACK, sentence=sentence, now=now)


def waits_for(record: UpgradeRecord) -> str:
    """Say what an approved record waits for."""
    told = record.notices.open().filter(kind=Notice.Kind.WAY_BACK).first()
    return told.sentence if told else "It is approved; first the provider is asked for a way back."


def _probe(version: ModelVersion, *, until: date, now: datetime) -> WayBack:
    outcome, sentence = _asked(version, until=until, now=now)
    return WayBack(outcome=outcome, version=version, sentence=sentence, asked_at=now)


def _asked(version: ModelVersion, *, until: date, now: datetime) -> tuple[WayBackState, str]:
    """Ask what the list says of a version, and then for the version itself."""
    name, provider = version.upstream_id, version.tracked_model.provider
    try:
        listed = provider.adapter().describe(name, at=now)
    except Refused as error:
        return WayBackState.REFUSED, f"Nobody may ask for {name}, so there is no way back: {error}"
    except ProviderError as error:
        return WayBackState.UNKNOWN, f"Nobody knows whether {name} still answers: {error}"
    asked = witness.probe(provider=provider, upstream_id=name, now=now)
    if listed is None and not asked.is_callable:
        return (
            WayBackState.CLOSED,
            f"There is no way back: {provider} does not list {name} any more.",
        )
    if asked.is_refused:
        return WayBackState.CLOSED, (
            f"There is no way back: {provider} lists {name}, and refuses it: {asked.sentence}"
        )
    retires_on = (listed.retires_on if listed else None) or version.retires_on
    if retires_on is not None and retires_on <= until:
        return WayBackState.CLOSED, (
            f"There would be no way back: {name} retires on {dates.day(retires_on)}, and it is "
            f"needed until {dates.day(until)}."
        )
    end = f"until {dates.day(retires_on)}" if retires_on else "with no end announced"
    what = f"lists {name}" if listed else f"does not list {name}, and still answers it"
    return WayBackState.OPEN, f"The way back is open: {provider} {what}, {end}."


def _ways(version: ModelVersion, fallback: ModelVersion | None) -> list[ModelVersion]:
    return [version] if fallback is None else [version, fallback]


def _needed_until(*, policy: EffectivePolicy, now: datetime) -> date:
    """Return the end of the watch period, were the first step made now."""
    holds = sum(float(step.hold_hours) for step in policy.canary_steps)
    return clock.local_day(now + timedelta(days=policy.watch_days, hours=holds))


def _lives(version: ModelVersion, *, until: date) -> bool:
    return not version.is_gone and (version.retires_on is None or version.retires_on > until)
