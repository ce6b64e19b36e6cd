"""Warnings about who was asked."""

from decimal import Decimal

import numpy as np

from tests.versioning.domain.statistics.arms import arm, stratum
from versioning.domain.statistics.inputs import Split
from versioning.domain.statistics.population import mix_distance, mix_has_shifted, split_is_off


def test_a_right_split_is_not_doubted_at_any_of_a_thousand_looks() -> None:
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(50):
        candidates = (rng.random((1000, 10)) < 0.05).sum(axis=1).cumsum()
        alarms += any(
            split_is_off(
                Split(
                    expected_share=Decimal("0.05"),
                    current=int(10 * look - seen),
                    candidate=int(seen),
                )
            )
            for look, seen in enumerate(candidates, start=1)
        )
    # At a risk of one in a thousand, one of fifty may happen; two hardly ever.
    assert alarms <= 1


def test_a_wrong_split_is_seen() -> None:
    assert split_is_off(Split(expected_share=Decimal("0.1"), current=9500, candidate=500))


def test_none_of_many_is_a_wrong_split() -> None:
    assert split_is_off(Split(expected_share=Decimal("0.05"), current=2000, candidate=0))


def test_a_few_busy_keys_do_not_make_a_split_wrong() -> None:
    """100,000 requests of 100 keys, eight of them instead of five with the new version."""
    busy = Split(expected_share=Decimal("0.05"), current=92_000, candidate=8_000)
    assert not split_is_off(busy)


def test_a_shifted_mix_is_seen_and_measured() -> None:
    strata = [
        stratum(arm(0.8, n=800), arm(0.8, n=200), task="a"),
        stratum(arm(0.8, n=200), arm(0.8, n=800), task="b"),
    ]
    assert round(mix_distance(strata), 9) == 0.6
    assert mix_has_shifted(strata)


def test_a_shift_that_may_be_chance_is_none() -> None:
    strata = [
        stratum(arm(0.8, n=6), arm(0.8, n=4), task="a"),
        stratum(arm(0.8, n=4), arm(0.8, n=6), task="b"),
    ]
    assert not mix_has_shifted(strata)


def test_a_side_without_requests_has_not_shifted() -> None:
    assert mix_distance([stratum(arm(0.8), arm(0.8, n=0, usd=None))]) == 0.0
