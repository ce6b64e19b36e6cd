"""models.dev: prices, limits and dates of everybody's models."""

from datetime import date
from decimal import Decimal

import pytest

from providers.kinds.modelsdev.adapter import ModelsDev
from tests.providers.conftest import NOW, ScriptedServer, answer, read_fixture
from tests.providers.shapes import connect, listed


def test_a_row_tells_price_limits_and_whose_it_is(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("modelsdev", "api"))
    model = listed(connect(ModelsDev, server))["quill-2"]
    assert model.provider == "acme"
    assert (model.input_price, model.output_price) == (Decimal("2.5"), Decimal(10))
    assert (model.context_tokens, model.output_tokens) == (128_000, 16_384)
    assert model.capabilities == ("tools", "attachments")


def test_a_month_is_taken_as_its_last_day(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("modelsdev", "api"))
    assert listed(connect(ModelsDev, server))["quill-2"].released == date(2025, 2, 28)


def test_a_broken_provider_spoils_only_itself(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("modelsdev", "api"))
    dropped = connect(ModelsDev, server).list_models(at=NOW).dropped
    assert len(dropped) == 2
    assert "of broken is not an object" in dropped[1]


@pytest.mark.parametrize(
    ("step", "is_read"),
    [
        ("context_over_200k", True),
        ("context_over_272000", True),
        ("context_over_xk", False),
        ("above_200k", False),
        ("over_200k_tokens", False),
    ],
)
def test_a_price_with_a_step_that_cannot_be_read_is_unknown(
    server: ScriptedServer, step: str, is_read: bool
) -> None:
    cost = {"input": 1, "output": 2, step: {"input": 3, "output": 4}}
    server.script = answer({"acme": {"models": {"quill-9": {"id": "quill-9", "cost": cost}}}})
    model = listed(connect(ModelsDev, server))["quill-9"]
    assert (model.input_price is not None) is is_read
    assert {each.part for each in model.other_prices} == ({"input", "output"} if is_read else set())
    assert bool(model.doubts) is not is_read
