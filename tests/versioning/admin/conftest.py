"""People who log in, and a model with a recommendation."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from tests.factories import NOW, ModelVersionFactory, UpgradeRecordFactory, UserFactory, tracked
from versioning.models import EvaluationRun, EvaluationSuite, FrozenSuite, Trial, UpgradeRecord
from versioning.models.groups import sync_groups

LogIn = Callable[[str], Client]


@pytest.fixture
def log_in(db: None) -> LogIn:
    """Return a browser of somebody in the group that is named; an empty name is no group."""

    def browser(group: str) -> Client:
        sync_groups()
        user = UserFactory(username=group or "guest", is_staff=True)
        if group:
            user.groups.add(Group.objects.get(name=group))
        client = Client()
        client.force_login(user)
        return client

    return browser


@pytest.fixture
def viewer(log_in: LogIn) -> Client:
    return log_in("viewer")


@pytest.fixture
def reviewer(log_in: LogIn) -> Client:
    return log_in("reviewer")


@pytest.fixture
def operator(log_in: LogIn) -> Client:
    return log_in("operator")


@pytest.fixture
def boss(admin_client: Client) -> Client:
    return admin_client


def recommend(*, name: str = "writer", **fields: object) -> UpgradeRecord:
    """Return a recommendation of 1.1.0 for a model at 1.0.0."""
    model = tracked(name=name, upstream_id="zeta-writer-1")
    newer = ModelVersionFactory(
        tracked_model=model, label="1.1.0", upstream_id="zeta-writer-2", previous_version=None
    )
    given = {
        "reasons": ["Same line, newer generation: 2 after 1."],
        "runners_up": [{"id": "zeta-writer-2-mini", "why_not": "Another size: mini."}],
        "evidence": {"sentence": "quality 0.75 → 0.85, +13 %", "decision": "UPGRADE"},
        "evidence_hash": "seen",
        **fields,
    }
    return UpgradeRecordFactory(tracked_model=model, to_version=newer, **given)


@pytest.fixture
def record(db: None) -> UpgradeRecord:
    return recommend()


def open_run(record: UpgradeRecord, *, suite: EvaluationSuite | None = None) -> EvaluationRun:
    """Return a run of four requests that has begun, of a suite of its own where none is given."""
    suite = suite or EvaluationSuite.objects.create(name="sums", scorers=["number"], max_tokens=20)
    frozen = FrozenSuite.objects.create(
        suite=suite, digest="x", content={}, case_count=2, frozen_at=NOW
    )
    run = EvaluationRun.objects.create(
        frozen=frozen, record=record, from_version=record.from_version,
        to_version=record.to_version, state="running", asked_by="ada", created_at=NOW, total=4,
        estimated_tokens=9, estimated_seconds=1,
    )  # fmt: skip
    for key in ("one", "two"):
        for arm in Trial.Arm.values[:2]:
            Trial.objects.create(run=run, case_key=key, repeat=1, arm=arm)
    return run


def schedule_looks() -> PeriodicTask:
    """Have what is under way looked at every five minutes, by this schedule alone."""
    every, _ = IntervalSchedule.objects.get_or_create(every=5, period="minutes")
    PeriodicTask.objects.filter(task="versioning.carry_on").delete()
    return PeriodicTask.objects.create(name="on", task="versioning.carry_on", interval=every)
