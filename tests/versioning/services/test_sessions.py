"""Sessions that got both versions of a canary are counted out, visibly."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.factories import ModelVersionFactory, TrackedModelFactory, UpgradeRecordFactory
from versioning.models import Canary, ModelVersion, PerformanceSample
from versioning.services.evidence import comparison, performance
from versioning.services.samples import ingestion, late_scores, rollup_rebuild, rollups, sessions
from versioning.services.samples.incoming import SampleIn, ScoreIn
from versioning.services.upgrades import canary

pytestmark = pytest.mark.django_db
NOW = timezone.now()
BEGAN = NOW - timedelta(hours=5)


@pytest.fixture
def pair() -> tuple[ModelVersion, ModelVersion]:
    tracked = TrackedModelFactory(name="writer", current_version=None)
    old = ModelVersionFactory(tracked_model=tracked, upstream_id="writer-1")
    new = ModelVersionFactory(tracked_model=tracked, upstream_id="writer-2")
    tracked.current_version = old
    tracked.save()
    return old, new


def report(version: ModelVersion, *, session: str = "", quality: float = 0.5, **more: Any) -> None:
    fields = {"resolved_id": version.upstream_id, "session": session, "quality": quality}
    item = SampleIn(**{"model": "writer", "time": NOW - timedelta(hours=1), **fields, **more})
    answer = ingestion.accept([item], api_key_id=None, now=NOW)
    assert (answer.accepted, answer.rejected) == (1, ())


def count_out(pair: tuple[ModelVersion, ModelVersion]) -> int:
    return sessions.count_out(from_version_id=pair[0].pk, to_version_id=pair[1].pk, since=BEGAN)


def scores_compared(pair: tuple[ModelVersion, ModelVersion]) -> tuple[int, int]:
    found = comparison.evidence(from_version=pair[0], to_version=pair[1], now=NOW).details
    return found["quality"]["n_current"], found["quality"]["n_candidate"]


def test_only_sessions_that_got_both_are_counted_out(
    pair: tuple[ModelVersion, ModelVersion],
) -> None:
    old, new = pair
    for version, session in [(old, "a"), (old, "b"), (new, "b"), (new, "c"), (old, ""), (new, "")]:
        report(version, session=session)
    assert scores_compared(pair) == (3, 3)
    assert count_out(pair) == 2
    assert scores_compared(pair) == (2, 2)
    assert count_out(pair) == 0
    rollups.fold(now=NOW)
    assert scores_compared(pair) == (2, 2)


def test_comparison_says_how_many_and_figures_keep_them(
    pair: tuple[ModelVersion, ModelVersion],
) -> None:
    old, new = pair
    for version in (old, old, new):
        report(version, session="b")
    count_out(pair)
    told = comparison.evidence(from_version=old, to_version=new, now=NOW).details["warnings"]
    assert {
        "code": "mixed_sessions",
        "text": "3 requests of sessions that got both versions of a canary are counted out",
    } in told
    assert performance.figures(version_ids=[old.pk])[old.pk].total.samples == 2


def test_what_came_before_the_canary_stays(pair: tuple[ModelVersion, ModelVersion]) -> None:
    old, new = pair
    report(old, session="b", time=BEGAN - timedelta(hours=1))
    report(new, session="b")
    assert count_out(pair) == 0
    report(old, session="b")
    assert count_out(pair) == 2


def test_late_score_of_a_sample_counted_out_is_counted_out(
    pair: tuple[ModelVersion, ModelVersion],
) -> None:
    old, new = pair
    for version in (old, new) * 3:
        report(version, quality=0.5)
    report(old, session="b", request_id="r1", quality=0.1)
    report(new, session="b")
    count_out(pair)
    late_scores.attach([ScoreIn(request_id="r1", quality=0.9)], api_key_id=None, now=NOW)
    details = comparison.evidence(from_version=old, to_version=new, now=NOW).details
    assert float(details["quality"]["current"]) == pytest.approx(0.5)


@pytest.mark.django_db(transaction=True)
def test_rollups_are_still_what_the_samples_give(pair: tuple[ModelVersion, ModelVersion]) -> None:
    old, new = pair
    for version in (old, new):
        report(version, session="b", tags={"language": "de"}, error="timeout")
    count_out(pair)
    assert rollup_rebuild.verify().differences == ()
    rollup_rebuild.rebuild()
    assert rollup_rebuild.verify().differences == ()
    assert scores_compared(pair) == (0, 0)


def test_another_keys_session_of_the_same_name_is_another(
    pair: tuple[ModelVersion, ModelVersion],
) -> None:
    for key, version in enumerate(pair):
        item = SampleIn(model="writer", resolved_id=version.upstream_id, session="b")
        ingestion.accept([item], api_key_id=key + 1, now=NOW)
    assert PerformanceSample.objects.values("session_hash").distinct().count() == 2
    assert count_out(pair) == 0


def test_each_look_at_a_canary_counts_them_out(pair: tuple[ModelVersion, ModelVersion]) -> None:
    old, new = pair
    record = UpgradeRecordFactory(
        tracked_model=old.tracked_model, from_version=old, to_version=new, state="canary"
    )
    Canary.objects.create(record=record, steps=[{"weight": 5}], began_at=BEGAN, step_began_at=BEGAN)
    for version in pair:
        report(version, session="b")
    canary.evaluate(record_id=record.pk, now=NOW)
    assert scores_compared(pair) == (0, 0)
