"""Bedrock's documented answers, and the signature of what is asked."""

import sys
from datetime import date
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from providers.base import Connection, Unavailable
from providers.kinds.bedrock.adapter import Bedrock
from tests.providers.conftest import NOW, ScriptedServer, answer, read_fixture
from tests.providers.shapes import chat, connect, listed
from versioning.domain import lineage


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


OWN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6"
MODEL = "arn:aws:bedrock:{}::foundation-model/acme.quill-v2:0"


def an_account(server: ScriptedServer, *, lifecycle: str = "ACTIVE", status: int = 200) -> None:
    """Answer as an account with a model that needs a profile, one of AWS's and one of its own."""
    model = {
        "modelId": "acme.quill-v2:0",
        "modelLifecycle": {"status": lifecycle, "endOfLifeTime": "2027-05-01T00:00:00Z"},
        "inferenceTypesSupported": ["INFERENCE_PROFILE"],
    }
    in_regions = [{"modelArn": MODEL.format(region)} for region in ("us-east-1", "us-west-2")]
    system = {
        "inferenceProfileId": "us.acme.quill-v2:0",
        "inferenceProfileArn": "arn:aws:bedrock:us-east-1::inference-profile/us.acme.quill-v2:0",
        "type": "SYSTEM_DEFINED",
        "models": in_regions,
    }
    own = {
        "inferenceProfileId": "a1b2c3d4e5f6",
        "inferenceProfileArn": OWN,
        "inferenceProfileName": "invoices, for finance",
        "type": "APPLICATION",
        "models": in_regions,
    }

    def script(handler: BaseHTTPRequestHandler) -> None:
        address = urlsplit(handler.path)
        if address.path == "/foundation-models":
            return answer({"modelSummaries": [model]})(handler)
        if address.path.startswith("/inference-profiles/"):
            found = {"arn": own, "us.": system}.get(unquote(address.path.rpartition("s/")[2])[:3])
            return answer(found or {"message": "no such profile"})(handler)
        if status != 200:
            return answer({"message": "User is not authorized to do this."}, status)(handler)
        kind = dict(parse_qsl(address.query))["type"]
        rows = {"SYSTEM_DEFINED": [system], "APPLICATION": [own]}[kind]
        return answer({"inferenceProfileSummaries": rows})(handler)

    server.script = script


def test_a_profile_of_the_account_s_own_is_called_by_its_arn(server: ScriptedServer) -> None:
    an_account(server, lifecycle="LEGACY")
    models = listed(connect(Bedrock, server))
    own = models[OWN]
    assert (own.name, own.aliases, own.access) == (
        "invoices, for finance",
        ("a1b2c3d4e5f6",),
        "on_demand",
    )
    assert (own.lifecycle, own.retires_on) == ("legacy", date(2027, 5, 1))
    assert models["us.acme.quill-v2:0"].lifecycle == "legacy"
    assert models["acme.quill-v2:0"].access == "profile"


def test_the_witness_asks_for_a_profile_by_its_own_address(server: ScriptedServer) -> None:
    an_account(server)
    asked = connect(Bedrock, server)
    for id in (OWN, "us.acme.quill-v2:0"):
        assert asked.look_at(id, at=NOW).outcome == "callable"
        assert server.seen[-1]["path"].startswith("/inference-profiles/")
        assert "/" not in server.seen[-1]["path"].removeprefix("/inference-profiles/")


@pytest.mark.parametrize("status", [400, 403])
def test_without_leave_to_list_profiles_the_permission_is_named(
    server: ScriptedServer, status: int
) -> None:
    an_account(server, status=status)
    found = connect(Bedrock, server).list_models(at=NOW)
    assert [model.id for model in found.models] == ["acme.quill-v2:0"]
    (gap,) = found.gaps
    assert "bedrock:ListInferenceProfiles" in gap


def test_nothing_follows_a_profile_whose_name_says_nothing() -> None:
    newer = [lineage.Known(id=f"us.acme.quill-v{n}:0") for n in (2, 3)]
    known = lineage.Known(id=OWN)
    market = lineage.ModelIndex.of([known, *newer], provider="bedrock")
    found = lineage.find_successor(known, listed=market, provider="bedrock", at=NOW.date())
    assert (found.successor, found.maybes) == (None, ())
    assert found.reasons
