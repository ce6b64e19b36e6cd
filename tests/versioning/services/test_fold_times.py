"""What is counted since a moment holds, whenever hours are folded into days."""

import datetime as dt

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import UpgradeRecordFactory
from versioning.models import Canary, UpgradeRecord, Watch
from versioning.services.samples import ingestion, rollups
from versioning.services.samples.incoming import SampleIn
from versioning.services.upgrades import progress
from versioning.services.upgrades.traffic import live_requests

pytestmark = pytest.mark.django_db

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DAYS = 40
moments = st.integers(0, DAYS * 24 * 60).map(lambda n: START + n * dt.timedelta(minutes=1))
events = st.lists(
    st.tuples(st.sampled_from(["sample", "fold", "fold days"]), moments), min_size=1, max_size=12
)
quick = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def hour_of(at: dt.datetime) -> dt.datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def happen(
    record: UpgradeRecord, found: list[tuple[str, dt.datetime]]
) -> tuple[list[dt.datetime], dt.datetime]:
    """Let it happen in the order of time; return when the samples were, and the last moment."""
    version = record.to_version
    samples = []
    for what, at in sorted(found, key=lambda event: event[1]):
        if what == "sample":
            item = SampleIn(
                provider=version.tracked_model.provider.slug,
                model=version.tracked_model.name,
                resolved_id=version.upstream_id,
                time=at,
            )
            assert ingestion.accept([item], api_key_id=None, now=at).accepted == 1
            samples.append(at)
        elif what == "fold":
            rollups.fold(now=at)
        else:
            rollups.fold(now=at)
            rollups.fold_days(now=at)
    return samples, max(at for _, at in found)


def counted(record: UpgradeRecord, since: dt.datetime) -> int:
    version_id = record.to_version_id
    return live_requests(version_ids=[version_id], since=since)[version_id]


@quick
@given(found=events, began=moments, course=st.sampled_from(["canary", "watch"]))
def test_a_course_under_way_counts_exactly(
    found: list[tuple[str, dt.datetime]], began: dt.datetime, course: str
) -> None:
    with transaction.atomic():
        record = UpgradeRecordFactory(state="canary")
        if course == "canary":
            step = {"weight": 50, "hours": 1}
            Canary.objects.create(record=record, steps=[step], began_at=began, step_began_at=began)
        else:
            Watch.objects.create(record=record, began_at=began, ends_at=began + 90 * 24 * HOUR)
        samples, last = happen(record, [*found, ("fold days", START + (DAYS + 5) * 24 * HOUR)])
        real = sum(hour_of(at) >= hour_of(began) for at in samples)
        assert counted(record, began) == real
        if course == "canary":
            assert progress.of(record=record, now=last).canary.requests_after == real
        transaction.set_rollback(True)


@quick
@given(found=events, since=moments)
def test_any_other_count_is_too_high_by_less_than_a_day(
    found: list[tuple[str, dt.datetime]], since: dt.datetime
) -> None:
    with transaction.atomic():
        record = UpgradeRecordFactory()
        samples, _ = happen(record, found)
        least = sum(hour_of(at) >= hour_of(since) for at in samples)
        most = sum(at.date() >= since.date() for at in samples)
        assert least <= counted(record, since) <= most
        transaction.set_rollback(True)


def test_hours_are_folded_once_the_course_is_over() -> None:
    record = UpgradeRecordFactory(state="canary")
    Canary.objects.create(
        record=record, steps=[{"weight": 50, "hours": 1}], began_at=START, step_began_at=START
    )
    happen(record, [("sample", START + HOUR), ("fold days", START + 30 * 24 * HOUR)])
    assert [row.span for row in rollups.Rollup.objects.all()] == [1]
    UpgradeRecord.objects.filter(pk=record.pk).update(state="aborted")
    happen(record, [("fold days", START + 31 * 24 * HOUR)])
    assert [row.span for row in rollups.Rollup.objects.all()] == [24]
