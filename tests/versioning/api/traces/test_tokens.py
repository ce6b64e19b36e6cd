"""Counts of tokens under every name that instrumentations give them, and what they cost."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.factories import tracked
from tests.otlp import CHAT, export, span
from tests.versioning.api.conftest import Api
from versioning.models import ModelVersion, PerformanceSample, TrackedModel

Post = Callable[..., Any]
PRICES = {
    "input_price": 3,
    "output_price": 15,
    "cached_input_price": Decimal("0.3"),
    "other_prices": [
        {"part": "cache_write", "usd": "3.75"},
        {"part": "cache_write_1h", "usd": "6"},
    ],
}


@pytest.fixture
def lyra(db: None) -> TrackedModel:
    model = tracked(name="lyra", upstream_id="zeta-1", provider__slug="acme")
    ModelVersion.objects.update(**PRICES)
    return model


def sent(**counts: int) -> dict[str, Any]:
    return CHAT | {"gen_ai.usage.output_tokens": 100} | dict(counts.items())


def stored() -> tuple[int | None, ...]:
    sample = PerformanceSample.objects.get()
    return sample.input_tokens, sample.cached_tokens, sample.cache_write_tokens


def cost() -> Decimal | None:
    nano = PerformanceSample.objects.get().cost_nano_usd
    return None if nano is None else Decimal(nano) / 10**9


@pytest.mark.parametrize(
    "name",
    [
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.cache_read_tokens",
        "gen_ai.usage.cached_tokens",
        "gen_ai.usage.cached_input_tokens",
        "gen_ai.usage.input_cached_tokens",
        "gen_ai.usage.input_tokens.cached",
        "gen_ai.usage.input_tokens.cache_read",
        "gen_ai.usage.details.cache_read_tokens",
        "gen_ai.usage.details.cache_read_input_tokens",
        "gen_ai.usage.details.cached_content_tokens",
        "gen_ai.usage.prompt_tokens_details.cached_tokens",
        "gen_ai.usage.input_tokens_details.cached_tokens",
        "ai.usage.cachedInputTokens",
        "ai.usage.inputTokenDetails.cacheReadTokens",
    ],
)
def test_reads_from_a_cache_by_every_name(post: Post, lyra: TrackedModel, name: str) -> None:
    post(export(span(sent(**{"gen_ai.usage.input_tokens": 130213, name: 128955}))))
    assert stored() == (130213, 128955, None)
    assert cost() == Decimal("0.0439605")


@pytest.mark.parametrize(
    "name",
    [
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_tokens",
        "gen_ai.usage.input_tokens.cache_write",
        "gen_ai.usage.details.cache_write_tokens",
        "gen_ai.usage.cache_creation.ephemeral_5m_input_tokens",
        "ai.usage.inputTokenDetails.cacheWriteTokens",
    ],
)
def test_writes_to_a_cache_by_every_name(post: Post, lyra: TrackedModel, name: str) -> None:
    post(export(span(sent(**{"gen_ai.usage.input_tokens": 1000, name: 400}))))
    assert stored() == (1000, None, 400)
    assert cost() == (600 * 3 + 400 * Decimal("3.75") + 100 * 15) / Decimal(10**6)


def test_writes_for_five_minutes_and_an_hour_add_up(post: Post, lyra: TrackedModel) -> None:
    counts = {
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.cache_creation.ephemeral_5m_input_tokens": 300,
        "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens": 100,
    }
    post(export(span(sent(**counts))))
    assert stored() == (1000, None, 400)
    assert cost() == (600 * 3 + 300 * Decimal("3.75") + 100 * 6 + 1500) / Decimal(10**6)


def test_names_that_repeat_each_other_count_once(post: Post, lyra: TrackedModel) -> None:
    counts = {
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.prompt_tokens": 1000,
        "gen_ai.usage.details.input_tokens": 600,
        "gen_ai.usage.cache_read.input_tokens": 400,
        "gen_ai.usage.cache_read_input_tokens": 400,
        "gen_ai.usage.details.cache_read_input_tokens": 400,
    }
    post(export(span(sent(**counts))))
    assert stored() == (1000, 400, None)


READ, WRITE = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"


@pytest.mark.parametrize(
    ("scope", "counts", "input_tokens"),
    [
        ("any", {"input": 130213, READ: 128955, WRITE: 1253}, 130213),
        ("any", {"input": 5, READ: 128955, WRITE: 1253}, 130213),
        ("any", {"input": 1000, READ: 900, WRITE: 500}, 2400),
        ("any", {"input": 1000, READ: 400}, 1000),
        ("opentelemetry.instrumentation.bedrock", {"input": 1000, READ: 400}, 1400),
        ("strands.telemetry.tracer", {"input": 1000, READ: 400, WRITE: 50}, 1450),
        ("any", {"input": 1000, READ: 400, "gen_ai.usage.total_tokens": 1500}, 1400),
        ("any", {"input": 1000, READ: 400, "gen_ai.usage.total_tokens": 1100}, 1000),
    ],
)
def test_whether_the_cache_is_in_the_input(
    post: Post, lyra: TrackedModel, scope: str, counts: dict[str, int], input_tokens: int
) -> None:
    counts = dict(counts)
    counts["gen_ai.usage.input_tokens"] = counts.pop("input")
    post(export(span(sent(**counts)), scope=scope))
    assert stored()[0] == input_tokens


def test_vercel_s_names(post: Post, lyra: TrackedModel) -> None:
    told = {
        "ai.usage.inputTokens": 2224,
        "ai.usage.outputTokens": 100,
        "ai.usage.cachedInputTokens": 2048,
        "ai.usage.reasoningTokens": 64,
    }
    bare = {k: v for k, v in CHAT.items() if "usage" not in k}
    post(export(span(bare | told)))
    assert stored() == (2224, 2048, None)
    sample = PerformanceSample.objects.get()
    assert (sample.output_tokens, sample.reasoning_tokens) == (100, 64)


@pytest.mark.parametrize("name", ["openai.response.service_tier", "gen_ai.request.service_tier"])
def test_a_tier_without_prices_has_no_known_cost(post: Post, lyra: TrackedModel, name: str) -> None:
    post(export(span(sent(**{"gen_ai.usage.input_tokens": 1000}) | {name: "batch"})))
    assert cost() is None


def test_a_tier_has_its_own_prices(post: Post, lyra: TrackedModel) -> None:
    batch = [{"part": p, "usd": usd, "tier": "batch"} for p, usd in (("input", 1), ("output", 7))]
    ModelVersion.objects.update(other_prices=batch)
    post(export(span(sent(**{"gen_ai.usage.input_tokens": 1000})
                     | {"openai.response.service_tier": "batch"})))  # fmt: skip
    assert cost() == Decimal("0.0017")


class TestNothingTold:
    """No token in and none out on an answered request is unknown, not free."""

    def test_of_a_span(self, post: Post, lyra: TrackedModel) -> None:
        post(export(span(CHAT | dict.fromkeys(
            ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"), 0))))  # fmt: skip
        assert (stored()[0], cost()) == (None, None)

    def test_of_a_sample(self, api: Api, lyra: TrackedModel) -> None:
        api.post("/api/performance-samples", {
            "provider": "acme", "model": "lyra", "input_tokens": 0, "output_tokens": 0,
        })  # fmt: skip
        assert (stored()[0], cost()) == (None, None)

    def test_a_failed_request_may_have_used_none(self, api: Api, lyra: TrackedModel) -> None:
        api.post("/api/performance-samples", {
            "provider": "acme", "model": "lyra", "input_tokens": 0, "output_tokens": 0,
            "error": "timeout",
        })  # fmt: skip
        assert (stored()[0], cost()) == (0, 0)


def test_an_embedding_has_a_cost(post: Post, lyra: TrackedModel) -> None:
    ModelVersion.objects.update(output_price=None)
    told = {k: v for k, v in CHAT.items() if "output" not in k}
    post(export(span(told | {
        "gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 1000,
    })))  # fmt: skip
    assert cost() == Decimal("0.003")
