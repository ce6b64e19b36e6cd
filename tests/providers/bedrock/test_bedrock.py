"""Bedrock's documented answers, and the signature of what is asked."""

import sys
from datetime import date

import pytest

from providers.base import Connection, Unavailable
from providers.kinds.bedrock.adapter import Bedrock
from tests.providers.conftest import ScriptedServer, answer, read_fixture
from tests.providers.shapes import chat, connect, listed


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")


def test_a_request_is_signed_for_its_region(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("bedrock", "models"))
    listed(connect(Bedrock, server, region="eu-central-1"))
    seen = server.seen[0]
    assert seen["path"] == "/foundation-models"
    assert seen["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-central-1/bedrock/aws4_request" in seen["authorization"]
    assert seen["x-amz-security-token"] == "session"
    assert "k-1" not in str(seen)


def test_a_bedrock_key_goes_as_a_bearer_token(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("bedrock", "models"))
    listed(Bedrock(Connection(server.url, "k-1", "AWS_BEARER_TOKEN_BEDROCK")))
    assert server.seen[0]["authorization"] == "Bearer k-1"


def test_a_row_tells_its_lifecycle(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("bedrock", "models"))
    models = listed(connect(Bedrock, server))
    old = models["acme.quill-v1:0"]
    assert (old.released, old.deprecated_on) == (date(2024, 3, 1), date(2025, 7, 1))
    assert (old.retires_on, old.retires_precision) == (date(2026, 1, 15), "exact")
    assert old.input_modalities == ("text", "image")
    assert models["acme.quill-v2:0"].retires_on is None


def test_converse_counts_the_cache_and_tells_a_guardrail(server: ScriptedServer) -> None:
    server.script = answer(read_fixture("bedrock", "converse"))
    done = connect(Bedrock, server).complete(chat("acme.quill-v1:0"))
    assert (done.text, done.finish) == ("42", "refusal")
    assert (done.input_tokens, done.cached_tokens) == (80, 50)
    assert server.seen[0]["path"] == "/model/acme.quill-v1%3A0/converse"


def test_the_region_is_read_from_the_address() -> None:
    asked = Bedrock(Connection("https://bedrock.eu-west-3.amazonaws.com", "k-1", "A_KEY"))
    assert asked.runtime.base_url == "https://bedrock-runtime.eu-west-3.amazonaws.com"


def test_without_botocore_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.auth", None)
    with pytest.raises(Unavailable, match=r"install hotswap\[bedrock\]"):
        Bedrock(Connection("https://bedrock.us-east-1.amazonaws.com", "k-1", "A_KEY"))
