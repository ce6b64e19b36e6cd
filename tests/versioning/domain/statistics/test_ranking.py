"""Best model per task."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.versioning.domain.statistics.arms import FORTNIGHT, arm, scores
from versioning.domain.signals import QUALITY
from versioning.domain.statistics.inputs import Arm, Day
from versioning.domain.statistics.ranking import Entrant, Place, Ranking, rank
from versioning.domain.statistics.summaries import Moments


def entrant(
    name: str,
    mean: float,
    *,
    n: int = 5000,
    cost: float | None = 0.01,
    latency: float | None = 500.0,
    days: range = FORTNIGHT,
) -> Entrant:
    return Entrant(name=name, arm=arm(mean, n=n, days=days), cost=cost, latency_ms=latency)


def place(ranking: Ranking, name: str) -> Place:
    return next(place for place in ranking.places if place.name == name)


def test_the_best_comes_first_and_alone() -> None:
    found = rank(entrants=[entrant("b", 0.7), entrant("a", 0.9)])
    assert [one.name for one in found.places] == ["a", "b"]
    assert not found.tied
    assert found.sentence.startswith("a is best: quality 0.900 (")


def test_overlapping_intervals_are_a_tie_and_say_what_would_end_it() -> None:
    found = rank(entrants=[entrant("a", 0.80, n=400), entrant("b", 0.78, n=400)])
    assert found.tied
    assert found.sentence.startswith("Tie: a leads with quality 0.80")
    needed = place(found, "b").needed
    assert needed is not None
    assert needed.most_samples is not None
    n = 400 + needed.most_samples // 2 + 1
    later = rank(entrants=[entrant("a", 0.80, n=n), entrant("b", 0.78, n=n)])
    assert not later.tied


def test_a_few_lucky_samples_dont_win() -> None:
    found = rank(entrants=[entrant("proven", 0.8), entrant("lucky", 0.85, n=31)])
    assert [one.name for one in found.places] == ["proven", "lucky"]
    assert place(found, "lucky").tie


def test_below_the_floor_there_is_no_rank_but_a_line_that_says_what_it_needs() -> None:
    new = place(rank(entrants=[entrant("a", 0.8), entrant("new", 0.99, n=10)]), "new")
    assert new.rank is None
    assert new.needed is not None
    assert new.needed.words == "at least 30 scores come first"


def test_equal_quality_goes_to_the_cheaper_then_the_faster() -> None:
    found = rank(
        entrants=[
            entrant("unknown", 0.8, cost=None),
            entrant("slow", 0.8, latency=900.0),
            entrant("dear", 0.8, cost=0.02),
            entrant("fast", 0.8),
        ]
    )
    assert [one.name for one in found.places] == ["fast", "slow", "dear", "unknown"]


def test_the_front_has_what_nothing_beats_in_all() -> None:
    found = rank(
        entrants=[
            entrant("best", 0.9, cost=0.05),
            entrant("cheap", 0.7, cost=0.001),
            entrant("beaten", 0.6, cost=0.002),
            entrant("unknown", 0.95, cost=None),
        ]
    )
    front = {one.name: one.on_front for one in found.places}
    assert front == {"best": True, "cheap": True, "beaten": False, "unknown": None}


@pytest.mark.parametrize(("entrants", "words"), [([], "No version"), ([("a", 5)], "No version")])
def test_nothing_to_rank_is_said(entrants: list[tuple[str, int]], words: str) -> None:
    found = rank(entrants=[entrant(name, 0.8, n=n) for name, n in entrants])
    assert found.best is None
    assert found.sentence.startswith(words)


def test_one_alone_is_called_so() -> None:
    assert "the only version with enough scores" in rank(entrants=[entrant("a", 0.8)]).sentence


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 5000), st.floats(0, 1)), min_size=1, max_size=8
    )
)
def test_every_entrant_has_its_place_whatever_the_order(
    rows: list[tuple[float, int, float]],
) -> None:
    entrants = [
        entrant(str(number), mean, n=n, cost=cost) for number, (mean, n, cost) in enumerate(rows)
    ]
    there, back = rank(entrants=entrants), rank(entrants=entrants[::-1])
    assert there == back
    assert sorted(one.name for one in there.places) == sorted(one.name for one in entrants)
    lows = [one.low for one in there.places if one.rank and one.low is not None]
    assert _falls(lows)


def _falls(lows: list[float]) -> bool:
    return all(one >= other - 1e-11 for one, other in zip(lows, lows[1:], strict=False))


def days_of(rng: np.random.Generator, mean: float, *, days: range = range(20)) -> Arm:
    """Twenty scores a day of a standard deviation of 0.144."""
    return Arm(
        days=tuple(
            Day(
                number=number,
                n=20,
                components={QUALITY: Moments.of(rng.beta(8 * mean, 8 * (1 - mean), 20).tolist())},
            )
            for number in days
        )
    )


def test_nine_alike_and_one_better_are_told_apart() -> None:
    """Overlapping intervals are no tie: the difference to the first is tested."""
    field = [entrant(f"model {n}", 0.75, n=400, days=range(20)) for n in range(9)]
    found = rank(entrants=[*field, entrant("best", 0.80, n=400, days=range(20))])
    assert found.best is not None
    assert found.best.name == "best"
    assert not found.tied
    assert found.sentence.endswith("on the 20 days that all of them served.")


def test_the_first_by_chance_is_a_tie() -> None:
    """Ten equal models: one is called best, alone, in five per cent of cases at most."""
    rng = np.random.default_rng(7)
    runs, alone = 300, 0
    for _ in range(runs):
        field = [Entrant(name=str(n), arm=days_of(rng, 0.75, days=range(10))) for n in range(10)]
        alone += not rank(entrants=field).tied
    assert alone / runs <= 0.05


def test_on_shared_days_what_changed_for_all_makes_no_best() -> None:
    """The old one served when all was easy, too; on the days of both they are equal."""
    rng = np.random.default_rng(8)
    easy, hard = days_of(rng, 0.9, days=range(40)), days_of(rng, 0.7, days=range(40, 60))
    old = Entrant(name="old", arm=Arm(days=(*easy.days, *hard.days)))
    new = Entrant(name="new", arm=days_of(rng, 0.7, days=range(40, 60)))
    found = rank(entrants=[old, new])
    assert found.shared_days == 20
    assert found.tied


def test_without_shared_days_each_is_ranked_on_its_own() -> None:
    found = rank(entrants=[entrant("a", 0.9), entrant("b", 0.7, days=range(30, 44))])
    assert found.shared_days == 0
    assert not found.tied
    assert found.sentence.endswith("Each is ranked on its own requests, on its own days.")


def signals(name: str, *, feedback: float, share: float, days: range = FORTNIGHT) -> Entrant:
    """All outputs are valid, and a share of the requests has feedback."""
    made = tuple(
        Day(
            number=number,
            n=200,
            scored=200,
            components={
                "valid_output": scores(1.0, n=200, spread=0.0),
                "user_feedback": scores(feedback, n=int(200 * share), spread=0.3),
            },
        )
        for number in days
    )
    return Entrant(name=name, arm=Arm(days=made))


def test_less_feedback_makes_no_better_model() -> None:
    """A mean over whatever is known would put the one with less feedback first."""
    found = rank(
        entrants=[
            signals("asked", feedback=0.6, share=0.5),
            signals("not", feedback=0.6, share=0.1),
        ]
    )
    assert found.ranked_by == ("valid_output", "user_feedback")
    assert found.tied
    assert {round(one.quality or 0, 6) for one in found.places} == {0.8}


def test_what_most_models_have_is_what_they_are_ranked_by() -> None:
    found = rank(
        entrants=[
            entrant("a", 0.9),
            entrant("b", 0.7),
            signals("signals alone", feedback=0.9, share=0.5),
        ]
    )
    assert found.ranked_by == (QUALITY,)
    last = place(found, "signals alone")
    assert (last.rank, last.quality) == (None, None)
    assert last.needed is not None
    assert last.needed.words == "at least 30 scores come first"
