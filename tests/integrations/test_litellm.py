"""The callback and litellm's own traces, with the real package, against a real server."""

import asyncio
import contextlib
import importlib.util
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hotswap_client import Hotswap
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.util._once import Once
from pytest_django.live_server_helper import LiveServer

from tests.factories import ApiKeyFactory
from versioning.models import PerformanceSample, TrackedModel, Word

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("litellm") is None,
        reason="litellm is not installed: integrations/README.md says how to run these",
    ),
    pytest.mark.filterwarnings("ignore"),  # litellm's and its dependencies' own
]

SECRET = "the secret prompt"
ASK: dict[str, Any] = {
    "model": "openai/zeta-1",
    "messages": [{"role": "user", "content": SECRET}],
    "mock_response": "the secret answer",
    "metadata": {
        "hotswap_provider": "acme",
        "hotswap_model": "writer",
        "hotswap_task": "summarise",
        "hotswap_tags": {"customer": "small"},
    },
}


@pytest.fixture
def litellm(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # no network
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import litellm
    yield litellm
    litellm.callbacks = []
    for name in ("success_callback", "failure_callback", "_async_success_callback",
                 "_async_failure_callback", "input_callback"):  # fmt: skip
        getattr(litellm, name).clear()


@pytest.fixture
def logged(litellm: ModuleType, hotswap: Hotswap) -> ModuleType:
    from hotswap_client.litellm_logger import HotswapLogger

    litellm.callbacks = [HotswapLogger(hotswap)]
    return litellm


def sent(hotswap: Hotswap, count: int) -> list[PerformanceSample]:
    """Return what the server got, once litellm's threads have told of ``count`` requests."""
    from litellm.litellm_core_utils.thread_pool_executor import executor

    executor.submit(lambda: None).result(10)
    for _ in range(200):
        if hotswap.stats.queued + hotswap.stats.accepted >= count:
            break
        executor.submit(asyncio.run, asyncio.sleep(0.02)).result(10)
    assert hotswap.flush(10)
    return list(PerformanceSample.objects.order_by("pk"))


async def ask_awaited(litellm: ModuleType) -> None:
    """Ask as servers do, and wait until litellm has told of it."""
    await litellm.acompletion(**ASK)
    with contextlib.suppress(ImportError):
        from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

        await GLOBAL_LOGGING_WORKER.flush()
    await asyncio.sleep(0.2)


def assert_nothing_secret() -> None:
    stored = f"{list(PerformanceSample.objects.values())}{list(Word.objects.values())}"
    assert "secret" not in stored


class TestCallback:
    def test_a_request_becomes_a_sample(
        self, logged: ModuleType, hotswap: Hotswap, writer: TrackedModel
    ) -> None:
        answer = logged.completion(**ASK)
        (sample,) = sent(hotswap, 1)
        assert sample.version == writer.current_version
        assert (sample.task.text, sample.tags.text) == ("summarise", "customer=small")
        assert sample.output_tokens == answer.usage.completion_tokens
        assert sample.latency_ms is not None
        assert sample.error is None
        assert_nothing_secret()

    def test_a_late_score_finds_it_by_the_answer_s_id(
        self, logged: ModuleType, hotswap: Hotswap
    ) -> None:
        answer = logged.completion(**ASK)
        sent(hotswap, 1)
        hotswap.score(answer.id, quality=0.5)
        assert hotswap.flush(10)
        assert PerformanceSample.objects.get().quality == 0.5

    def test_an_awaited_request_is_told_once(self, logged: ModuleType, hotswap: Hotswap) -> None:
        asyncio.run(ask_awaited(logged))
        assert len(sent(hotswap, 1)) == 1

    def test_a_stream_tells_its_first_token(self, logged: ModuleType, hotswap: Hotswap) -> None:
        for _ in logged.completion(**ASK, stream=True):
            pass
        (sample,) = sent(hotswap, 1)
        assert sample.ttft_ms is not None
        assert sample.ttft_ms <= sample.latency_ms

    def test_a_failure_is_its_class_only(self, logged: ModuleType, hotswap: Hotswap) -> None:
        error = logged.RateLimitError(f"while answering {SECRET}", "openai", "zeta-1")
        with pytest.raises(logged.RateLimitError):
            logged.completion(**ASK | {"mock_response": error}, num_retries=0)
        (sample,) = sent(hotswap, 1)
        assert sample.error.text == "RateLimitError"
        assert_nothing_secret()


class TestTraces:
    @pytest.mark.parametrize("opt_in", ["", "gen_ai_latest_experimental"])
    @pytest.mark.parametrize("awaited", [False, True])
    def test_the_otel_callback_pointed_here_just_works(
        self,
        opt_in: str,
        awaited: bool,
        litellm: ModuleType,
        live_server: LiveServer,
        writer: TrackedModel,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        from litellm.integrations.opentelemetry import OpenTelemetry
        from litellm.litellm_core_utils.thread_pool_executor import executor

        key = ApiKeyFactory().secret
        monkeypatch.setenv("OTEL_EXPORTER", "otlp_http")
        monkeypatch.setenv("OTEL_ENDPOINT", f"{live_server.url}/v1/traces")
        monkeypatch.setenv("OTEL_HEADERS", f"Authorization=Bearer {key}")
        monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", opt_in)
        # litellm makes the process's tracer; each test must get one of its own.
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
        monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
        litellm.callbacks = [OpenTelemetry()]
        if awaited:
            asyncio.run(ask_awaited(litellm))
        else:
            litellm.completion(**ASK)
        error = litellm.RateLimitError(SECRET, "openai", "zeta-1")
        with pytest.raises(litellm.RateLimitError):
            litellm.completion(**ASK | {"mock_response": error}, num_retries=0)
        executor.submit(asyncio.run, asyncio.sleep(0.5)).result(10)
        provider = trace.get_tracer_provider()
        assert isinstance(provider, TracerProvider)
        assert provider.force_flush()
        samples = list(PerformanceSample.objects.order_by("at", "pk"))
        assert [s.error and s.error.text for s in samples] == [None, "RateLimitError"]
        assert {s.version for s in samples} == {writer.current_version}
        assert_nothing_secret()
