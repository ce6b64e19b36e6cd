"""A canary that fails before your eyes: yesterday, told again in a minute.

Only the clock is a trick. It begins at yesterday's midnight (UTC) and goes on an hour each few
seconds, so that nothing lies in the future; the model is tracked, the samples are taken in, and the
canary is looked at by the services that always do so.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal

from django.db import transaction

from providers.http.guard import nobody_waits
from providers.models import Provider
from sample_world import story
from sample_world.traffic import Flow, requests
from versioning.domain.transitions import State
from versioning.models import Policy, UpgradeRecord
from versioning.services import clock, editing, tracking
from versioning.services.actors import Actor
from versioning.services.samples import ingestion
from versioning.services.upgrades import canary, decisions, rollout

PROVIDER, NAME, TASK = "openai", "time-lapse", "answer"
NEWER = "gpt-4o-2024-11-20"
HOURS = 24
SECONDS_AN_HOUR = 3.0
REQUESTS_AN_HOUR = 240
STEPS = [
    {"weight": 25, "hours": 3},
    {"weight": 50, "hours": 6},
    {"weight": 75, "hours": 12},
]
PRICE = Decimal(2)
"""USD per million tokens, of both."""
GOOD = 0.88
"""Quality of the version in use, and of the newer one at first."""
GOOD_FOR = 4
"""Hours in which the newer one is as good."""
FALLS_BY, LOWEST = 0.3, 0.05
"""What its quality loses an hour from then on, and where it ends."""


@nobody_waits()
@transaction.atomic
def begin(*, actor: Actor, now: datetime) -> UpgradeRecord:
    """Track a model of its own, as of yesterday, and begin its canary; return the record.

    In one transaction: a worker that is nudged meanwhile finds the canary begun.
    """
    began = _midnight(now)
    tracked = tracking.start_tracking(
        provider_id=Provider.objects.get(slug=PROVIDER).pk,
        name=f"{NAME}-{now:%d-%H%M%S}",
        upstream_id=story.PAIR,
        actor=actor,
        now=began,
    )
    editing.add(
        Policy(tracked_model=tracked, canary_steps=STEPS, canary_asks="no_harm"), actor=actor
    )
    record = decisions.request_upgrade(
        tracked=tracked,
        upstream_id=NEWER,
        actor=actor,
        now=began,
        reason="Time-lapse: yesterday in a minute.",
    )
    return rollout.advance_approved(record_id=record.pk, now=began)


def go_on(
    *, record_id: int, now: datetime, pause: Callable[[float], None] = time.sleep
) -> UpgradeRecord:
    """Tell hour after hour until the canary has ended, or the day has; return the record."""
    record = UpgradeRecord.objects.with_versions().get(pk=record_id)
    for hour in range(HOURS):
        if record.state != State.CANARY:
            break
        begins = _midnight(now) + timedelta(hours=hour)
        ends = begins + timedelta(hours=1)
        samples = [
            sample
            for flow in _flows(record, hour)
            for sample in requests(flow, begins=begins, ends=ends)
        ]
        ingestion.accept(samples, api_key_id=None, now=ends)
        canary.evaluate(record_id=record_id, now=ends)
        record = UpgradeRecord.objects.with_versions().get(pk=record_id)
        pause(SECONDS_AN_HOUR)
    return record


def _midnight(now: datetime) -> datetime:
    """Return when yesterday began (UTC)."""
    return datetime.combine(clock.utc_day(now) - timedelta(days=1), clock_time(), tzinfo=UTC)


def _flows(record: UpgradeRecord, hour: int) -> Iterator[Flow]:
    """Return an hour's requests, split as the canary's step means."""
    assert record.from_version is not None  # noqa: S101  (a canary has both)
    weight = float(record.canary.weight)
    worse = max(LOWEST, GOOD - FALLS_BY * max(0, hour - GOOD_FOR + 1))
    for version, quality, share in (
        (record.from_version, GOOD, 1 - weight),
        (record.to_version, worse, weight),
    ):
        yield Flow(
            provider=PROVIDER,
            model=record.tracked_model.name,
            upstream_id=version.upstream_id,
            task=TASK,
            nth=hour,
            count=round(REQUESTS_AN_HOUR * share),
            quality=quality,
            latency_ms=900.0,
            input_price=PRICE,
            output_price=PRICE,
            is_trial=version == record.to_version,
        )
