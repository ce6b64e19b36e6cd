"""One quality figure from the signals of an application."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.signals import BadSignal, Signal, Signals, quality_score

signals = st.builds(
    Signals,
    valid_output=st.none() | st.booleans(),
    user_feedback=st.none() | st.floats(-1, 1),
    retries=st.none() | st.integers(0, 20),
    latency_ms=st.none() | st.floats(0, 1e6),
    latency_budget_ms=st.none() | st.floats(1, 1e6),
)


@given(signals)
def test_a_score_lies_between_0_and_1(given_signals: Signals) -> None:
    score = quality_score(signals=given_signals)
    assert score is None or 0 <= score <= 1


@pytest.mark.parametrize(
    ("known", "score"),
    [
        (Signals(), None),
        (Signals(valid_output=True), 1.0),
        (Signals(valid_output=False), 0.0),
        (Signals(user_feedback=0), 0.5),
        (Signals(retries=1), 0.5),
        (Signals(latency_ms=900, latency_budget_ms=1000), 1.0),
        (Signals(latency_ms=2000, latency_budget_ms=1000), 0.5),
        (Signals(latency_ms=2000), None),
        (Signals(valid_output=True, user_feedback=-1), 0.5),
        (Signals(valid_output=True, failed=True), 0.0),
    ],
)
def test_unknown_signals_are_left_out(known: Signals, score: float | None) -> None:
    assert quality_score(signals=known) == score


def test_weights_can_be_given() -> None:
    known = Signals(valid_output=True, user_feedback=-1)
    weights = {Signal.VALID_OUTPUT: 3.0, Signal.USER_FEEDBACK: 1.0}
    assert quality_score(signals=known, weights=weights) == 0.75


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_feedback": 1.1},
        {"retries": -1},
        {"latency_ms": float("inf")},
        {"latency_budget_ms": 0},
    ],
)
def test_a_signal_outside_its_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadSignal):
        Signals(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("weights", [{}, {Signal.LATENCY: -1.0}, {"mood": 1.0}])
def test_weights_that_cant_be_used_are_refused(weights: dict[Signal, float]) -> None:
    with pytest.raises(BadSignal):
        quality_score(signals=Signals(), weights=weights)
