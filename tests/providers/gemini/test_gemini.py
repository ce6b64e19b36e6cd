"""Gemini's documented answers."""

import json

import pytest

from providers.base import Refused
from providers.kinds.gemini.adapter import Gemini
from tests.providers.conftest import NOW, ScriptedServer, answer, in_turn, read_fixture
from tests.providers.shapes import chat, connect, listed


def test_pages_follow_the_token_and_the_key_is_in_no_address(server: ScriptedServer) -> None:
    pages = (read_fixture("gemini", "page-1"), read_fixture("gemini", "page-2"))
    server.script = in_turn(*map(answer, pages))
    models = listed(connect(Gemini, server))
    assert set(models) == {"gemstone-2.5-flash", "gemstone-embedding-001"}
    paths = [seen["path"] for seen in server.seen]
    assert paths == ["/models?pageSize=1000", "/models?pageSize=1000&pageToken=Ch1t"]
    assert [seen["x-goog-api-key"] for seen in server.seen] == ["k-1", "k-1"]


def test_a_row_tells_revision_limits_and_kind(server: ScriptedServer) -> None:
    pages = (read_fixture("gemini", "page-1"), read_fixture("gemini", "page-2"))
    server.script = in_turn(*map(answer, pages))
    models = listed(connect(Gemini, server))
    flash = models["gemstone-2.5-flash"]
    assert (flash.revision, flash.context_tokens, flash.output_tokens) == ("001", 1048576, 65536)
    assert flash.capabilities == ("chat", "reasoning")
    assert models["gemstone-embedding-001"].capabilities == ("embedding",)


def test_an_answer_tells_the_served_model_and_counts_thinking(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("gemini", "answer"))
    done = connect(Gemini, server).complete(chat("gemstone-2.5-flash"))
    assert (done.text, done.served_id) == ("42", "gemstone-2.5-flash-preview-05-20")
    assert (done.output_tokens, done.reasoning_tokens, done.cached_tokens) == (31, 30, 4)
    sent = json.loads(server.bodies[0])
    assert sent["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert sent["generationConfig"] == {"maxOutputTokens": 50, "temperature": 0.2}


def test_a_blocked_prompt_is_an_answer(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("gemini", "blocked"))
    done = connect(Gemini, server).complete(chat("gemstone-2.5-flash"))
    assert (done.text, done.finish) == ("", "refusal")


def test_a_bad_key_comes_as_400(server: ScriptedServer) -> None:
    said = {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}
    server.script = answer({"error": said}, 400)
    with pytest.raises(Refused, match="A_KEY"):
        connect(Gemini, server).list_models(at=NOW)
