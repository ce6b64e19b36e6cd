"""The Hugging Face hub's documented answers."""

import pytest

from providers.base import Nonsense
from providers.kinds.huggingface.adapter import HuggingFace
from tests.providers.conftest import NOW, ScriptedServer, answer, in_turn, read_fixture
from tests.providers.shapes import connect, listed


def two_pages(server: ScriptedServer) -> None:
    link = f'<{server.url}/api/models?cursor=abc>; rel="next"'
    server.script = in_turn(
        answer(read_fixture("huggingface", "page-1"), Link=link),
        answer(read_fixture("huggingface", "page-2")),
    )


def test_pages_follow_the_link_and_disabled_ones_are_left_out(server: ScriptedServer) -> None:
    two_pages(server)
    models = listed(connect(HuggingFace, server))
    assert set(models) == {"acme-ai/quill-1-7b", "acme-ai/quill-2-7b"}
    assert server.seen[1]["path"] == "/api/models?cursor=abc"


def test_the_author_names_the_successor_and_the_commit_is_the_revision(
    server: ScriptedServer,
) -> None:
    two_pages(server)
    model = listed(connect(HuggingFace, server))["acme-ai/quill-1-7b"]
    assert model.replacement == "acme-ai/quill-2-7b"
    assert model.source == "https://huggingface.co/acme-ai/quill-1-7b"
    assert model.revision == "0123456789abcdef0123456789abcdef01234567"


def test_the_listing_can_be_narrowed(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("huggingface", "page-2"))
    listed(connect(HuggingFace, server, author="acme-ai"))
    assert "author=acme-ai" in server.seen[0]["path"]
    assert "inference_provider" not in server.seen[0]["path"]


def test_a_repository_that_is_not_there_is_none(server: ScriptedServer) -> None:
    server.script = answer({"error": "Repository not found"}, 404)
    assert connect(HuggingFace, server).describe("acme-ai/none", at=NOW) is None


def test_a_web_page_is_not_taken_for_a_missing_repository(server: ScriptedServer) -> None:
    server.script = answer(b"<html><title>Sign in</title></html>")
    with pytest.raises(Nonsense):
        connect(HuggingFace, server).describe("acme-ai/quill-2-7b", at=NOW)
