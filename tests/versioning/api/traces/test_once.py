"""Spans around the same request: it counts once, in whatever order and export they come."""

from collections.abc import Callable
from itertools import permutations
from random import Random
from typing import Any

import pytest
from django.utils import timezone

from tests.otlp import CHAT, export, span
from versioning.models import LeftOutSpans, PerformanceSample, TracedSpan, TrackedModel, traces
from versioning.services.samples import (
    ingestion,
    left_out_spans,
    rollup_rebuild,
    rollups,
    trace_deduplication,
)

EMBEDDING = {k: v for k, v in CHAT.items() if "output" not in k} | {
    "gen_ai.operation.name": "embeddings"
}
AGENT = {k: v for k, v in CHAT.items() if k != "gen_ai.operation.name"}
OTHER = CHAT | {"gen_ai.request.model": "zeta-2", "gen_ai.response.model": "zeta-2"}
HELD = {"gen_ai.operation.name": "execute_tool"}


def spans(*attributes: dict[str, Any]) -> list[dict[str, Any]]:
    """Return spans one below the other, the outermost first."""
    return [
        span(told, spanId=f"{n:016x}", parentSpanId=f"{n - 1:016x}" if n > 1 else "")
        for n, told in enumerate(attributes, start=1)
    ]


@pytest.mark.parametrize(
    ("family", "counted"),
    [
        ([EMBEDDING, EMBEDDING], 1),
        ([CHAT, CHAT | {"gen_ai.response.id": "msg_01ABCDEFGHIJKLMNOP"}], 1),
        ([AGENT, CHAT], 1),
        ([CHAT, CHAT, CHAT], 1),
        ([CHAT, HELD, CHAT], 1),
        ([CHAT, {}, {}, CHAT], 1),
        ([CHAT | {"gen_ai.request.model": "acme/zeta-1"}, CHAT], 1),
        ([OTHER, CHAT], 2),  # an agent of its own that falls back to another model
        ([CHAT, OTHER, CHAT], 2),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_the_innermost_request_counts(
    post: Callable[..., Any],
    writer: TrackedModel,
    family: list[dict[str, Any]],
    counted: int,
    together: bool,
) -> None:
    sent = spans(*family)
    for part in [sent] if together else [[one] for one in reversed(sent)]:
        assert post(export(*part)).status_code == 200
    assert PerformanceSample.objects.count() == counted


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_whatever_comes_first_three_spans_of_one_request_count_once(
    post: Callable[..., Any], writer: TrackedModel, order: tuple[int, ...]
) -> None:
    sent = spans(CHAT, CHAT, CHAT)
    for index in order:
        post(export(sent[index]))
        post(export(sent[index]))  # exporters repeat
    assert PerformanceSample.objects.count() == 1


KINDS = (CHAT, CHAT, OTHER, {}, HELD)


@pytest.mark.parametrize("seed", range(8))
def test_a_tree_of_spans_counts_the_same_in_any_order_and_any_exports(
    post: Callable[..., Any], writer: TrackedModel, seed: int
) -> None:
    """What counts are the requests without another one to the same model below them."""
    dice = Random(seed)
    for trace in range(6):
        told = [dice.choice(KINDS) for _ in range(dice.randint(2, 7))]
        parents = [None, *(dice.randrange(n) for n in range(1, len(told)))]
        sent = [
            span(
                each,
                traceId=f"{seed * 100 + trace + 1:032x}",
                spanId=f"{n + 1:016x}",
                parentSpanId="" if parents[n] is None else f"{parents[n] + 1:016x}",
            )
            for n, each in enumerate(told)
        ]
        wrapped = set()
        for n, each in enumerate(told):
            above = parents[n]
            while above is not None and each in (CHAT, OTHER):
                wrapped |= {above} if told[above] == each else set()
                above = parents[above]
        expected = sum(n not in wrapped for n, each in enumerate(told) if each in (CHAT, OTHER))

        before = PerformanceSample.objects.count()
        dice.shuffle(sent)
        while sent:
            batch = sent[: dice.randint(1, len(sent))]
            del sent[: len(batch)]
            for _ in range(dice.randint(1, 2)):  # exporters repeat
                assert post(export(*batch)).status_code == 200
            if dice.random() < 0.3:
                rollups.fold(now=timezone.now())
        assert PerformanceSample.objects.count() - before == expected, (told, parents)
    kept = PerformanceSample.objects.exclude(version=None)
    assert writer.current_version_id is not None
    sums = rollups.read(version_ids=[writer.current_version_id])
    assert sum(entry.sums.samples for entry in sums) == kept.count()
    assert sum(entry.sums.output_tokens for entry in sums) == 34 * kept.count()
    assert sum(entry.sums.latency_sketch.n for entry in sums) == kept.count()
    assert not TracedSpan.objects.filter(counted=False, request_hash__isnull=False).exists()


@pytest.mark.django_db(transaction=True)
def test_a_request_that_is_taken_back_leaves_every_sum(
    post: Callable[..., Any], writer: TrackedModel
) -> None:
    """With its score, its error, and where comparisons count its session out."""
    outer, inner = spans(CHAT | {"hotswap.quality": 0.25, "error.type": "timeout"}, CHAT)
    post(export(outer))
    rollups.fold(now=timezone.now())
    PerformanceSample.objects.update(counted_out=True)
    rollup_rebuild.rebuild()
    answer = post(export(inner)).json()
    assert "Left out: 1 spans around another" in answer["partialSuccess"]["errorMessage"]
    kept = PerformanceSample.objects.get()
    assert (kept.quality, kept.error_id) == (None, None)
    assert rollup_rebuild.verify().differences == ()


def test_an_inner_request_that_comes_while_the_outer_one_is_stored(
    post: Callable[..., Any], writer: TrackedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks for the outer one's sample before that is there."""
    outer, inner = spans(CHAT, CHAT)
    accept = ingestion.accept

    def late(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(ingestion, "accept", accept)
        post(export(inner))
        return accept(*args, **more)

    monkeypatch.setattr(ingestion, "accept", late)
    post(export(outer))
    assert PerformanceSample.objects.count() == 1


def test_a_shared_answer_id_is_never_taken_back_from_the_inner_request(
    post: Callable[..., Any], writer: TrackedModel
) -> None:
    told = CHAT | {"gen_ai.response.id": "msg_01ABCDEFGHIJKLMNOP"}
    outer, between, inner = spans(told, {}, told)
    for each in (outer, inner, between, outer, between):
        post(export(each))
    assert PerformanceSample.objects.count() == 1


def test_siblings_are_requests_of_their_own(post: Callable[..., Any], writer: TrackedModel) -> None:
    tries = [span(CHAT, spanId=f"{n:016x}", parentSpanId="f" * 16) for n in range(1, 4)]
    agent = span({"gen_ai.operation.name": "invoke_agent"} | AGENT, spanId="f" * 16)
    post(export(*tries))
    post(export(agent))
    assert PerformanceSample.objects.count() == 3


@pytest.mark.parametrize("length", [1, 2, 3, 5])
@pytest.mark.parametrize("together", [True, False])
def test_each_of_a_circle_of_parents_counts(
    post: Callable[..., Any], writer: TrackedModel, length: int, together: bool
) -> None:
    """Nobody knows which of them wraps the others, and none may be lost."""
    circle = [
        span(CHAT, spanId=f"{n + 1:016x}", parentSpanId=f"{(n + 1) % length + 1:016x}")
        for n in range(length)
    ]
    for part in [circle] if together else [[one] for one in circle]:
        assert post(export(*part)).status_code == 200
    kept = PerformanceSample.objects.count()
    assert kept == length if together else kept >= 1


def test_what_hangs_below_a_circle_counts(post: Callable[..., Any], writer: TrackedModel) -> None:
    ends = {"1" * 16: "2" * 16, "2" * 16: "1" * 16}
    circle = [span(HELD, spanId=me, parentSpanId=parent) for me, parent in ends.items()]
    below = span(CHAT, spanId="3" * 16, parentSpanId="1" * 16)
    assert post(export(*circle, below)).status_code == 200
    assert PerformanceSample.objects.count() == 1


def test_what_is_left_out_is_said_and_counted(
    post: Callable[..., Any], writer: TrackedModel, time_machine: Any
) -> None:
    told = post(export(*spans(CHAT, CHAT))).json()["partialSuccess"]
    assert told["rejectedSpans"] == "0"
    assert "Left out: 1 spans around another" in told["errorMessage"]
    post(export(*spans(CHAT, CHAT)))
    now = PerformanceSample.objects.get().at
    left_out_spans.fold(now=now)
    assert LeftOutSpans.objects.get().spans == 2


def test_spans_are_forgotten_after_a_while(post: Callable[..., Any], writer: TrackedModel) -> None:
    post(export(*spans(CHAT, CHAT)))
    came = PerformanceSample.objects.get().at
    trace_deduplication.forget_old(now=came)
    assert TracedSpan.objects.count() == 2
    trace_deduplication.forget_old(now=came + 2 * traces.WINDOW)
    assert not TracedSpan.objects.exists()


@pytest.mark.parametrize(
    ("told", "dialect"),
    [
        ({"openinference.span.kind": "LLM", "llm.model_name": "zeta-1"}, "OpenInference"),
        ({"llm.request.type": "chat", "llm.request.model": "zeta-1"}, "Traceloop"),
        ({"langsmith.span.kind": "llm"}, "LangSmith"),
        ({"mlflow.spanType": '"CHAT_MODEL"'}, "MLflow"),
        ({"langfuse.observation.type": "generation"}, "Langfuse"),
        ({"ai.operationId": "ai.streamText.doStream", "ai.model.id": "z"}, "Vercel AI SDK"),
        (CHAT | {"gen_ai.operation.name": "ponder"}, "isn't known"),
    ],
)
def test_another_dialect_is_counted_by_its_name(
    post: Callable[..., Any], writer: TrackedModel, told: dict[str, Any], dialect: str
) -> None:
    answer = post(export(span(told), span(told, spanId="2" * 16)))
    assert dialect in answer.json()["partialSuccess"]["errorMessage"]
    assert not PerformanceSample.objects.exists()
    kept = LeftOutSpans.objects.get()
    assert (kept.spans, dialect in kept.reason) == (2, True)


@pytest.mark.parametrize("kind", ["CHAIN", "AGENT", "TOOL"])
def test_a_dialect_s_spans_around_requests_are_not_requests(
    post: Callable[..., Any], writer: TrackedModel, kind: str
) -> None:
    assert post(export(span({"openinference.span.kind": kind}))).json() == {}
