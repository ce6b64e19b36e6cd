"""OpenRouter's documented answers."""

from datetime import date
from decimal import Decimal

import pytest

from providers.kinds.openrouter.adapter import OpenRouter
from tests.providers.conftest import NOW, ScriptedServer, answer, in_turn, read_fixture
from tests.providers.shapes import chat, connect, listed


@pytest.fixture
def asked(server: ScriptedServer) -> OpenRouter:
    server.script = answer(read_fixture("openrouter", "models"))
    return connect(OpenRouter, server)


def test_a_row_tells_version_price_limits_and_abilities(asked: OpenRouter) -> None:
    model = listed(asked)["acme/quill-2-mini"]
    assert model.revision == "acme/quill-2-mini-2025-06-03"
    assert (model.input_price, model.output_price) == (Decimal("0.15"), Decimal("0.6"))
    assert model.cached_input_price == Decimal("0.075")
    assert (model.context_tokens, model.output_tokens) == (131_072, 16_384)
    assert model.input_modalities == ("text", "image")
    assert model.capabilities == ("tools", "structured_output", "reasoning", "vision")
    assert model.released == date(2025, 6, 3)


def test_the_placeholder_for_no_expiry_is_no_date(asked: OpenRouter) -> None:
    models = listed(asked)
    assert models["acme/quill-2-mini"].retires_on is None
    assert models["acme/quill-1-mini"].retires_on == date(2025, 9, 30)
    assert models["acme/quill-1-mini"].source == "https://openrouter.ai/acme/quill-1-mini"


def test_a_price_that_varies_is_unknown(asked: OpenRouter) -> None:
    assert listed(asked)["openrouter/auto"].input_price is None


def test_an_older_row_tells_its_modalities_in_one_word(asked: OpenRouter) -> None:
    assert listed(asked)["acme/quill-1-mini"].output_modalities == ("text",)


def test_a_row_without_an_id_is_counted(asked: OpenRouter) -> None:
    assert asked.list_models(at=NOW).dropped == ("Item 4 has no id.",)


def test_newer_listings_come_in_pages(server: ScriptedServer) -> None:
    first = {"data": [{"id": "a"}], "links": {"next": f"{server.url}/models?offset=1"}}
    server.script = in_turn(answer(first), answer({"data": [{"id": "b"}], "links": {}}))
    assert set(listed(connect(OpenRouter, server))) == {"a", "b"}
    assert server.seen[1]["path"] == "/models?offset=1"


def test_a_chat_tells_what_was_served_and_what_it_cost(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("openrouter", "chat"))
    done = connect(OpenRouter, server).complete(chat("acme/quill-2-mini"))
    assert (done.text, done.served_id) == ("42", "acme/quill-2-mini-2025-06-03")
    assert done.cost_usd == Decimal("0.0000024")
    assert server.seen[0]["authorization"] == "Bearer k-1"
