"""Ollama's documented answers."""

import json

from providers.kinds.ollama.adapter import Ollama
from tests.providers.conftest import NOW, ScriptedServer, answer, in_turn, read_fixture
from tests.providers.shapes import chat, connect, listed


def test_the_digest_is_the_revision_and_the_download_no_release(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("ollama", "tags"))
    model = listed(connect(Ollama, server))["quill3.1:8b"]
    assert model.revision.startswith("46e0c10c039e")
    assert model.description == "quill 8.0B Q4_K_M"
    assert model.released is None


def test_show_tells_context_and_abilities(server: ScriptedServer) -> None:
    scripts = (answer(read_fixture("ollama", name)) for name in ("tags", "show"))
    server.script = in_turn(*scripts)
    model = connect(Ollama, server).describe("quill3.1:8b", at=NOW)
    assert model is not None
    assert (model.context_tokens, model.capabilities) == (131_072, ("completion", "tools"))
    assert json.loads(server.bodies[1]) == {"model": "quill3.1:8b"}


def test_a_chat_is_asked_for_in_one_piece(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("ollama", "chat"))
    done = connect(Ollama, server).complete(chat("quill3.1:8b"))
    assert (done.text, done.finish, done.served_id) == ("42", "length", "quill3.1:8b")
    assert (done.input_tokens, done.output_tokens) == (11, 18)
    sent = json.loads(server.bodies[0])
    assert sent["stream"] is False
    assert sent["options"] == {"num_predict": 50, "temperature": 0.2}
