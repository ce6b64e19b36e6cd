"""Anthropic's documented answers."""

import json
from datetime import date

import pytest

from providers.base import Nonsense, Refused, Unavailable
from providers.kinds.anthropic.adapter import Anthropic
from tests.providers.conftest import NOW, ScriptedServer, answer, in_turn, read_fixture
from tests.providers.shapes import chat, connect, listed


def test_pages_follow_the_last_id(server: ScriptedServer) -> None:
    pages = (read_fixture("anthropic", "page-1"), read_fixture("anthropic", "page-2"))
    server.script = in_turn(*map(answer, pages))
    assert set(listed(connect(Anthropic, server))) == {"sonata-4-20250514", "sonata-2.0"}
    paths = [seen["path"] for seen in server.seen]
    assert paths == ["/models?limit=1000", "/models?limit=1000&after_id=sonata-4-20250514"]


def test_the_key_goes_in_anthropic_s_own_header(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("anthropic", "page-2"))
    listed(connect(Anthropic, server))
    (seen,) = server.seen
    assert (seen["x-api-key"], seen["anthropic-version"]) == ("k-1", "2023-06-01")
    assert "authorization" not in seen


def test_a_row_tells_release_limits_and_abilities(server: ScriptedServer) -> None:
    pages = (read_fixture("anthropic", "page-1"), read_fixture("anthropic", "page-2"))
    server.script = in_turn(*map(answer, pages))
    models = listed(connect(Anthropic, server))
    model = models["sonata-4-20250514"]
    assert model.released == date(2025, 5, 22)
    assert (model.context_tokens, model.output_tokens) == (200_000, 64_000)
    assert model.capabilities == ("vision", "reasoning")
    assert models["sonata-2.0"].released is None  # the epoch stands for unknown


def test_a_message_counts_what_the_cache_gave(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("anthropic", "message"))
    done = connect(Anthropic, server).complete(chat("sonata-4"))
    assert (done.text, done.finish, done.served_id) == ("It is 42", "stop", "sonata-4-20250514")
    assert (done.input_tokens, done.cached_tokens, done.output_tokens) == (1110, 1000, 12)


def test_the_system_text_goes_apart(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("anthropic", "message"))
    connect(Anthropic, server).complete(chat("sonata-4"))
    sent = json.loads(server.bodies[0])
    assert sent["system"] == "Be brief."
    assert sent["messages"] == [{"role": "user", "content": "6 * 7?"}]
    assert sent["max_tokens"] == 50


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (401, "authentication_error", Refused),
        (403, "permission_error", Refused),
        (429, "rate_limit_error", Unavailable),
        (529, "overloaded_error", Unavailable),
    ],
)
def test_an_error_says_what_anthropic_said(
    status: int, kind: str, error: type[Exception], server: ScriptedServer
) -> None:
    body = {"type": "error", "error": {"type": kind, "message": "Said plainly."}}
    server.script = answer(body, status)
    with pytest.raises(error, match=r"Said plainly\."):
        connect(Anthropic, server).list_models(at=NOW)


def test_a_message_without_content_is_nonsense(server: ScriptedServer) -> None:
    server.script = answer({"type": "message", "content": "42"})
    with pytest.raises(Nonsense):
        connect(Anthropic, server).complete(chat("sonata-4"))
