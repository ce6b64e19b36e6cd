"""POST /v1/traces as programs send it: the SDK's exporter, JSON, gzip, and what goes wrong."""

import gzip
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from pytest_django.live_server_helper import LiveServer

from tests.factories import tracked
from tests.otlp import CHAT, export, span
from versioning.models import PerformanceSample, TrackedModel, UnknownModel, Word

PROTOBUF = "application/x-protobuf"


@pytest.mark.django_db(transaction=True)
class TestExporter:
    """An exporter of the OpenTelemetry SDK pointed here just works."""

    @pytest.fixture
    def tracer(
        self,
        live_server: LiveServer,
        writer: TrackedModel,
        secret: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Iterator[TracerProvider]:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", live_server.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"Authorization=Bearer%20{secret}")
        provider = TracerProvider(resource=Resource({"hotswap.task": "summarise"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        yield provider
        provider.shutdown()

    def test_a_span_becomes_a_sample(
        self, tracer: TracerProvider, writer: TrackedModel, caplog: pytest.LogCaptureFixture
    ) -> None:
        with tracer.get_tracer("app").start_as_current_span(
            "chat", kind=SpanKind.CLIENT
        ) as current:
            current.set_attributes(CHAT)
        with tracer.get_tracer("app").start_as_current_span("GET /"):
            pass  # not a request to a model
        assert tracer.force_flush()
        sample = PerformanceSample.objects.get()
        assert sample.version == writer.current_version
        assert (sample.input_tokens, sample.output_tokens) == (12, 34)
        assert sample.task.text == "summarise"
        assert not [r for r in caplog.records if r.levelno >= logging.WARNING]

    def test_an_exception_is_an_error_class_without_its_message(
        self, tracer: TracerProvider
    ) -> None:
        def ask() -> None:
            with tracer.get_tracer("app").start_as_current_span("chat") as current:
                current.set_attributes(CHAT)
                raise TimeoutError("while answering SECRET")

        with pytest.raises(TimeoutError):
            ask()
        assert tracer.force_flush()
        assert PerformanceSample.objects.get().error.text == "TimeoutError"

    def test_gzip_works(self, live_server: LiveServer, writer: TrackedModel, secret: str) -> None:
        exporter = OTLPSpanExporter(
            endpoint=f"{live_server.url}/v1/traces",
            headers={"authorization": f"Bearer {secret}"},
            compression=Compression.Gzip,
        )
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter))
        with provider.get_tracer("app").start_as_current_span("chat", attributes=CHAT):
            pass
        provider.shutdown()
        assert PerformanceSample.objects.count() == 1


class TestNames:
    """Conventions old and new, and litellm's own names."""

    def test_the_new_names(self, post: Callable[..., Any], writer: TrackedModel) -> None:
        more = {
            "gen_ai.usage.cache_read.input_tokens": 4,
            "gen_ai.usage.reasoning.output_tokens": 5,
            "gen_ai.response.time_to_first_chunk": 0.125,
        }
        answer = post(export(span(CHAT | more)))
        assert (answer.status_code, answer.json()) == (200, {})
        sample = PerformanceSample.objects.get()
        assert (sample.cached_tokens, sample.reasoning_tokens) == (4, 5)
        assert (sample.latency_ms, sample.ttft_ms) == (250, 125)
        assert sample.cost_nano_usd is None

    def test_the_old_names(self, post: Callable[..., Any], writer: TrackedModel) -> None:
        post(export(span({
            "gen_ai.system": "acme",
            "gen_ai.request.model": "zeta-1",
            "gen_ai.usage.prompt_tokens": 12,
            "gen_ai.usage.completion_tokens": 34,
            "llm.request.type": "chat",
        })))  # fmt: skip
        sample = PerformanceSample.objects.get()
        assert sample.version == writer.current_version
        assert (sample.input_tokens, sample.output_tokens) == (12, 34)

    def test_litellm_s_callback(self, post: Callable[..., Any], writer: TrackedModel) -> None:
        asked = {
            "gen_ai.system": "acme",
            "gen_ai.request.model": "zeta-1",
            "gen_ai.response.model": "zeta-1",
            "gen_ai.operation.name": "chat",
            "gen_ai.response.id": "chatcmpl-b32b54c7-5924-46d6-873e-0ecfc2609f26",
            "gen_ai.cost.total_cost": 1.35e-05,
            "litellm.cache_hit": False,
            "litellm.call_id": "4c106504-7942-4b9f-b0bf-e73e25f5c1f7",
            "metadata.requester_metadata": "",
        }
        raw = span({"llm.acme.stringified_raw_response": "SECRET"}, name="raw_gen_ai_request")
        parent = span(asked, spanId="aaaaaaaaaaaaaaaa", kind=2)  # the proxy's, of the same request
        post(export(span(asked), raw, parent))
        assert PerformanceSample.objects.get().cost_nano_usd == 13_500

    def test_litellm_s_failure(self, post: Callable[..., Any], writer: TrackedModel) -> None:
        more = {
            "error.type": "RateLimitError",
            "error.message": "SECRET",
            "gen_ai.cost.total_cost": 0.0,
        }
        post(export(span(CHAT | more, status={"code": 2})))
        sample = PerformanceSample.objects.get()
        assert sample.error.text == "RateLimitError"
        assert sample.cost_nano_usd is None  # litellm says 0 where it knows no price

    def test_an_answer_from_a_cache_says_nothing_of_the_model(
        self, post: Callable[..., Any], writer: TrackedModel
    ) -> None:
        post(export(span(CHAT | {"litellm.cache_hit": True})))
        assert not PerformanceSample.objects.exists()

    @pytest.mark.parametrize("operation", ["acompletion", "aresponses", "aembedding"])
    def test_litellm_s_awaited_requests_count(
        self, post: Callable[..., Any], writer: TrackedModel, operation: str
    ) -> None:
        post(export(span(CHAT | {"gen_ai.operation.name": operation})))
        assert PerformanceSample.objects.get().version == writer.current_version

    def test_agents_and_tools_only_hold_requests(
        self, post: Callable[..., Any], writer: TrackedModel
    ) -> None:
        for operation in ("invoke_agent", "execute_tool"):
            post(export(span(CHAT | {"gen_ai.operation.name": operation})))
        assert not PerformanceSample.objects.exists()

    def test_our_own_names(self, post: Callable[..., Any], writer: TrackedModel) -> None:
        own = {
            "hotswap.model": "writer",
            "hotswap.quality": 0.75,
            "hotswap.source": "canary",
            "hotswap.tag.customer": "small",
            "hotswap.cost_usd": "0.002",
        }
        post(export(span(CHAT | own), hotswap_task="extract"))
        sample = PerformanceSample.objects.get()
        assert (sample.quality, sample.cost_nano_usd) == (0.75, 2_000_000)
        assert sample.source == PerformanceSample.Source.CANARY
        assert (sample.task.text, sample.tags.text) == ("extract", "customer=small")

    def test_signals_make_a_score(self, post: Callable[..., Any], writer: TrackedModel) -> None:
        post(export(span(CHAT | {"hotswap.valid_output": True})))
        assert PerformanceSample.objects.get().quality == 1


class TestWhose:
    """Whose request it was: by our name, the server's address, or the name that is told."""

    def test_an_address_tells_the_provider_behind_a_library_s_name(
        self, post: Callable[..., Any]
    ) -> None:
        tracked(name="a", provider__slug="first", provider__base_url="https://a.example/v1")
        other = tracked(name="b", provider__slug="second", provider__base_url="https://b.example")
        told = {"gen_ai.provider.name": "openai", "server.address": "b.example"}
        post(export(span(CHAT | told)))
        assert PerformanceSample.objects.get().version == other.current_version

    @pytest.mark.parametrize(
        ("told", "kind"), [("aws.bedrock", "bedrock"), ("azure.ai.openai", "azure")]
    )
    def test_a_convention_s_name_means_a_kind(
        self, told: str, kind: str, post: Callable[..., Any]
    ) -> None:
        model = tracked(name="a", provider__kind=kind)
        post(export(span(CHAT | {"gen_ai.provider.name": told})))
        assert PerformanceSample.objects.get().version == model.current_version

    def test_an_unknown_model_is_kept_to_be_tracked(self, post: Callable[..., Any]) -> None:
        post(export(span(CHAT | {"gen_ai.request.model": "never-seen"})))
        assert UnknownModel.objects.get().name == "never-seen"


class TestSecrets:
    def test_prompts_and_answers_are_never_stored(
        self, post: Callable[..., Any], writer: TrackedModel
    ) -> None:
        names = (
            "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.prompt.0.content",
            "gen_ai.completion.0.content", "gen_ai.system_instructions", "error.message",
            "gen_ai.tool.call.arguments", "metadata.user_api_key_alias",
        )  # fmt: skip
        texts = dict.fromkeys(names, "SECRET")
        event = {"name": "exception", "attributes": [
            {"key": "exception.message", "value": {"stringValue": "SECRET"}},
            {"key": "exception.type", "value": {"stringValue": "openai.BadRequestError"}},
        ]}  # fmt: skip
        post(export(span(CHAT | texts, events=[event], status={"code": 2, "message": "SECRET"})))
        sample = PerformanceSample.objects.get()
        assert sample.error.text == "BadRequestError"
        assert "SECRET" not in str(list(PerformanceSample.objects.values()))
        assert "SECRET" not in str(list(Word.objects.values()))


class TestRepeats:
    def test_an_export_sent_again_changes_nothing(
        self, post: Callable[..., Any], writer: TrackedModel
    ) -> None:
        assert post(export(span(CHAT))).json() == {}
        assert post(export(span(CHAT))).json() == {}
        assert PerformanceSample.objects.count() == 1

    def test_numbers_that_come_again_are_no_names_of_requests(
        self, post: Callable[..., Any], writer: TrackedModel
    ) -> None:
        told = CHAT | {"gen_ai.response.id": "chatcmpl-517"}
        post(export(span(told), span(told, spanId="aaaaaaaaaaaaaaaa")))
        assert PerformanceSample.objects.count() == 2

    def test_protobuf_and_json_name_a_span_alike(
        self, post: Callable[..., Any], writer: TrackedModel
    ) -> None:
        post(export(span(CHAT)))
        request = ExportTraceServiceRequest()
        sent = request.resource_spans.add().scope_spans.add().spans.add()
        sent.trace_id = bytes.fromhex("5b8efff798038103d269b633813fc60c")
        sent.span_id = bytes.fromhex("eee19b7ec3c1b174")
        sent.end_time_unix_nano = 1790000000 * 10**9
        sent.attributes.add(key="gen_ai.request.model").value.string_value = "zeta-1"
        assert post(request.SerializeToString(), PROTOBUF).content == b""
        assert PerformanceSample.objects.count() == 1


class TestRefusals:
    def test_what_can_t_be_used_is_counted_and_the_rest_stored(
        self, post: Callable[..., Any], writer: TrackedModel
    ) -> None:
        bad = span(CHAT | {"gen_ai.usage.input_tokens": -1}, spanId="aaaaaaaaaaaaaaaa")
        worse = span(CHAT | {"hotswap.quality": "high"}, spanId="bbbbbbbbbbbbbbbb")
        told = post(export(span(CHAT), bad, worse)).json()["partialSuccess"]
        assert told["rejectedSpans"] == "2"
        assert "input_tokens" in told["errorMessage"]
        assert PerformanceSample.objects.count() == 1

    def test_protobuf_is_answered_in_protobuf(
        self, post: Callable[..., Any], writer: TrackedModel
    ) -> None:
        request = ExportTraceServiceRequest()
        sent = request.resource_spans.add().scope_spans.add().spans.add()
        sent.end_time_unix_nano = 1790000000 * 10**9
        sent.attributes.add(key="gen_ai.request.model").value.string_value = "z" * 300
        answer = post(request.SerializeToString(), PROTOBUF)
        assert answer["Content-Type"] == PROTOBUF
        receipt = ExportTraceServiceResponse.FromString(answer.content)
        assert receipt.partial_success.rejected_spans == 1
        assert "200" in receipt.partial_success.error_message

    @pytest.mark.parametrize(
        ("body", "form"),
        [(b"{", "application/json"), (b'{"resourceSpans": 1}', "application/json"),
         (b"\xff\xff\xff", PROTOBUF)],
    )  # fmt: skip
    def test_what_is_no_export_is_a_problem(
        self, body: bytes, form: str, post: Callable[..., Any]
    ) -> None:
        answer = post(body, form)
        assert (answer.status_code, answer.json()["code"]) == (400, "unreadable-body")

    def test_another_form_is_refused(self, post: Callable[..., Any]) -> None:
        assert post(b"", "text/plain").status_code == 415

    def test_more_than_a_batch_is_refused(
        self, post: Callable[..., Any], writer: TrackedModel, settings: Any
    ) -> None:
        settings.HOTSWAP = {**settings.HOTSWAP, "MAX_BATCH": 1}
        assert post(export(span(CHAT), span(CHAT))).status_code == 413
        assert not PerformanceSample.objects.exists()

    def test_a_key_is_needed(self, post: Callable[..., Any]) -> None:
        assert post(export(), Authorization="Bearer hs_wrong").status_code == 401

    def test_an_empty_export_is_fine(self, post: Callable[..., Any]) -> None:
        request = ExportTraceServiceRequest()
        request.resource_spans.add()
        assert post(request.SerializeToString(), PROTOBUF).status_code == 200
        assert post(gzip.compress(b"{}"), **{"Content-Encoding": "gzip"}).json() == {}


def test_an_export_costs_the_same_queries_for_any_number_of_spans(
    post: Callable[..., Any], writer: TrackedModel
) -> None:
    post(export(span(CHAT)))
    few, many = (
        [span(CHAT, spanId=f"{n:016x}") for n in numbers]
        for numbers in (range(1, 3), range(3, 200))
    )
    with CaptureQueriesContext(connection) as for_few:
        post(export(*few))
    with CaptureQueriesContext(connection) as for_many:
        post(export(*many))
    assert len(for_many) <= len(for_few) < 32
    assert PerformanceSample.objects.count() == 200
