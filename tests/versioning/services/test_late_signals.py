"""Whatever is told of a request, in whatever pieces and order: the same score and the same sums."""

import datetime as dt
import random

import pytest

from tests.factories import NOW, tracked
from versioning.domain.signals import Signal
from versioning.models import PendingScore, PerformanceSample, Rollup
from versioning.services import sample_settings
from versioning.services.evidence import performance
from versioning.services.samples import ingestion, late_scores, rollups
from versioning.services.samples.incoming import SampleIn, ScoreIn, SignalsIn
from versioning.services.samples.rollup_rebuild import rebuild, same_moments, verify
from versioning.services.samples.rollup_sums import SampleSums

# A rebuild sees one moment of the database: its transaction must be its own.
pytestmark = pytest.mark.django_db(transaction=True)

SIGNALS = {
    "valid_output": True,
    "user_feedback": -1.0,
    "retries": 1,
    "latency_budget_ms": 500.0,
}


@pytest.fixture
def writer(transactional_db: None):
    return tracked(name="writer", upstream_id="acme/writer-1", provider__slug="acme")


def send(request_id: str, **fields: object) -> None:
    sample = SampleIn(
        **{
            "provider": "acme",
            "model": "writer",
            "time": NOW,
            "latency_ms": 1000.0,
            "request_id": request_id,
            **fields,
        }
    )
    assert ingestion.accept([sample], api_key_id=1, now=NOW).accepted == 1


def tell(request_id: str, *, quality: float | None = None, **signals: object) -> None:
    item = ScoreIn(
        request_id=request_id,
        quality=quality,
        signals=SignalsIn(**signals) if signals else None,
    )
    answer = late_scores.attach([item], api_key_id=1, now=NOW)
    assert answer.accepted + answer.pending == 1


def sums(model) -> SampleSums:
    entries = rollups.read(version_ids=[model.current_version_id])
    return SampleSums.total(entry.sums for entry in entries)


def figures(model) -> performance.Figures:
    return performance.figures(version_ids=[model.current_version_id])[
        model.current_version_id
    ].total


def test_any_pieces_in_any_order_give_the_same(writer):
    dice = random.Random(12)
    for number in range(40):
        names = list(SIGNALS)
        dice.shuffle(names)
        cut = dice.randrange(len(names) + 1)
        before, with_it, after = names[: cut // 2], names[cut // 2 : cut], names[cut:]
        for name in before:
            tell(str(number), **{name: SIGNALS[name]})
        together = SignalsIn(**{name: SIGNALS[name] for name in with_it}) if with_it else None
        send(str(number), signals=together)
        for name in after:
            tell(str(number), **{name: SIGNALS[name]})
            if dice.random() < 0.3:
                rollups.fold(now=NOW)
    send("all at once", signals=SignalsIn(**SIGNALS))

    rows = set(PerformanceSample.objects.values_list("quality", "signals"))
    assert len(rows) == 1
    assert rows.pop()[0] == pytest.approx(_score())
    found = sums(writer).component_scores
    means = {name: moments.mean for name, moments in found.items()}
    assert means == pytest.approx(
        {"valid_output": 1.0, "user_feedback": 0.0, "retries": 0.5, "latency": 0.5}
    )
    assert {moments.n for moments in found.values()} == {41}
    assert not PendingScore.objects.exists()


def test_sums_of_corrected_signals_are_those_of_the_samples(writer):
    """Verify is exact, a rebuild changes nothing, and folding to days neither."""
    dice = random.Random(5)
    for number in range(120):
        signals = {name: value for name, value in SIGNALS.items() if dice.random() < 0.4}
        send(
            str(number),
            time=NOW - dt.timedelta(hours=dice.uniform(0, 30)),
            error="timeout" if dice.random() < 0.2 else "",
            quality=dice.choice([None, None, dice.random()]),
            signals=SignalsIn(**signals) if signals else None,
        )
    for number in range(0, 150):
        tell(str(number), user_feedback=dice.choice([-1.0, 1.0]))
        tell(str(number), user_feedback=dice.uniform(-1, 1), retries=dice.randrange(4))
        if number % 4 == 0:
            tell(str(number), quality=dice.random())
        if number % 50 == 0:
            rollups.fold(now=NOW)
    kept = sums(writer).component_scores

    for step in (
        lambda: None,
        lambda: rollups.fold(now=NOW),
        lambda: rollups.fold_days(now=NOW + dt.timedelta(days=20)),
        rebuild,
    ):
        step()
        assert verify().differences == ()
        now = sums(writer).component_scores
        assert now.keys() == kept.keys()
        assert all(same_moments(now[name], kept[name]) for name in kept)


def test_a_wrong_component_is_found(writer):
    send("a", signals=SignalsIn(user_feedback=1.0))
    rollups.fold(now=NOW)
    Rollup.objects.update(components={"user_feedback": [1, 0.5, 0.0]})
    assert [difference.figure for difference in verify().differences] == ["user_feedback"]


@pytest.mark.parametrize("sample_first", [True, False])
@pytest.mark.parametrize(
    "late", [{"user_feedback": 1.0}, {"valid_output": True, "retries": 0}, {"quality": 1.0}]
)
def test_failed_stays_failed(writer, sample_first, late):
    steps = [lambda: send("a", error="timeout"), lambda: tell("a", **late)]
    for step in steps if sample_first else reversed(steps):
        step()
    assert PerformanceSample.objects.get().quality == 0.0
    assert figures(writer).quality == 0.0
    assert {moments.mean for moments in sums(writer).component_scores.values()} == {0.0}


def test_two_that_wait_for_the_same_sample_lose_nothing_of_each_other(writer):
    """As two transactions at once leave them: neither saw the other's row."""
    tell("a", valid_output=True)
    first = PendingScore.objects.get()
    PendingScore.objects.create(
        request_hash=first.request_hash,
        signals=0,
        quality=None,
        latency_budget_ms=500.0,
        received_at=NOW,
    )
    send("a")
    assert sums(writer).component_scores.keys() == {"valid_output", "latency"}


def _score() -> float:
    weights = sample_settings.signal_weights()
    values = {
        Signal.VALID_OUTPUT: 1.0,
        Signal.USER_FEEDBACK: 0.0,
        Signal.RETRIES: 0.5,
        Signal.LATENCY: 0.5,
    }
    return sum(weights[name] * value for name, value in values.items()) / sum(weights.values())
