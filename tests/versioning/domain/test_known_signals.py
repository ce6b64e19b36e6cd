"""Signals that come one by one make the same score as all at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.signals import (
    DEFAULT_WEIGHTS,
    GIVEN,
    Scored,
    Signals,
    completed,
    components,
    merged,
    pack,
    quality_score,
    scored,
    unpack,
    values_of,
)

told = st.builds(
    Signals,
    valid_output=st.none() | st.booleans(),
    user_feedback=st.none() | st.floats(-1, 1),
    retries=st.none() | st.integers(0, 10**6),
    latency_ms=st.none() | st.floats(0, 86_400_000),
    latency_budget_ms=st.none() | st.floats(0.001, 86_400_000),
)


def arrives(signals: Signals | None, *, quality: float | None = None, failed: bool) -> Scored:
    packed = None if signals is None else pack(signals)
    return scored(quality=quality, signals=packed, failed=failed, weights=DEFAULT_WEIGHTS)


def add(before: Scored, signals: Signals, *, quality: float | None = None, failed: bool) -> Scored:
    return completed(
        before, quality=quality, signals=pack(signals), failed=failed, weights=DEFAULT_WEIGHTS
    )


@given(told)
def test_what_is_packed_comes_out_again(signals: Signals) -> None:
    known = {name: value for name, value in values_of(signals).items() if value is not None}
    packed = pack(signals)
    assert 0 <= packed < GIVEN
    assert unpack(packed) == pytest.approx(known, abs=1e-4)


@given(told)
def test_a_score_of_packed_signals_is_that_of_the_signals(signals: Signals) -> None:
    assert arrives(signals, failed=False).quality == pytest.approx(
        quality_score(signals=signals), abs=1e-4
    )


@given(st.lists(told, min_size=1, max_size=5), st.booleans())
def test_one_by_one_or_all_at_once(parts: list[Signals], failed: bool) -> None:
    one_by_one = arrives(parts[0], failed=failed)
    together = pack(parts[0])
    for part in parts[1:]:
        one_by_one = add(one_by_one, part, failed=failed)
        together = merged(together, pack(part))
    at_once = scored(quality=None, signals=together, failed=failed, weights=DEFAULT_WEIGHTS)
    assert one_by_one == at_once


@given(told, st.lists(st.tuples(told, st.none() | st.floats(0, 1)), max_size=4))
def test_nothing_that_comes_later_makes_a_failed_request_good(
    first: Signals, later: list[tuple[Signals, float | None]]
) -> None:
    sample = arrives(first, failed=True)
    for signals, quality in later:
        sample = add(sample, signals, quality=quality, failed=True)
    assert sample.quality == 0.0
    assert set(components(sample, failed=True).values()) <= {0.0}


def test_thumbs_down_completes_a_valid_answer() -> None:
    valid = arrives(Signals(valid_output=True), failed=False)
    assert valid.quality == 1.0
    assert add(valid, Signals(user_feedback=-1), failed=False).quality == 0.5


def test_of_the_same_signal_the_last_counts() -> None:
    up = arrives(Signals(user_feedback=1), failed=False)
    assert components(add(up, Signals(user_feedback=-1), failed=False), failed=False) == {
        "user_feedback": 0.0
    }


def test_a_given_quality_is_a_component_of_its_own() -> None:
    both = arrives(Signals(valid_output=True), quality=0.3, failed=False)
    assert both.quality == 0.3
    assert components(both, failed=False) == {"quality": 0.3, "valid_output": 1.0}
    assert components(Scored(0.3, None), failed=False) == {"quality": 0.3}


def test_signals_after_a_given_quality_leave_it_as_it_is() -> None:
    after = add(Scored(0.3, None), Signals(user_feedback=1), failed=False)
    assert components(after, failed=False) == {"quality": 0.3, "user_feedback": 1.0}
