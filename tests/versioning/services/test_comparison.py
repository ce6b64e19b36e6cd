"""Evidence from samples: a verdict, a decision and a sentence, the same until samples change."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW, ModelVersionFactory, ProviderFactory, tracked
from versioning.domain.evidence import Evidence
from versioning.domain.statistics.inputs import Thresholds
from versioning.models import SliceTag
from versioning.services.evidence import comparison
from versioning.services.samples import ingestion, late_scores, rollups
from versioning.services.samples.incoming import SampleIn, ScoreIn
from versioning.services.upgrades import policies

pytestmark = pytest.mark.django_db


@pytest.fixture
def writer(db: None):
    return tracked(name="writer", upstream_id="one", provider__slug="acme")


@pytest.fixture
def newer(writer):
    return ModelVersionFactory(tracked_model=writer, label="1.1.0", upstream_id="two")


DAYS = 10


def send(upstream_id: str, *qualities: float | None, times: int = 1, **fields: object) -> None:
    """Send samples spread over ten days, the same in each: so both versions are side by side."""
    given = {"provider": "acme", "model": "writer", "task": "extract"} | fields
    samples = [
        SampleIn(
            resolved_id=upstream_id,
            quality=quality,
            time=NOW - dt.timedelta(days=number % DAYS),
            **given,
        )
        for number in range(times)
        for quality in qualities
    ]
    assert ingestion.accept(samples, api_key_id=1, now=NOW).accepted == len(samples)


def evidence(writer, newer, *, least: str = "0", **kwargs: object) -> Evidence:
    return comparison.evidence(
        from_version=writer.current_version,
        to_version=newer,
        now=NOW,
        thresholds=Thresholds(
            min_quality_improvement=Decimal(least), max_latency_rise=None, max_cost_rise=None
        ),
        **kwargs,
    )


def test_a_better_version_is_to_be_taken(writer, newer):
    send("one", 0.7, 0.8, times=300)
    send("two", 0.8, 0.9, times=300)

    found = evidence(writer, newer, least="0.1")

    assert (found.verdict, found.decision) == ("better", "UPGRADE")
    assert round(found.improvement, 3) == Decimal("0.133")
    assert "0.75" in found.sentence
    assert "13" in found.sentence


@pytest.mark.parametrize(
    ("least", "decision"), [("0.1", "UPGRADE"), ("0.1000001", "STAY"), ("0.0999999", "UPGRADE")]
)
def test_an_improvement_of_exactly_the_threshold_passes(writer, newer, least, decision):
    """0.55 / 0.5 is 10 %, although binary floats make it a little more or less."""
    send("one", 0.4, 0.6, times=400)
    send("two", 0.45, 0.65, times=400)

    found = evidence(writer, newer, least=least)

    assert found.improvement == Decimal("0.1")
    assert found.decision == decision


def test_few_days_say_what_comes_first(writer, newer):
    send("one", 0.7, 0.8, times=20)
    send("two", 0.8, 0.9, times=5)

    found = evidence(writer, newer)

    assert (found.verdict, found.decision) == ("not_enough_data", "NOT ENOUGH EVIDENCE")
    assert (
        "at least 7 days side by side (so far 5) and 30 samples a side (so far worth 10)"
        in found.sentence
    )


def test_no_samples_at_all_is_no_error(writer, newer):
    found = evidence(writer, newer)
    assert (found.verdict, found.improvement) == ("not_enough_data", None)


def test_a_worse_slice_blocks_whatever_the_mean_says(writer, newer):
    SliceTag.objects.create(name="language")
    for language, quality in (("de", 0.2), ("en", 0.95)):
        send("one", 0.5, 0.6, times=300, tags={"language": language})
        send("two", quality - 0.05, quality + 0.05, times=300, tags={"language": language})

    found = evidence(writer, newer)

    assert found.decision == "BLOCKED"
    assert found.details["worse_slices"] == ["language=de"]


def test_more_errors_block(writer, newer):
    send("one", 0.7, 0.8, times=300)
    send("two", 0.8, 0.9, times=300)
    send("two", None, times=200, error="timeout")

    assert evidence(writer, newer).decision == "BLOCKED"


def test_missing_scores_are_not_zero_and_are_said(writer, newer):
    send("one", 0.7, 0.8, times=200)
    send("two", 0.8, 0.9, times=200)
    send("two", None, times=3_600)

    found = evidence(writer, newer)

    assert round(found.improvement, 3) == Decimal("0.133")
    assert found.details["quality"]["coverage_candidate"] == 0.1
    assert "low_quality_coverage" in [warning["code"] for warning in found.details["warnings"]]


def test_a_task_that_the_candidate_never_served_is_said(writer, newer):
    send("one", 0.7, 0.8, times=200)
    send("two", 0.8, 0.9, times=200)
    send("one", 0.5, times=100, task="translate")

    found = evidence(writer, newer)

    assert found.details["uncovered_tasks"] == ["translate"]
    assert found.decision == "NOT ENOUGH EVIDENCE"
    assert evidence(writer, newer, task="extract").decision == "UPGRADE"


def test_evaluation_samples_do_not_count_as_live(writer, newer):
    send("one", 0.7, 0.8, times=100)
    send("two", 0.8, 0.9, times=100, source="evaluation")
    assert evidence(writer, newer).verdict == "not_enough_data"


class TestDigest:
    """The digest names the evidence: it changes when samples do, and not before."""

    def test_folding_and_time_do_not_change_it(self, writer, newer):
        send("one", 0.7, 0.8, times=50)
        send("two", 0.8, 0.9, times=50)
        before = evidence(writer, newer).digest

        rollups.fold(now=NOW)
        later = comparison.evidence(
            from_version=writer.current_version,
            to_version=newer,
            now=NOW + dt.timedelta(days=1),
            thresholds=Thresholds(max_latency_rise=None, max_cost_rise=None),
        )

        assert later.digest == before

    def test_a_late_score_changes_it(self, writer, newer):
        send("one", 0.7, 0.8, times=50)
        send("two", 0.8, 0.9, times=50)
        send("two", 0.9, request_id="a")
        before = evidence(writer, newer).digest

        score = ScoreIn(request_id="a", quality=0.1)
        late_scores.attach([score], api_key_id=1, now=NOW)

        assert evidence(writer, newer).digest != before


def test_it_costs_six_queries_at_any_number_of_samples(writer, newer, django_assert_num_queries):
    send("one", 0.7, 0.8, times=500)
    send("two", 0.8, 0.9, times=500)
    _ = writer.current_version
    with django_assert_num_queries(6):
        evidence(writer, newer)


def test_pairs_that_are_compared_together_say_what_each_says_alone(db: None) -> None:
    """Whatever each has of samples, canaries and days, and with one version in two pairs."""
    pairs = []
    provider = ProviderFactory(slug="acme")
    for number, ago in enumerate((0, 0, 10, 40)):
        model = tracked(name=f"m{number}", upstream_id=f"old-{number}", provider=provider)
        for part in range(2):
            version = ModelVersionFactory(
                tracked_model=model, label=f"2.{part}.0", upstream_id=f"new-{number}-{part}"
            )
            pairs.append(policies.PairOfVersions(model, model.current_version, version))
            if number:
                at = NOW - dt.timedelta(days=ago)
                ids = [f"old-{number}", f"new-{number}-{part}"]
                for day in range(number * 2):
                    samples = [
                        SampleIn(
                            provider="acme", model=f"m{number}", resolved_id=id, task=f"t{part}",
                            quality=0.5 + 0.1 * index, time=at - dt.timedelta(days=day),
                        )
                        for index, id in enumerate(ids)
                        for _ in range(20)
                    ]  # fmt: skip
                    ingestion.accept(samples, api_key_id=1, now=NOW)
    rollups.fold(now=NOW)

    together = policies.compared_all(pairs, now=NOW)

    assert len({each.digest for each in together.values()}) > len(pairs) // 2
    for pair in pairs:
        alone = policies.compared(
            tracked=pair.tracked,
            from_version=pair.from_version,
            to_version=pair.to_version,
            now=NOW,
        )
        assert together[pair.ids] == alone
    with CaptureQueriesContext(connection) as few:
        policies.compared_all(pairs[2:3], now=NOW)
    with CaptureQueriesContext(connection) as many:
        policies.compared_all(pairs, now=NOW)
    assert len(many) == len(few)
