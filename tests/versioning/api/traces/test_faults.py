"""One span that can't be read costs no other, whatever is wrong with it, in JSON and protobuf."""

import copy
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.otlp import CHAT, export, span
from versioning.models import PerformanceSample, TrackedModel

PROTOBUF = "application/x-protobuf"
numbers = itertools.count(1)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=True)
    | st.text(max_size=30)
    | st.sampled_from(["1.7958e18", "", "NaN", "0x10", "9" * 5_000, "-1", "STATUS_CODE_ERROR"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["key", "value", "stringValue", "intValue", "name", "low"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


def whole_span() -> dict[str, Any]:
    """Return a span with all that is read of one, and more."""
    more = {
        "gen_ai.usage.cache_read.input_tokens": 4,
        "gen_ai.usage.cost": 0.25,
        "server.port": 443,
        "server.address": "127.0.0.1",
        "hotswap.valid_output": True,
        "user": "somebody",
    }
    event = {
        "name": "exception",
        "timeUnixNano": "1790000000000000000",
        "attributes": [{"key": "exception.type", "value": {"stringValue": "Oops"}}],
    }
    return span(
        CHAT | more,
        spanId="dddddddddddddddd",
        parentSpanId="eeeeeeeeeeeeeeee",
        events=[event],
        links=[],
        status={"code": 2, "message": "went wrong"},
        droppedAttributesCount=0,
    )


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a JSON tree."""
    yield path
    items = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree if isinstance(tree, list) else ())
    )
    for key, inner in items:
        yield from places(inner, (*path, key))


def replaced(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.copy(tree)
    changed[path[0]] = replaced(tree[path[0]], path[1:], value)
    return changed


def good() -> dict[str, Any]:
    return span(CHAT, traceId=f"{next(numbers):032x}")


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(path=st.sampled_from(list(places(whole_span()))), value=values)
def test_any_single_field_that_deviates_costs_no_other_span(
    post: Callable[..., Any], writer: TrackedModel, path: tuple[Any, ...], value: Any
) -> None:
    bad = replaced(whole_span() | {"traceId": f"{next(numbers):032x}"}, path, value)
    before = PerformanceSample.objects.count()
    answer = post(export(good(), bad, good()))
    assert answer.status_code == 200, answer.content
    stored = PerformanceSample.objects.count() - before
    told = answer.json().get("partialSuccess", {})
    assert stored >= 2
    assert stored == 3 or told or not_a_request_any_more(path)


def not_a_request_any_more(path: tuple[Any, ...]) -> bool:
    """Whether the change may have taken away what makes the span a request, or a new one."""
    return path[:1] in {(), ("attributes",), ("traceId",)}


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ('{"doubleValue": NaN}', 2),
        ('{"doubleValue": 1e999}', 2),
        ('{"intValue": 123456789012345678901234567890}', 2),
        ('{"stringValue": "\\ud83d"}', 2),
        ('{"stringValue": "\\ud83d \\u0000"}', 2),
        (f'{{"arrayValue": {"[" * 3_000}{"]" * 3_000}}}', 2),
    ],
)
def test_json_that_strict_readers_refuse_is_read_all_the_same(
    post: Callable[..., Any], writer: TrackedModel, text: str, stored: int
) -> None:
    odd = span(CHAT | {"user": "MARK"}, spanId="dddddddddddddddd")
    body = json.dumps(export(span(CHAT), odd)).replace('{"stringValue": "MARK"}', text)
    answer = post(body.encode())
    assert (answer.status_code, PerformanceSample.objects.count()) == (200, stored)


@pytest.mark.parametrize(
    "change",
    [
        {"startTimeUnixNano": {"low": 1, "high": 2}},
        {"startTimeUnixNano": "soon"},
        {"startTimeUnixNano": 1.5},
        {"startTimeUnixNano": "99999999999999999999999"},
        {"startTimeUnixNano": 1},
        {"startTimeUnixNano": -5},
        {"endTimeUnixNano": [1]},
        {"attributes": [{"key": "gen_ai.request.model", "value": {"stringValue": 5}}]},
    ],
)
def test_what_can_t_be_used_is_counted_and_never_taken_for_now(
    post: Callable[..., Any], writer: TrackedModel, change: dict[str, Any]
) -> None:
    bad = span(CHAT, spanId="dddddddddddddddd") | change
    told = post(export(span(CHAT), bad)).json()["partialSuccess"]
    assert told["rejectedSpans"] == "1"
    assert PerformanceSample.objects.count() == 1


@pytest.mark.parametrize("time", [1.79e18, "1.79e18", "1790000000000000000", 1790000000000000000])
def test_a_time_may_be_written_as_any_number(
    post: Callable[..., Any], writer: TrackedModel, time: Any
) -> None:
    assert post(export(span(CHAT, startTimeUnixNano=time))).json() == {}
    sample = PerformanceSample.objects.get()
    assert (sample.at.timestamp(), sample.latency_ms) == (1790000000, 250)


def test_null_is_the_default_everywhere(post: Callable[..., Any], writer: TrackedModel) -> None:
    names = ("endTimeUnixNano", "events", "links", "status", "parentSpanId", "kind", "flags")
    sent = export(span(CHAT, **dict.fromkeys(names)))
    sent["resourceSpans"][0]["resource"] = None
    sent["resourceSpans"][0]["scopeSpans"][0]["scope"] = None
    assert post(sent).json() == {}
    assert PerformanceSample.objects.get().latency_ms is None


def test_a_span_without_a_beginning_is_of_its_end(
    post: Callable[..., Any], writer: TrackedModel
) -> None:
    assert post(export(span(CHAT, startTimeUnixNano=None))).json() == {}
    sample = PerformanceSample.objects.get()
    assert sample.at.timestamp() == 1790000000.25
    assert sample.latency_ms is None


@pytest.mark.parametrize("untold", [None, 0, "0", ""])
def test_a_span_without_any_time_is_refused_and_not_of_now(
    post: Callable[..., Any], writer: TrackedModel, untold: Any
) -> None:
    bad = span(CHAT, spanId="2" * 16, startTimeUnixNano=untold, endTimeUnixNano=untold)
    told = post(export(span(CHAT), bad)).json()["partialSuccess"]
    assert told["rejectedSpans"] == "1"
    assert "time" in told["errorMessage"].lower()
    assert PerformanceSample.objects.get().at.timestamp() == 1790000000


@pytest.mark.parametrize(
    "groups",
    [[5], [{"scopeSpans": 5}], [{"scopeSpans": [5]}], [{"scopeSpans": [{"spans": 5}]}],
     [{"resource": 5, "scopeSpans": []}], [{"scopeSpans": [{"spans": ["text"]}]}]],
)  # fmt: skip
def test_a_group_that_can_t_be_read_costs_no_other(
    post: Callable[..., Any], writer: TrackedModel, groups: list[Any]
) -> None:
    sent = export(span(CHAT))
    sent["resourceSpans"] += groups
    assert post(sent).json()["partialSuccess"]["rejectedSpans"] == "1"
    assert PerformanceSample.objects.count() == 1


class TestProtobuf:
    @pytest.fixture
    def request_(self) -> ExportTraceServiceRequest:
        request = ExportTraceServiceRequest()
        for number in (1, 2):
            sent = request.resource_spans.add().scope_spans.add().spans.add()
            sent.trace_id, sent.span_id = b"t" * 16, bytes([number]) * 8
            sent.start_time_unix_nano = 1790000000000000000
            sent.attributes.add(key="gen_ai.request.model").value.string_value = "zeta-1"
            sent.attributes.add(key="user").value.string_value = "user MARK"
        return request

    def test_text_that_is_no_utf8_costs_nothing(
        self, post: Callable[..., Any], writer: TrackedModel, request_: ExportTraceServiceRequest
    ) -> None:
        body = request_.SerializeToString().replace(b"MARK", b"\xff\xfe\xfd\xfc", 1)
        assert post(body, PROTOBUF).content == b""
        assert PerformanceSample.objects.count() == 2

    def test_a_span_in_pieces_is_counted_and_the_others_stored(
        self, post: Callable[..., Any], writer: TrackedModel, request_: ExportTraceServiceRequest
    ) -> None:
        body = request_.SerializeToString().replace(b"\x09user MARK", b"\x7fuser MARK", 1)
        answer = post(body, PROTOBUF)
        assert answer.status_code == 200
        assert b"no protobuf" in answer.content
        assert PerformanceSample.objects.count() == 1

    @settings(
        max_examples=100,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(data=st.data())
    def test_any_byte_of_one_span_costs_no_other(
        self, post: Callable[..., Any], writer: TrackedModel, data: st.DataObject
    ) -> None:
        good = ExportTraceServiceRequest()
        spans = good.resource_spans.add().scope_spans.add().spans
        for _ in range(2):
            # Twice the number: no change of one byte makes it the id of another span.
            trace_id = 2 * next(numbers).to_bytes(8, "big")
            sent = spans.add(trace_id=trace_id, span_id=b"s" * 8)
            sent.start_time_unix_nano = 1790000000000000000
            sent.attributes.add(key="gen_ai.request.model").value.string_value = "zeta-1"
        encoded = bytearray(good.SerializeToString())
        inner = spans[1].SerializeToString()
        begins = encoded.rindex(inner)
        place = data.draw(st.integers(begins, begins + len(inner) - 1))
        encoded[place] = data.draw(st.integers(0, 255))
        before = PerformanceSample.objects.count()
        assert post(bytes(encoded), PROTOBUF).status_code == 200
        assert PerformanceSample.objects.count() > before
