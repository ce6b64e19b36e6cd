"""Whose request a span or a sample tells of; what can't be told is unknown, never the nearest."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.factories import ProviderFactory, tracked
from tests.otlp import CHAT, export, span
from tests.versioning.api.conftest import Api
from versioning.models import PerformanceSample, TrackedModel, UnknownModel

Post = Callable[..., Any]


def told(model: str = "gpt-4o", **more: Any) -> dict[str, Any]:
    names = {"gen_ai.request.model": model, "gen_ai.response.model": model}
    named = {name.replace("_", "."): value for name, value in more.items()}
    bare = {k: v for k, v in CHAT.items() if k != "gen_ai.provider.name"}
    return bare | names | named | ({"gen_ai.provider.name": more["of"]} if "of" in more else {})


def whose() -> TrackedModel | None:
    version = PerformanceSample.objects.get().version
    return None if version is None else version.tracked_model


@pytest.fixture
def openai(db: None) -> TrackedModel:
    return tracked(
        name="gpt-4o", upstream_id="gpt-4o", provider__slug="openai", provider__base_url=""
    )


@pytest.mark.parametrize(
    "name", ["azure.ai.openai", "openrouter", "somebody", "groq", "gcp.vertex_ai", "x_ai"]
)
def test_a_named_provider_that_isn_t_here_stays_a_name(
    post: Post, openai: TrackedModel, name: str
) -> None:
    post(export(span(told(of=name))))
    assert whose() is None
    assert UnknownModel.objects.get().provider_slug


@pytest.mark.parametrize("name", ["openai", "openai.chat", "openai.responses"])
def test_a_name_finds_its_provider(post: Post, openai: TrackedModel, name: str) -> None:
    ProviderFactory(slug="gpu")
    post(export(span(told(of=name))))
    assert whose() == openai


def test_a_kind_that_two_providers_have_names_neither(post: Post) -> None:
    for number in (1, 2):
        tracked(name="gpt-4o", provider__kind="azure", provider__base_url=f"https://{number}.x")
    post(export(span(told(of="azure.ai.openai"))))
    assert whose() is None


def test_a_bare_id_that_two_providers_track_is_nobody_s(post: Post, openai: TrackedModel) -> None:
    tracked(name="gpt-4o", upstream_id="gpt-4o", provider__slug="other")
    post(export(span(told())))
    assert whose() is None


def test_a_bare_id_that_one_provider_tracks_is_its(post: Post, openai: TrackedModel) -> None:
    post(export(span(told())))
    assert whose() == openai


class TestAddress:
    @pytest.fixture
    def gpu(self, db: None) -> TrackedModel:
        return tracked(
            name="gpt-4o", provider__slug="gpu", provider__base_url="http://10.0.0.5:8000/v1"
        )

    @pytest.mark.parametrize("port", [8000, "8000", None])
    def test_its_port_or_none_is_it(self, post: Post, gpu: TrackedModel, port: Any) -> None:
        more = {} if port is None else {"server_port": port}
        post(export(span(told(of="openai", server_address="10.0.0.5", **more))))
        assert whose() == gpu

    @pytest.mark.parametrize("name", [{}, {"of": "openai"}, {"of": "gpu"}])
    def test_another_port_is_another_server(
        self, post: Post, gpu: TrackedModel, name: dict[str, str]
    ) -> None:
        post(export(span(told(server_address="10.0.0.5", server_port=9000, **name))))
        assert whose() is None
        assert "10.0.0.5:9000" in UnknownModel.objects.get().provider_slug or name == {"of": "gpu"}

    def test_another_host_is_not_a_provider_with_an_address_of_its_own(
        self, post: Post, gpu: TrackedModel
    ) -> None:
        post(export(span(told(of="openai", server_address="api.openai.com", server_port=443))))
        assert whose() is None

    def test_two_servers_on_a_host_are_told_apart_by_port(
        self, post: Post, gpu: TrackedModel
    ) -> None:
        other = tracked(
            name="gpt-4o", provider__slug="two", provider__base_url="http://10.0.0.5:8001"
        )
        post(export(span(told(server_address="10.0.0.5", server_port=8001))))
        assert whose() == other

    def test_a_proxy_s_address_leaves_the_name_to_decide(
        self, post: Post, openai: TrackedModel
    ) -> None:
        post(export(span(told(of="openai", server_address="proxy.internal", server_port=443))))
        assert whose() == openai


PREFIXES = [
    ("gemini", "lumen-2.5", {"of": "gcp.gemini"}, "models/lumen-2.5"),
    ("gemini", "lumen-2.5", {"of": "gemini"}, "gemini/lumen-2.5"),
    ("gemini", "lumen-2.5", {}, "gemini/lumen-2.5"),
    ("gemini", "lumen-2.5", {"of": "own"}, "gemini/models/lumen-2.5"),
    ("openai", "gpt-4o", {"of": "own"}, "openai/gpt-4o"),
    ("openai", "gpt-4o", {"of": "own"}, "own/gpt-4o"),
    ("openai", "gpt-4o", {}, "own/gpt-4o"),
    ("openai", "gpt-4o", {"of": "own"}, "OpenAI/gpt-4o"),
    ("gemini", "lumen-2.5", {"of": "own"}, "Models/lumen-2.5"),
    ("gemini", "lumen-2.5", {"of": "own"}, "google_genai/lumen-2.5"),
    ("ollama", "lumen-2.5", {"of": "own"}, "ollama_chat/lumen-2.5"),
    ("azure", "gpt-4o", {}, "azure_ai/gpt-4o"),
    ("bedrock", "acme.lumen-v2:0", {"of": "own"}, "bedrock_converse/acme.lumen-v2:0"),
    ("openrouter", "openai/gpt-4o", {"of": "own"}, "openrouter/openai/gpt-4o"),
    ("openrouter", "openai/gpt-4o", {}, "openai/gpt-4o"),
]


@pytest.mark.parametrize(("kind", "upstream_id", "named", "sent"), PREFIXES)
class TestPrefix:
    """A provider's own word before its models' names is taken off, at every door."""

    @pytest.fixture
    def model(self, kind: str, upstream_id: str, db: None) -> TrackedModel:
        return tracked(
            name="stable", upstream_id=upstream_id, provider__slug="own", provider__kind=kind
        )

    def test_of_a_span(
        self, post: Post, model: TrackedModel, named: dict[str, str], sent: str
    ) -> None:
        post(export(span(told(sent, **named))))
        assert whose() == model

    def test_of_a_sample(
        self, api: Api, model: TrackedModel, named: dict[str, str], sent: str
    ) -> None:
        provider = {"provider": "own"} if named else {}
        answer = api.post("/api/performance-samples", {**provider, "upstream_id": sent})
        assert answer.json()["accepted"] == 1
        assert whose() == model


@pytest.mark.parametrize(
    "sent", ["azure/gpt-4o", "models/gpt-4o", "openrouter/gpt-4o", "eu/gpt-4o"]
)
def test_another_s_prefix_stays(post: Post, openai: TrackedModel, sent: str) -> None:
    post(export(span(told(sent, of="openai"))))
    assert whose() is None
