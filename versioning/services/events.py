"""Write down what happened, in the transaction in which it happens: the outbox's way in.

What leaves the machine is given to its channels by ``outbox``; what people must know here is a
notice at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet, prefetch_related_objects

from providers.models import Provider
from versioning.domain import dates
from versioning.domain.event_schemas import KINDS, payload_fields
from versioning.domain.events import VERSIONS, EventKind
from versioning.models import Delivery, Event, ModelVersion, Notice, TrackedModel, UpgradeRecord
from versioning.services import notices, nudges, stopping
from versioning.services.actors import Actor
from versioning.services.channels import CHANNELS

# Whoever follows by id and was away for less than a quarter misses nothing.
KEPT = timedelta(days=90)
STEP = 5_000
"""Events dropped in one statement: so no writer waits for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What an event is made of: about ``tracked``, else about ``provider``, else about all.

    ``details`` are the kind's own fields (``event_schemas.KINDS``) as JSON.
    """

    kind: EventKind
    tracked: TrackedModel | None = None
    provider: Provider | None = None
    sentence: str
    details: Mapping[str, Any]
    record: UpgradeRecord | None = None
    version: ModelVersion | None = None
    notice: Notice.Kind | None = None
    """What people must know of it; it needs a record."""

    def __post_init__(self) -> None:
        fields, own = payload_fields(self.kind).keys(), KINDS[self.kind].details.keys()
        held = _payload(self).keys()
        if held != fields or self.details.keys() != own:
            raise ValueError(f"{self.kind} has the fields {sorted(fields)}, not {sorted(held)}.")

    @property
    def of(self) -> Provider | None:
        """Return the provider that it is about, or whose model it is about."""
        return self.provider if self.tracked is None else self.tracked.provider


def write(
    kind: EventKind,
    *,
    tracked: TrackedModel | None = None,
    provider: Provider | None = None,
    sentence: str,
    actor: Actor,
    now: datetime,
    record: UpgradeRecord | None = None,
    version: ModelVersion | None = None,
    details: Mapping[str, Any],
    notice: Notice.Kind | None = None,
) -> Event:
    """Write one event as ``write_all`` does; see ``Happening`` for what it is made of."""
    happening = Happening(
        kind=kind,
        tracked=tracked,
        provider=provider,
        sentence=sentence,
        details=details,
        record=record,
        version=version,
        notice=notice,
    )
    return write_all([happening], actor=actor, now=now)[0]


def write_all(happenings: Sequence[Happening], *, actor: Actor, now: datetime) -> list[Event]:
    """Write events, to whom they have to go, and notices of them if people must know.

    Called in the transaction that made it happen, with the tracked models locked: so a model's
    events are in order. As many queries for any number of events without a notice.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("An event is written in the transaction of what happened.")
    written = Event.objects.bulk_create(
        Event(
            kind=each.kind.value,
            version=VERSIONS[each.kind],
            at=now,
            provider=each.of,
            tracked_model=each.tracked,
            record=each.record,
            model_version=each.version,
            actor_kind=actor.kind,
            actor_name=actor.name,
            sentence=each.sentence[:500],
            payload=_payload(each),
        )
        for each in happenings
    )
    _address(written)
    for each in happenings:
        if each.notice is not None and each.record is not None:
            notices.raise_for(record=each.record, kind=each.notice, sentence=each.sentence, now=now)
    return written


def retirement_changed(
    version: ModelVersion, *, before: date | None, actor: Actor, now: datetime
) -> None:
    """Tell that a version's retirement date was set, moved or taken back. Its model is locked."""
    after = version.retires_on
    what = "has no retirement date any more" if after is None else f"retires on {dates.day(after)}"
    was = f" It was {dates.day(before)} before." if before else ""
    write(
        EventKind.RETIREMENT_CHANGED,
        tracked=version.tracked_model,
        version=version,
        sentence=f"{version.upstream_id} {what}.{was}",
        actor=actor,
        now=now,
        details={
            "before": before.isoformat() if before else None,
            "retires_on": after.isoformat() if after else None,
            "is_current": version.tracked_model.current_version_id == version.pk,
        },
    )


def with_subjects() -> QuerySet[Event]:
    """Return all events with the models that they are about."""
    return Event.objects.with_subjects()


def forget_old(*, now: datetime) -> int:
    """Drop the events that were kept long enough and wait for nobody; return how many went.

    What happened stays in the history of upgrades: an event is only the news of it.
    """
    old = Event.objects.filter(at__lt=now - KEPT)
    old = old.exclude(deliveries__state=Delivery.State.PENDING)
    return stopping.in_parts(
        lambda: _drop(list(old.order_by("pk").values_list("pk", flat=True)[:STEP]))
    )


def _drop(ids: list[int]) -> int:
    Event.objects.filter(pk__in=ids).delete()
    return len(ids)


def _address(events: Sequence[Event]) -> None:
    of_teams = [e.tracked_model for e in events if e.tracked_model and e.tracked_model.team_id]
    prefetch_related_objects(of_teams, "team")  # a closed team's news goes to few
    deliveries = [
        Delivery(
            event=due.event,
            tracked_model_id=due.event.tracked_model_id,
            lane=_lane_of(due.event),
            channel=channel.name,
            to=due.to,
            due_at=due.at,
        )
        for channel in CHANNELS.values()
        for due in channel.takers(events)
    ]
    if deliveries:
        Delivery.objects.bulk_create(deliveries)
        nudges.soon(nudges.Nudge.DELIVER)


def _lane_of(event: Event) -> str:
    """Return what keeps the order: a model's events have one, a provider's have one of theirs."""
    if event.tracked_model_id is not None:
        return f"model {event.tracked_model_id}"
    return f"provider {event.provider_id}" if event.provider_id is not None else "all"


def _payload(happening: Happening) -> dict[str, Any]:
    tracked, record, version = happening.tracked, happening.record, happening.version
    provider = happening.of
    payload: dict[str, Any] = {
        "provider": provider.slug if provider else None,
        "model": tracked.name if tracked else None,
    }
    if record is not None:
        payload |= {
            "state": record.state,
            "origin": record.origin,
            "step": record.step,
            "from": _named(record.from_version),
            "to": _named(record.to_version),
        }
    if version is not None:
        payload["version"] = _named(version)
    return payload | dict(happening.details)


def _named(version: ModelVersion | None) -> dict[str, Any] | None:
    if version is None:
        return None
    return {"id": version.pk, "label": version.label, "upstream_id": version.upstream_id}
