"""A batch is stored whole, once, with its share of the roll-ups."""

import datetime as dt
from decimal import Decimal

import pytest

from tests.factories import NOW, ModelVersionFactory, UserFactory, tracked
from versioning.models import (
    PendingScore,
    PerformanceSample,
    Rollup,
    RollupPart,
    ServedDrift,
    SliceTag,
    UnknownModel,
)
from versioning.models.fields import from_ms
from versioning.services import tracking
from versioning.services.actors import Actor
from versioning.services.evidence import performance
from versioning.services.samples import (
    attachment,
    ingestion,
    late_scores,
    retention,
    rollups,
    vocabulary,
)
from versioning.services.samples.incoming import SampleIn, ScoreIn, SignalsIn

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def sample(**fields: object) -> SampleIn:
    return SampleIn(**{"provider": "acme", "model": "writer", "time": NOW, **fields})


def accept(*samples: SampleIn, key: int | None = 1, now: dt.datetime = NOW) -> ingestion.Accepted:
    return ingestion.accept(samples, api_key_id=key, now=now)


def score(request_id: str, quality: float, *, now: dt.datetime = NOW):
    item = ScoreIn(request_id=request_id, quality=quality)
    return late_scores.attach([item], api_key_id=1, now=now)


def total(version_id: int) -> performance.Figures:
    return performance.figures(version_ids=[version_id])[version_id].total


@pytest.fixture
def writer(db: None):
    return tracked(name="writer", upstream_id="acme/writer-1", provider__slug="acme")


def test_a_sample_is_stored_at_the_current_version(writer):
    answer = accept(sample(quality=0.5, latency_ms=120))

    assert (answer.accepted, answer.duplicates, answer.rejected) == (1, 0, ())
    assert PerformanceSample.objects.get().version == writer.current_version
    figures = performance.figures(version_ids=[writer.current_version_id])
    assert figures[writer.current_version_id].total.quality == 0.5
    rollups.fold(now=NOW)
    assert performance.figures(version_ids=[writer.current_version_id]) == figures


def test_the_resolved_id_names_another_version_than_the_current(writer):
    newer = ModelVersionFactory(tracked_model=writer, upstream_id="acme/writer-2")

    accept(sample(resolved_id="acme/writer-2"))

    assert PerformanceSample.objects.get().version == newer


@pytest.mark.parametrize(
    ("told", "cost"),
    [
        ({"input_tokens": 1000, "output_tokens": 200}, "0.0011"),
        ({"input_tokens": 1000, "output_tokens": 200, "cost_usd": Decimal(0)}, "0"),
        ({"input_tokens": 1000}, None),
        ({"input_tokens": 1000, "output_tokens": 200, "cached_tokens": 500}, None),
    ],
)
def test_an_untold_cost_is_reckoned_at_the_listed_prices(writer, told, cost):
    version = writer.current_version
    version.input_price, version.output_price = Decimal("0.5"), Decimal(3)
    version.save()
    accept(sample(**told))
    kept = PerformanceSample.objects.get().cost_nano_usd
    assert kept == (None if cost is None else int(Decimal(cost) * 10**9))


def test_past_cost_is_never_priced_again(writer):
    version = writer.current_version
    told = {"input_tokens": 1_000_000, "output_tokens": 0}
    accept(sample(**told))
    for price in (1, 2):
        type(version).objects.filter(pk=version.pk).update(input_price=price, output_price=price)
        accept(sample(**told))
    costs = PerformanceSample.objects.order_by("pk").values_list("cost_nano_usd", flat=True)
    assert list(costs) == [None, 10**9, 2 * 10**9]


def test_no_query_is_spent_on_a_single_sample(writer, django_assert_max_num_queries):
    accept(*(sample(request_id=str(n), task="extract") for n in range(3)))
    with django_assert_max_num_queries(25):
        accept(*(sample(request_id=f"more {n}", task="extract") for n in range(500)))


class TestOnce:
    """A request id is taken once for each key, whatever comes with it the second time."""

    def test_a_repeat_is_counted_and_changes_nothing(self, writer):
        accept(sample(request_id="a", quality=0.2))
        answer = accept(sample(request_id="a", quality=0.9), sample(request_id="b", quality=0.4))

        assert (answer.accepted, answer.duplicates) == (1, 1)
        assert total(writer.current_version_id).quality == pytest.approx(0.3)

    def test_within_a_batch_the_first_counts(self, writer):
        answer = accept(sample(request_id="a", quality=0.2), sample(request_id="a", quality=0.9))

        assert (answer.accepted, answer.duplicates) == (1, 1)
        assert total(writer.current_version_id).quality == 0.2

    def test_two_keys_may_use_the_same_id(self, writer):
        accept(sample(request_id="a"), key=1)
        assert accept(sample(request_id="a"), key=2).accepted == 1

    def test_samples_without_an_id_all_count(self, writer):
        assert accept(sample(), sample()).accepted == 2


class TestRefused:
    """What can't be used is named by its place; the others are stored."""

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"time": NOW + HOUR}, "time-in-future"),
            ({"time": NOW - 91 * DAY}, "too-old"),
            ({"cost_usd": Decimal(-1)}, "invalid-field"),
            ({"provider": "", "model": ""}, "no-model"),
        ],
    )
    def test_it_is_said_why(self, writer, fields, code):
        answer = accept(sample(), sample(**fields), sample())

        assert answer.accepted == 2
        assert [(item.index, item.code) for item in answer.rejected] == [(1, code)]


class TestScores:
    """A score finds its sample, before or after it."""

    def test_a_late_score_corrects_figures_that_were_folded(self, writer):
        accept(sample(request_id="a", quality=0.2), sample(request_id="b", quality=0.4))
        rollups.fold(now=NOW)

        assert score("a", 1.0).accepted == 1

        assert total(writer.current_version_id).quality == pytest.approx(0.7)
        rollups.fold(now=NOW)
        figures = total(writer.current_version_id)
        assert figures.quality == pytest.approx(0.7)
        assert (figures.samples, figures.quality_n) == (2, 2)

    def test_a_score_before_its_sample_waits_for_it(self, writer):
        answer = score("a", 0.9)
        assert (answer.accepted, answer.pending) == (0, 1)

        accept(sample(request_id="a"))

        assert total(writer.current_version_id).quality == 0.9
        assert not PendingScore.objects.exists()

    def test_the_last_score_counts(self, writer):
        accept(sample(request_id="a"))
        score("a", 0.1)
        score("a", 0.6)
        assert total(writer.current_version_id).quality == pytest.approx(0.6)

    def test_one_that_crossed_its_sample_is_put_on_it_later(self, writer):
        accept(sample(request_id="a"))
        request_hash = PerformanceSample.objects.get().request_hash
        PendingScore.objects.create(request_hash=request_hash, quality=0.8, received_at=NOW)

        assert late_scores.sweep_pending() == 1
        assert total(writer.current_version_id).quality == 0.8

    def test_another_key_can_not_score_it(self, writer):
        accept(sample(request_id="a"), key=2)
        assert score("a", 0.5).pending == 1


class TestUnknownModels:
    """Samples of a model that nobody tracks are kept until somebody does."""

    def test_it_is_seen_and_counted(self, db):
        accept(sample(model="ghost"), sample(model="ghost", time=NOW - DAY))
        rollups.fold(now=NOW)

        ghost = UnknownModel.objects.get()
        assert (ghost.provider_slug, ghost.name, ghost.samples) == ("acme", "ghost", 2)
        assert ghost.first_seen_at == NOW - DAY

    def test_once_tracked_its_samples_count(self, writer):
        accept(
            sample(model="ghost", quality=0.25, error="timeout", served_id="ghost-a"),
            sample(model="ghost", quality=0.75, request_id="a", time=NOW - DAY),
        )
        ghost = tracking.start_tracking(
            provider_id=writer.provider_id,
            name="ghost",
            actor=Actor.of_user(UserFactory()),
            now=NOW,
        )

        assert attachment.attach(now=NOW) == 2

        figures = total(ghost.current_version_id)
        assert (figures.samples, figures.errors, figures.quality) == (2, 1, 0.5)
        assert UnknownModel.objects.get().tracked_model == ghost
        assert attachment.attach(now=NOW) == 0
        rollups.fold(now=NOW)
        assert ServedDrift.objects.get().served == "ghost-a"


def test_another_id_that_answers_is_shown_with_since_when(writer):
    accept(
        sample(served_id="acme/writer-1"),
        sample(served_id="acme/writer-1-turbo"),
        sample(served_id="acme/writer-1-turbo", time=NOW - HOUR),
    )
    rollups.fold(now=NOW)

    drift = ServedDrift.objects.get()
    assert (drift.served, drift.samples) == ("acme/writer-1-turbo", 2)
    assert (drift.since, drift.last_seen_at) == (NOW - HOUR, NOW)


def test_signals_make_a_score(writer):
    accept(sample(signals=SignalsIn(valid_output=True, user_feedback=1.0)))
    assert total(writer.current_version_id).quality == 1.0


def test_a_declared_tag_makes_slices(writer):
    SliceTag.objects.create(name="language")
    accept(sample(tags={"language": "de", "user": "u1"}), sample(tags={"language": "en"}))

    texts = {part.slice.text for part in RollupPart.objects.select_related("slice")}
    assert texts == {"language=de", "language=en"}


def test_words_beyond_the_limit_share_one(writer, monkeypatch):
    monkeypatch.setitem(vocabulary.LIMITS, vocabulary.Word.Kind.TASK, 2)
    accept(*(sample(task=f"task {n}") for n in range(4)))

    tasks = performance.figures(version_ids=[writer.current_version_id])
    assert tasks[writer.current_version_id].tasks[vocabulary.OTHER].samples == 2


class TestRetention:
    """Single samples go after a time, the figures of the past don't change."""

    def test_old_samples_go_and_figures_stay(self, writer):
        accept(*(sample(quality=n / 10, request_id=str(n)) for n in range(10)))
        before = total(writer.current_version_id)
        later = NOW + 91 * DAY
        accept(sample(request_id="new", time=later), now=later)
        after_new = total(writer.current_version_id)

        assert retention.drop_old_samples(now=later, step=3) == 10

        assert [row.at for row in PerformanceSample.objects.all()] == [later]
        assert total(writer.current_version_id) == after_new
        assert after_new.quality == before.quality
        assert from_ms(retention.complete_from()).date() == (later - 90 * DAY).date()

    def test_young_samples_stay(self, writer):
        accept(sample(request_id="a"))
        assert retention.drop_old_samples(now=NOW + 89 * DAY) == 0
        assert retention.complete_from() == 0

    def test_scores_whose_sample_never_came_go(self, db):
        score("never", 0.5)
        retention.drop_old_samples(now=NOW + 91 * DAY)
        assert not PendingScore.objects.exists()


def test_hours_fold_into_days_and_late_samples_correct_them(writer):
    accept(*(sample(time=NOW - n * HOUR, quality=n / 40, latency_ms=n) for n in range(30)))
    rollups.fold(now=NOW)
    before = total(writer.current_version_id)
    later = NOW + 20 * DAY

    assert rollups.fold_days(now=later) == 30

    assert set(Rollup.objects.values_list("span", flat=True)) == {Rollup.Span.DAY}
    after = total(writer.current_version_id)
    assert (after.samples, after.latency_p95_ms) == (before.samples, before.latency_p95_ms)
    assert after.quality == pytest.approx(before.quality, rel=1e-9)
    accept(sample(time=NOW, quality=1.0), now=later)
    rollups.fold(now=later)
    rollups.fold_days(now=later)
    assert total(writer.current_version_id).samples == 31
    assert not Rollup.objects.filter(span=Rollup.Span.HOUR).exists()
