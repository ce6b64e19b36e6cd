"""A version that changed although its name did not."""

from datetime import date, timedelta

import numpy as np
import pytest

from versioning.domain.statistics.drift import HISTORY, Measure, PeriodMoments, find_shifts
from versioning.domain.statistics.summaries import Moments

START = date(2026, 3, 2)


def series(
    levels: list[float], *, seed: int = 1, spread: float = 0.1, per_day: int = 200
) -> list[PeriodMoments]:
    """A day per level."""
    rng = np.random.default_rng(seed)
    return [
        PeriodMoments(
            day=START + timedelta(days=number),
            moments=Moments.of(rng.normal(level, spread, per_day).tolist()),
        )
        for number, level in enumerate(levels)
    ]


def test_a_change_is_found_with_the_day_it_began() -> None:
    (shift,) = find_shifts(measure=Measure.QUALITY, readings=series([0.8] * 40 + [0.74] * 15))
    assert shift.began == START + timedelta(days=40)
    assert shift.seen <= START + timedelta(days=45)
    assert (round(shift.before, 2), round(shift.after, 2)) == (0.8, 0.75)
    assert shift.sentence == (
        f"quality fell from {shift.before:.3g} to {shift.after:.3g} since 11 Apr 2026 "
        "although the version did not change"
    )


@pytest.mark.parametrize(
    ("measure", "before", "after", "spread"),
    [(Measure.LATENCY, 800.0, 1100.0, 200.0), (Measure.OUTPUT_LENGTH, 300.0, 200.0, 80.0)],
)
def test_latency_and_length_are_watched(
    measure: Measure, before: float, after: float, spread: float
) -> None:
    readings = series([before] * 30 + [after] * 10, spread=spread)
    (shift,) = find_shifts(measure=measure, readings=readings)
    assert shift.began == START + timedelta(days=30)
    assert ("rose" in shift.sentence) is (after > before)


def test_errors_are_watched() -> None:
    days = [Moments.of_binary(hits=2, n=200)] * 30 + [Moments.of_binary(hits=16, n=200)] * 10
    readings = [
        PeriodMoments(day=START + timedelta(days=number), moments=one)
        for number, one in enumerate(days)
    ]
    (shift,) = find_shifts(measure=Measure.ERRORS, readings=readings)
    assert (shift.before, shift.after) == pytest.approx((0.01, 0.08))


def test_a_series_that_never_moves_says_nothing() -> None:
    readings = series([0.8] * 300, spread=0.0)
    assert find_shifts(measure=Measure.QUALITY, readings=readings) == ()


def test_weekends_are_no_change() -> None:
    levels = [0.8 - (0.05 if number % 7 in (5, 6) else 0.0) for number in range(120)]
    assert find_shifts(measure=Measure.QUALITY, readings=series(levels)) == ()


def test_one_bad_day_is_an_incident_and_no_change() -> None:
    levels = [0.8] * 40 + [0.3] + [0.8] * 30
    assert find_shifts(measure=Measure.QUALITY, readings=series(levels)) == ()


def test_nothing_is_claimed_in_the_first_weeks() -> None:
    levels = [0.8] * (HISTORY - 5) + [0.4] * 5
    assert find_shifts(measure=Measure.QUALITY, readings=series(levels)) == ()


def test_a_second_change_is_found_too() -> None:
    levels = [0.8] * 40 + [0.7] * 40 + [0.8] * 20
    found = find_shifts(measure=Measure.QUALITY, readings=series(levels))
    assert [shift.began for shift in found] == [
        START + timedelta(days=40),
        START + timedelta(days=80),
    ]


def test_days_with_few_samples_are_not_read() -> None:
    thin = [
        PeriodMoments(day=START + timedelta(days=50 + n), moments=Moments.of([0.0] * 9))
        for n in range(20)
    ]
    readings = series([0.8] * 50) + thin
    assert find_shifts(measure=Measure.QUALITY, readings=readings) == ()


def test_hours_of_a_day_are_added_up_whatever_their_order() -> None:
    days = series([0.8] * 40 + [0.7] * 10)
    halves = [*days, *days]
    doubled = [PeriodMoments(day=one.day, moments=one.moments.merge(one.moments)) for one in days]
    assert find_shifts(measure=Measure.QUALITY, readings=halves[::-1]) == find_shifts(
        measure=Measure.QUALITY, readings=doubled
    )


def test_a_latency_of_nothing_is_refused() -> None:
    readings = [PeriodMoments(day=START, moments=Moments.of([0.0] * 20))]
    with pytest.raises(ValueError, match="positive"):
        find_shifts(measure=Measure.LATENCY, readings=readings)
