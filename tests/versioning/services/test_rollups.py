"""Roll-ups are what the samples give, however these were split and in whatever order they came."""

import datetime as dt
import math
import random
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import NOW, tracked
from versioning.models import PerformanceSample, Rollup, RollupPart, SliceTag
from versioning.models.fields import to_ms
from versioning.services.evidence import performance
from versioning.services.samples import ingestion, late_scores, retention, rollups
from versioning.services.samples.incoming import SampleIn, ScoreIn
from versioning.services.samples.rollup_rebuild import rebuild, same_moments, verify
from versioning.services.samples.rollup_sums import (
    SampleRow,
    SampleSums,
    Terms,
    hour_of,
    rescored,
    sums_by_cell,
)

TERMS = Terms(
    slice_of_tags={1: 1, 2: 2}, error_texts={1: "timeout", 2: "refused"}, foreign={(1, 2)}
)
HOUR = 3_600_000


@st.composite
def rows(draw: st.DrawFn) -> SampleRow:
    share = st.one_of(st.none(), st.floats(0, 1))
    tokens = st.one_of(st.none(), st.integers(0, 10**6))
    return SampleRow(
        at=draw(st.integers(0, 5 * HOUR)),
        request_hash=None,
        session_hash=None,
        version_id=draw(st.sampled_from([None, 1, 2])),
        quality=draw(share),
        latency_ms=draw(st.one_of(st.none(), st.floats(0, 86_400_000))),
        ttft_ms=None,
        cost_nano_usd=draw(st.one_of(st.none(), st.integers(0, 10**14))),
        input_tokens=draw(tokens),
        output_tokens=draw(tokens),
        cached_tokens=draw(tokens),
        reasoning_tokens=draw(tokens),
        task_id=draw(st.sampled_from([1, 2])),
        route_id=draw(st.sampled_from([1, 2])),
        tags_id=draw(st.sampled_from([1, 2])),
        error_id=draw(st.sampled_from([None, None, 1, 2])),
        unknown_model_id=None,
        source=1,
    )


@given(st.lists(rows(), max_size=60), st.integers(1, 9), st.randoms(use_true_random=False))
def test_any_split_and_order_gives_the_same_sums(samples, size, dice):
    """Counts and sketches are equal, moments to 1e-9."""
    whole = sums_by_cell(samples, terms=TERMS)
    dice.shuffle(samples)
    batches = [samples[n : n + size] for n in range(0, len(samples), size)]
    parts: dict = {}
    for batch in batches:
        for cell, sums in sums_by_cell(batch, terms=TERMS).items():
            parts.setdefault(cell, []).append(SampleSums.from_values(sums.values))

    assert parts.keys() == whole.keys()
    for cell, sums in whole.items():
        found = SampleSums.total(parts[cell])
        assert (found.samples, found.errors, found.errors_by_class, found.served_otherwise) == (
            sums.samples,
            sums.errors,
            sums.errors_by_class,
            sums.served_otherwise,
        )
        assert found.latency_sketch == sums.latency_sketch
        assert (found.input_tokens, found.output_tokens) == (sums.input_tokens, sums.output_tokens)
        for name in ("quality", "latency", "cost", "output"):
            assert same_moments(getattr(found, name), getattr(sums, name)), name


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40))
def test_corrected_scores_count_as_the_new_ones(pairs):
    old, new = zip(*pairs, strict=True)
    sums = SampleSums.total(
        [SampleSums.of_rows([_scored(value)], terms=TERMS) for value in old]
        + [rescored(old=before, new=after) for before, after in pairs]
    )
    assert sums.scores.n == len(new)
    assert sums.scores.mean == pytest.approx(math.fsum(new) / len(new), abs=1e-9)


def _scored(quality: float) -> SampleRow:
    fields = dict.fromkeys(SampleRow._fields)
    return SampleRow(
        **fields | {"at": 0, "quality": quality, "version_id": 1, "route_id": 1, "tags_id": 1}
    )


# A rebuild sees one moment of the database: its transaction must be its own.
@pytest.fixture
def world(transactional_db: None):
    writer = tracked(name="writer", upstream_id="acme/writer-1", provider__slug="acme")
    dice = random.Random(7)
    for batch in range(3):
        _send([_sample(dice, number=100 * batch + n) for n in range(100)])
        if batch == 1:
            rollups.fold(now=NOW)
    scores = [ScoreIn(request_id=str(n), quality=dice.random()) for n in range(0, 300, 7)]
    late_scores.attach(scores, api_key_id=1, now=NOW)
    return writer


def _send(samples: list[SampleIn], *, now: dt.datetime = NOW) -> None:
    answer = ingestion.accept(samples, api_key_id=1, now=now)
    assert answer.accepted == len(samples)


def _sample(dice: random.Random, *, number: int) -> SampleIn:
    return SampleIn(
        provider="acme",
        model="writer",
        time=NOW - dt.timedelta(hours=dice.uniform(0, 60)),
        task=dice.choice(["extract", "summarise"]),
        quality=dice.choice([None, 1.0, dice.random()]),
        latency_ms=dice.lognormvariate(6, 1),
        output_tokens=dice.randrange(1, 900),
        cost_usd=None if number % 3 else Decimal(dice.randrange(10**6)) / 10**8,
        error="timeout" if number % 11 == 0 else "",
        request_id=str(number),
        served_id="acme/writer-1-b" if number % 13 == 0 else "",
        tags={"language": dice.choice(["de", "en"])},
    )


class TestVerify:
    """`rebuild_rollups --verify` holds the roll-ups against the samples."""

    def test_they_agree_whatever_is_folded(self, world):
        for step in (lambda: None, lambda: rollups.fold(now=NOW), _fold_days):
            step()
            found = verify()
            assert found.differences == ()
            assert (found.samples, found.sliced_otherwise) == (300, 0)

    def test_a_wrong_sum_is_found_and_set_right(self, world):
        rollups.fold(now=NOW)
        wrong = Rollup.objects.order_by("pk").first()
        Rollup.objects.filter(pk=wrong.pk).update(samples=wrong.samples + 1, latency_mean=1)

        with pytest.raises(CommandError, match="2 figures not as"):
            call_command("rebuild_rollups", "--verify", stdout=StringIO())
        call_command("rebuild_rollups", stdout=StringIO())

        assert verify().differences == ()
        assert not RollupPart.objects.exists()

    def test_a_lost_sample_is_found(self, world):
        PerformanceSample.objects.order_by("pk").first().delete()
        assert "samples is" in verify().differences[0].sentence

    def test_a_tag_declared_later_is_sliced_by_a_rebuild(self, world):
        SliceTag.objects.create(name="language")
        assert verify().differences == ()
        assert verify().sliced_otherwise

        rebuild()

        assert verify().sliced_otherwise == 0
        texts = set(Rollup.objects.values_list("slice__text", flat=True))
        assert texts == {"language=de", "language=en"}

    def test_days_whose_samples_are_gone_stay_as_they_are(self, world, settings):
        before = performance.figures(version_ids=[world.current_version_id])
        settings.HOTSWAP = settings.HOTSWAP | {"RETENTION": dt.timedelta(days=1)}
        retention.drop_old_samples(now=NOW)
        assert PerformanceSample.objects.count() < 300

        assert verify().differences == ()
        rebuild()

        after = performance.figures(version_ids=[world.current_version_id])
        version = world.current_version_id
        assert after[version].total.samples == before[version].total.samples
        assert after[version].total.latency_p95_ms == before[version].total.latency_p95_ms


def _fold_days() -> None:
    rollups.fold_days(now=NOW + dt.timedelta(days=20))


def test_an_hour_starts_at_its_hour():
    assert hour_of(NOW + dt.timedelta(minutes=59)) == to_ms(NOW)
