"""A world in which every operation of the API has something to answer with.

It serves whoever walks over all of them: tests, generated clients, requests made at random.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django_celery_beat.models import PeriodicTask

from tests.transactions.world import HOUR, Bustle
from tests.versioning.api.walk import Described
from versioning.models import (
    AliasTarget,
    CalendarFeed,
    CatalogueEntry,
    Check,
    Comment,
    Delivery,
    DeliveryAttempt,
    DriftFinding,
    Emergency,
    EmergencyStep,
    EvaluationCase,
    EvaluationRun,
    Event,
    Finding,
    Freeze,
    LeftOutSpans,
    Look,
    Mark,
    Notice,
    PerformanceSample,
    Policy,
    Recipient,
    ServedDrift,
    SliceTag,
    Trial,
    UpgradeRecord,
    Webhook,
)
from versioning.services import vault
from versioning.services.checks import schedules
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

TASK = "summarise"


@dataclass(frozen=True)
class Everything:
    """The parts of addresses, by the address up to them."""

    parts: dict[str, dict[str, Any]]

    def of(self, path: str) -> dict[str, Any]:
        """Return the parts of an address: those of the longest beginning that is known."""
        path = path.replace("/api/v1/", "/api/")
        known = [begin for begin in self.parts if path.startswith(begin)]
        return self.parts[max(known, key=len)] if known else {}

    def address(self, operation: Described) -> str:
        return operation.address(**self.of(operation.path))


def everything(now: dt.datetime) -> Everything:
    """Make it, and say where it is."""
    bustle = Bustle(now=now)
    waiting, canary, testing = (bustle.busy(state) for state in ("approved", "canary", "testing"))
    provider = bustle.provider
    version = waiting.current
    run = testing.run
    assert run is not None
    case = EvaluationCase.objects.filter(suite=run.frozen.suite).first()
    assert case is not None
    Trial.objects.filter(run=run).update(
        done_at=now, outcome="complete", score=1, output="5", latency_ms=3, cost_usd="0.1"
    )
    EvaluationRun.objects.filter(pk=run.pk).update(leased_until=now + HOUR)
    Mark.objects.create(
        run=run, case_key=case.key, repeat=1, prefers="same", made_by="ada", made_at=now
    )
    scored = SampleIn(provider=provider.slug, model=waiting.tracked.name, task=TASK, quality=0.5)
    assert ingestion.accept([scored] * 3, api_key_id=None, now=now).accepted == 3
    check = Check.objects.create(
        provider=provider, trigger="api", state="changed", started_at=now, lease_until=now
    )
    Finding.objects.create(
        check_run=check, kind="new_version", upstream_id="x", sentence="New.", found_at=now
    )
    CatalogueEntry.objects.create(
        provider=provider, upstream_id="x", first_seen_at=now, last_seen_at=now
    )
    AliasTarget.objects.create(provider=provider, alias="x", target="x-1", since=now)
    drift = DriftFinding.objects.create(
        version=version, measure="quality", began_on=now.date(), sentence="Fell.", found_at=now
    )
    ServedDrift.objects.create(
        version=version, served="other", samples=1, since=now, last_seen_at=now
    )
    LeftOutSpans.objects.create(day=now.date(), reason="spans of X", spans=3)
    freeze = Freeze.objects.create(
        name="Trade", starts_at=now + 90 * dt.timedelta(days=1), ends_at=now + 99 * dt.timedelta(1)
    )
    tag = SliceTag.objects.create(name="language")
    schedules.install_schedules()
    daily = PeriodicTask.objects.get(name=schedules.DAILY_CHECK)
    notice = Notice.objects.filter(record__tracked_model__provider=provider).first()
    sample = PerformanceSample.objects.exclude(version=None).first()
    assert notice is not None
    assert sample is not None
    event = Event.objects.first()
    assert event is not None
    delivery = Delivery.objects.create(
        event=event,
        tracked_model=event.tracked_model,
        channel="mail",
        to="ada@example.com",
        state="dead",
        due_at=now,
        ended_at=now,
    )
    Look.objects.create(
        record=waiting.waiting,
        stage="waiting",
        at=now,
        outcome="wait",
        evidence={"sentence": "As good."},
        evidence_hash="seen",
        is_news=True,
    )
    comment = Comment.objects.create(
        record=waiting.waiting,
        kind="comment",
        text="Wait for the fair.",
        actor_kind="staff",
        actor_name="ada",
        at=now,
    )
    webhook = Webhook.objects.create(
        name="deploy-bot",
        url="http://127.0.0.1:9/",
        secret=vault.encrypt("whsec_ZXZlcnl0aGluZw=="),
        enabled=False,
    )
    emergency = Emergency.objects.create(
        tracked_model=testing.tracked,
        reason="It answers nonsense.",
        declared_at=now - HOUR,
        ends_at=now,
        ended_at=now,
    )
    EmergencyStep.objects.create(
        emergency=emergency, kind="declared", at=now, actor_kind="staff", actor_name="ada"
    )
    recipient = Recipient.objects.create(name="ops", email="ada@example.com", enabled=False)
    calendar = CalendarFeed.objects.create(name="ada", owner="ada@example.com", hashed="0" * 64)
    policy = Policy.objects.get(pk=waiting.policy.pk)
    DeliveryAttempt.objects.create(delivery=delivery, began_at=now, status=503, error="Away.")
    records = "/api/model-versions/upgrade-recommendations"
    return Everything(
        {
            "/api/model-versions/{provider}": {
                "provider": provider.slug,
                "model": waiting.tracked.name,
            },
            f"{records}/{{id}}": {"id": waiting.waiting.pk, "comment_id": comment.pk},
            f"{records}/{{id}}/canary": {"id": canary.under_way.pk},
            "/api/performance-samples/{id}": {"id": sample.pk},
            "/api/performance-samples/{request_id}": {"request_id": "r1"},
            "/api/checks": {"id": check.pk},
            "/api/providers": {"slug": provider.slug},
            "/api/tracked-models": {"id": waiting.tracked.pk, "rule_id": waiting.rule.pk},
            "/api/versions": {"id": version.pk},
            "/api/slice-tags": {"id": tag.pk},
            "/api/policies": {"id": policy.pk},
            "/api/emergencies": {"id": emergency.pk},
            "/api/deliveries": {"id": delivery.pk},
            "/api/webhooks": {"slug": webhook.name},
            "/api/recipients": {"slug": recipient.name},
            "/api/calendars": {"slug": calendar.name},
            "/api/event-kinds": {"kind": "model.moved"},
            "/api/freezes": {"id": freeze.pk},
            "/api/schedules": {"id": daily.pk},
            "/api/notices": {"id": notice.pk},
            "/api/drift-findings": {"id": drift.pk},
            "/api/evaluation-suites": {"id": run.frozen.suite_id, "case_id": case.pk},
            "/api/evaluation-runs": {"id": run.pk},
        }
    )


def nothing_else_under_way() -> None:
    """Let the next move begin: what is under way ends."""
    UpgradeRecord.objects.under_way().update(state="aborted")
