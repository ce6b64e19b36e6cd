"""Every scorer, those of other packages included: what each must keep to."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.scoring import SCORERS, BadOptions, Output

NEEDED: Mapping[str, Mapping[str, Any]] = {
    "latency": {"limit_ms": 100},
    "cost": {"limit_usd": 1},
    "json_schema": {"schema": {"type": "object"}},
}
"""Options of those that can't be used without."""

every = pytest.mark.parametrize("name", SCORERS)
OUTPUTS = st.builds(
    Output,
    text=st.text(max_size=200),
    latency_ms=st.floats(0, 1e6),
    cost_usd=st.none() | st.decimals(0, 10, places=4),
)


def options_of(name: str) -> Mapping[str, Any]:
    options = NEEDED.get(name, {})
    try:
        SCORERS[name].check(options)
    except BadOptions as error:
        pytest.skip(f"{name} needs options, name some in NEEDED: {error}")
    return options


@every
def test_it_says_what_it_is(name: str) -> None:
    scorer = SCORERS[name]
    assert scorer.name == name
    assert name.isidentifier()
    assert scorer.explanation.endswith(".")
    assert all(name.isidentifier() and option.meaning for name, option in scorer.options.items())


@every
def test_an_option_that_it_does_not_know_is_refused_by_name(name: str) -> None:
    with pytest.raises(BadOptions, match="no_such_option"):
        SCORERS[name].check({**NEEDED.get(name, {}), "no_such_option": 1})


@every
@given(output=OUTPUTS, expected=st.text(max_size=200))
def test_any_answer_gets_a_score_from_0_to_1_or_none_and_a_reason(
    name: str, output: Output, expected: str
) -> None:
    found = SCORERS[name].score(output=output, expected=expected, options=options_of(name))
    assert found.value is None or 0 <= found.value <= 1
    assert found.reason


@every
def test_the_same_answer_gets_the_same_score(name: str) -> None:
    output = Output(text="a\nb\n42", latency_ms=5, cost_usd=Decimal("0.1"))
    first, second = (
        SCORERS[name].score(output=output, expected="42", options=options_of(name))
        for _ in range(2)
    )
    assert first == second
