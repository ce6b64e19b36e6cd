"""What staff should look at now: decisions, providers, retirements, news."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Subquery

from providers.models import Provider
from versioning.domain.transitions import State
from versioning.models import (
    Approval,
    Check,
    DriftFinding,
    Event,
    ModelVersion,
    Notice,
    ServedDrift,
    UnknownModel,
    UpgradeRecord,
    UpgradeStep,
)
from versioning.models.upgrades import UpgradeRecordQuerySet
from versioning.services import clock, lookups, notices, teams
from versioning.services.evidence import served_drift
from versioning.services.outbox import Backlog, backlog
from versioning.services.own_inbox import Narrowing
from versioning.services.teams import Caller
from versioning.services.upgrades import held_back, retirement
from versioning.services.upgrades.held_back import HeldId, HeldVersion, Why
from versioning.services.upgrades.retirement import Clock
from versioning.services.upgrades.traffic import live_requests

RETIRING_WITHIN = timedelta(days=90)
DRIFT_SHOWN_FOR = timedelta(days=14)
WEEK = timedelta(days=7)
SHOWN = 25
"""Rows of what waits and of what is under way: more is no start page, but a list."""
SHOWN_NEWS = 8
SHOWN_NOTICES = 4
"""They stand above what waits for a decision: that must be seen, too."""
MOST_NEW = 100
ENDS = (
    State.COMPLETED,
    State.REJECTED,
    State.ROLLED_BACK,
    State.FAILED,
    State.ABORTED,
)


@dataclass(frozen=True, slots=True)
class ProviderState:
    """A provider that checks ask, with its latest finished check."""

    provider: Provider
    last: Check | None
    is_running: bool

    @property
    def has_failed(self) -> bool:
        return self.last is not None and self.last.state == Check.State.FAILED


@dataclass(frozen=True, slots=True)
class RetiringVersion:
    """A version in use that retires soon, and whether its successor waits for a decision."""

    version: ModelVersion
    has_recommendation: bool


@dataclass(frozen=True, slots=True)
class Starting:
    """A move whose last safe start is this week or past, and the upgrade that is meant for it."""

    clock: Clock
    record: UpgradeRecord | None
    """What waits for a decision or is under way; None where no successor was found."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """Everything on the start page. Lists are cut at what a page can hold."""

    starting: Sequence[Starting]
    starting_count: int
    notices: Sequence[Notice]
    notice_count: int
    waiting: Sequence[UpgradeRecord]
    """Each with its standing approvals as ``approvals``."""
    waiting_count: int
    requests: Mapping[int, int]
    """Live requests of the last week of what retires among the waiting, by version."""
    maybes: Sequence[UpgradeRecord]
    """Apart from what waits: nobody can tell whether these are successors at all."""
    held: Sequence[HeldVersion | HeldId]
    held_count: int
    """How many newer versions are neither in use nor asked about."""
    under_way: Sequence[UpgradeRecord]
    under_way_count: int
    providers: Sequence[ProviderState]
    retiring: Sequence[RetiringVersion]
    moves: Sequence[UpgradeStep]
    drifts: Sequence[DriftFinding]
    served_otherwise: Sequence[ServedDrift]
    unknown: Sequence[UnknownModel]
    outbox: Backlog
    happened: Sequence[Event]
    """Since the moment that was asked for, newest first; at most ``MOST_NEW``."""


def waiting_count(caller: Caller | None = None) -> int:
    """Return how many recommendations wait for a decision, of those that the caller sees."""
    return teams.visible(UpgradeRecord.objects.all(), caller).recommended().count()


def under_way(caller: Caller | None = None) -> list[UpgradeRecord]:
    """Return what is under way, each with its canary; what changed last comes first."""
    records = teams.visible(UpgradeRecord.objects.with_versions(), caller).under_way()
    records = records.select_related("canary")
    return list(records.order_by("-changed_at", "-pk")[:SHOWN])


def gather(
    *,
    now: datetime,
    narrowing: Narrowing,
    own_address: str,
    since: datetime | None,
    caller: Caller | None = None,
) -> Inbox:
    """Gather the start page with the same number of queries however much there is.

    What waits is narrowed to what is asked for; what happened is told since a moment, if one is
    known.
    """
    records = teams.visible(UpgradeRecord.objects.with_versions(), caller)
    due = retirement.due_this_week(now=now, caller=caller)
    wanted = narrowing.of(records.recommended(), own_address=own_address, now=now)
    waiting = _waiting(wanted)
    told = teams.visible(notices.urgent_first(), caller)
    not_asked = held_back.find(caller=caller).only(frozenset(Why) - held_back.ASKED)
    moving = under_way(caller)
    return Inbox(
        starting=_starting(retirement.clocks(due[:SHOWN_NEWS])),
        starting_count=len(due),
        notices=lookups.first_ones(told, SHOWN_NOTICES),
        notice_count=told.count(),
        waiting=waiting,
        waiting_count=_all_of(wanted, shown=waiting),
        requests=_requests(waiting, now=now),
        maybes=list(records.maybes().urgent_first()[:SHOWN_NEWS]),
        held=held_back.read(not_asked.ids[:SHOWN_NEWS], now=now),
        held_count=len(not_asked.ids),
        under_way=moving,
        under_way_count=_all_of(records.under_way(), shown=moving),
        providers=_providers(),
        retiring=_retiring(now, caller=caller),
        moves=list(
            teams.visible(UpgradeStep.objects.filter(after__in=ENDS), caller)
            .select_related(
                "record__tracked_model__provider", "record__from_version", "record__to_version"
            )
            .order_by("-at", "-pk")[:SHOWN_NEWS]
        ),
        drifts=lookups.first_ones(
            teams.visible(DriftFinding.objects.filter(resolved_at=None), caller)
            .select_related("version__tracked_model__provider")
            .order_by("-found_at", "-pk"),
            SHOWN_NEWS,
        ),
        served_otherwise=list(
            teams.visible(served_drift.drifts(), caller)
            .filter(last_seen_at__gte=now - DRIFT_SHOWN_FOR)
            .order_by("-last_seen_at", "-pk")[:SHOWN_NEWS]
        ),
        unknown=list(UnknownModel.objects.open().order_by("-last_seen_at", "-pk")[:SHOWN_NEWS]),
        outbox=backlog(now=now),
        happened=_since(since, caller=caller),
    )


def _all_of(records: UpgradeRecordQuerySet, *, shown: Sequence[UpgradeRecord]) -> int:
    """Return how many there are; they are counted only where the page doesn't hold them all."""
    return len(shown) if len(shown) < SHOWN else records.count()


def _waiting(wanted: UpgradeRecordQuerySet) -> list[UpgradeRecord]:
    """Return the most urgent of them, with the approvals that they have."""
    approvals = Prefetch("approvals", queryset=Approval.objects.standing().order_by("given_at"))
    return lookups.first_ones(wanted.urgent_first().prefetch_related(approvals), SHOWN)


def _since(moment: datetime | None, *, caller: Caller | None) -> list[Event]:
    """Return what happened since a moment, newest first, and no more than anybody would read."""
    if moment is None:
        return []
    events = teams.visible(Event.objects.filter(at__gt=moment).with_subjects(), caller)
    return list(events.order_by("-at", "-pk")[:MOST_NEW])


def _requests(waiting: Sequence[UpgradeRecord], *, now: datetime) -> Mapping[int, int]:
    """Return how many requests a retirement would meet: those of the last week, by version."""
    ids = [each.from_version_id for each in waiting if each.urgent_on and each.from_version_id]
    return live_requests(version_ids=ids, since=now - WEEK)


def _starting(clocks: Sequence[Clock]) -> list[Starting]:
    """Return the clocks, each with what is under way for its model, else what waits."""
    found = retirement.moves([clock.tracked_model.pk for clock in clocks])
    return [Starting(clock=clock, record=found.get(clock.tracked_model.pk)) for clock in clocks]


def _providers() -> list[ProviderState]:
    """Return the enabled providers, failed ones first."""
    checks = Check.objects.filter(provider=OuterRef("pk"))
    latest = checks.finished().order_by("-started_at", "-pk").values("pk")[:1]
    providers = list(
        Provider.objects.filter(enabled=True)
        .annotate(last_check=Subquery(latest), is_running=Exists(checks.running()))
        .order_by("slug")
    )
    found = Check.objects.in_bulk([provider.last_check for provider in providers])
    states = [
        ProviderState(
            provider=provider,
            last=found.get(provider.last_check),
            is_running=provider.is_running,
        )
        for provider in providers
    ]
    return sorted(states, key=lambda state: not state.has_failed)


def _retiring(now: datetime, *, caller: Caller | None) -> list[RetiringVersion]:
    waiting = UpgradeRecord.objects.waiting().sure()
    waiting = waiting.filter(tracked_model=OuterRef("tracked_model"))
    versions: Iterable[Any] = (
        teams.visible(
            ModelVersion.objects.retiring(by=clock.local_day(now) + RETIRING_WITHIN), caller
        )
        .select_related("tracked_model__provider")
        .annotate(has_recommendation=Exists(waiting))
        .order_by("retires_on", "pk")[:SHOWN_NEWS]
    )
    return [
        RetiringVersion(version=version, has_recommendation=bool(version.has_recommendation))
        for version in versions
    ]
