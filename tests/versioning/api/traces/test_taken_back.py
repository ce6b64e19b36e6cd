"""A request that turns out to wrap another's leaves every table as if it had never come."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.apps import apps
from django.db import connections, transaction
from django.db.models import ForeignKey, Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import tracked
from tests.otlp import CHAT, export, span
from versioning.models import (
    ApiKey,
    LeftOutSpans,
    PerformanceSample,
    RequestUse,
    Rollup,
    Route,
    SpanLink,
    Tally,
    TracedSpan,
    TracedUse,
    TrackedModel,
    UnknownModel,
    Word,
)
from versioning.services.samples import (
    attachment,
    placement,
    request_uses,
    rollup_rebuild,
    rollups,
    unknown_models,
    vocabulary,
)
from versioning.services.samples.ingestion import ACCEPTED
from versioning.services.samples.removal import TAKEN_BACK

REMEMBERED = {ApiKey, LeftOutSpans, SpanLink, Tally, TracedSpan, Word, Route}
"""What says that spans came and with which words; all other tables are walked."""

LONG_AFTER = dt.timedelta(hours=2)

INNER = CHAT | {"gen_ai.request.temperature": 0.5}
OUTER = CHAT | {
    "gen_ai.usage.input_tokens": 900,
    "gen_ai.usage.output_tokens": 700,
    "gen_ai.request.top_p": 0.5,
    "gen_ai.request.temperature": 0.5,
    "hotswap.quality": 0.25,
    "hotswap.task": "other",
    "error.type": "timeout",
}
DRIFTED = {"gen_ai.response.model": "zeta-9"}
UNKNOWN = {"gen_ai.request.model": "never-seen", "gen_ai.response.model": "never-seen"}

PAIRS = {
    "known": (OUTER, INNER),
    "answered": (OUTER | {"error.type": "", "hotswap.session": "s1"}, INNER),
    "both unknown": (OUTER | UNKNOWN, INNER | UNKNOWN),
    "outer unknown at its own": (
        OUTER | {"gen_ai.provider.name": "framework", "gen_ai.response.model": "zeta-1-a"},
        INNER,
    ),
    "outer of another provider": (
        OUTER | {"gen_ai.provider.name": "framework"},
        INNER,
    ),
    "each unknown at its own": (
        OUTER | UNKNOWN | {"gen_ai.provider.name": "framework"},
        INNER | UNKNOWN,
    ),
    "both answered as another": (OUTER | DRIFTED, INNER | DRIFTED),
    "outer answered as another": (OUTER | DRIFTED, INNER),
}


def pair(names: str, *, trace: int = 1) -> list[dict[str, Any]]:
    outer, inner = PAIRS[names]
    one = {"traceId": f"{trace:032x}"}
    around = {"startTimeUnixNano": "1789999990000000000", "endTimeUnixNano": "1790000005000000000"}
    return [
        span(outer, spanId="1" * 16, **one, **around),
        span(inner, spanId="2" * 16, parentSpanId="1" * 16, **one),
    ]


def tables() -> dict[str, Counter[str]]:
    """Return every row of every table, but for its number and what is meant to differ."""
    found = {}
    for model in apps.get_app_config("versioning").get_models():
        if model not in REMEMBERED:
            rows = Counter(told(row) for row in seen(model))
            if rows:
                found[model.__name__] = rows
    return found


def seen(model: type[Model]) -> Any:
    if model is UnknownModel:
        return UnknownModel.objects.open()  # one whose samples all went is no longer shown
    return model._default_manager.all()


def told(row: Model) -> str:
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    return repr(
        [
            str(getattr(row, field.name))
            if isinstance(field, ForeignKey)
            else getattr(row, field.attname)
            for field in fields
        ]
    )


def folded() -> dict[str, Counter[str]]:
    rollups.fold(now=timezone.now() + LONG_AFTER)
    return tables()


def alone(post: Callable[..., Any], *sent: dict[str, Any]) -> dict[str, Counter[str]]:
    """Return what the tables would hold if only these came."""
    with transaction.atomic():
        post(export(*sent))
        expected = folded()
        transaction.set_rollback(True)
    for memory in (placement, unknown_models, vocabulary):
        memory.forget()  # their rows are undone
    return expected


@pytest.mark.parametrize("between", ["nothing", "folded"])
@pytest.mark.parametrize("order", ["outer first", "inner first", "together"])
@pytest.mark.parametrize("names", PAIRS)
def test_every_table_says_one_request(
    post: Callable[..., Any], writer: TrackedModel, names: str, order: str, between: str
) -> None:
    outer, inner = pair(names)
    expected = alone(post, inner)
    exports = {
        "outer first": [[outer], [inner]],
        "inner first": [[inner], [outer]],
        "together": [[outer, inner]],
    }[order]
    for sent in exports:
        assert post(export(*sent)).status_code == 200
        if between == "folded":
            rollups.fold(now=timezone.now())
    assert folded() == expected
    sums = {tally.result: tally.times for tally in Tally.objects.filter(kind=Tally.Kind.SAMPLE)}
    assert sums[ACCEPTED] - sums.get(TAKEN_BACK, 0) == 1


@pytest.mark.parametrize("folds", [False, True])
@pytest.mark.parametrize("is_alone", [False, True])
def test_an_unknown_model_was_seen_when_those_that_stay_came(
    post: Callable[..., Any], writer: TrackedModel, is_alone: bool, folds: bool
) -> None:
    outer, inner = pair("both unknown")
    sent = [outer, inner]
    if not is_alone:
        later = {"startTimeUnixNano": "1790000001000000000"}
        sent.insert(0, pair("both unknown", trace=2)[1] | later)
    for each in sent:
        post(export(each))
        if folds:
            rollups.fold(now=timezone.now())
    rollups.fold(now=timezone.now())

    unknown = UnknownModel.objects.get(name="never-seen", provider_slug="acme")
    moments = PerformanceSample.objects.order_by("at").values_list("at", flat=True)
    assert len(moments) == len(sent) - 1
    assert (unknown.first_seen_at, unknown.last_seen_at) == (moments[0], moments[len(moments) - 1])


def test_one_of_which_all_was_taken_back_is_not_listed(
    post: Callable[..., Any], admin_client: Client, writer: TrackedModel
) -> None:
    outer, inner = pair("outer unknown at its own")
    address = reverse("admin:versioning_unknownmodel_changelist")
    post(export(outer))
    assert ">framework<" in admin_client.get(address).content.decode()
    post(export(inner))
    rollups.fold(now=timezone.now())
    assert ">framework<" not in admin_client.get(address).content.decode()


def test_one_that_was_tracked_between_a_wrapper_and_its_request(
    post: Callable[..., Any], writer: TrackedModel
) -> None:
    outer, inner = pair("both unknown")
    post(export(outer))
    model = tracked(name="never-seen", upstream_id="never-seen", provider=writer.provider)
    assert attachment.attach(now=timezone.now()) == 1
    post(export(inner))
    rollups.fold(now=timezone.now())

    (sample,) = PerformanceSample.objects.all()
    assert (sample.version, sample.input_tokens) == (model.current_version, 12)
    total = Rollup.objects.filter(version=model.current_version, source=1)
    assert [(row.samples, row.errors, row.input_tokens) for row in total] == [(1, 0, 12)]


def test_what_a_request_used_is_told_at_once_and_added_up_once_it_stays(
    post: Callable[..., Any], writer: TrackedModel
) -> None:
    outer, inner = pair("answered")
    assert writer.current_version_id is not None
    now = timezone.now()

    def uses() -> request_uses.RecordedUses | None:
        return request_uses.uses_of(version_id=writer.current_version_id or 0, now=now)

    post(export(outer))
    rollups.fold(now=now)
    assert (before := uses()) is not None
    assert (before.requests, before.longest_input) == (1, 900)
    post(export(inner))
    assert (after := uses()) is not None
    assert (after.requests, after.longest_input, after.longest_output) == (1, 12, 34)
    assert after.parameters == {"temperature": 1.0}
    rollups.fold(now=now + LONG_AFTER)
    assert uses() == after
    assert not TracedUse.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "names", ["answered", "each unknown at its own", "both answered as another"]
)
def test_at_the_same_moment_too(
    post: Callable[..., Any], secret: str, writer: TrackedModel, names: str
) -> None:
    """Both come at once, while somebody folds."""
    traces_sent = 6
    for number in range(traces_sent):
        outer, inner = pair(names, trace=number + 1)
        together = Barrier(3)

        def send(one: dict[str, Any], together: Barrier = together) -> int:
            together.wait(timeout=30)
            try:
                return (
                    Client()
                    .post(
                        "/v1/traces",
                        json.dumps(export(one)),
                        content_type="application/json",
                        headers={"Authorization": f"Bearer {secret}"},
                    )
                    .status_code
                )
            finally:
                connections.close_all()

        def fold(together: Barrier = together) -> None:
            together.wait(timeout=30)
            try:
                rollups.fold(now=timezone.now())
            finally:
                connections.close_all()

        with ThreadPoolExecutor(3) as pool:
            sending = [pool.submit(send, one) for one in (outer, inner)]
            folding = pool.submit(fold)
            assert [each.result() for each in sending] == [200, 200]
            folding.result()
    rollups.fold(now=timezone.now() + LONG_AFTER)
    assert rollup_rebuild.verify().differences == ()
    counts = {
        "unknown": [each.samples for each in UnknownModel.objects.open()],
        "answered": [each.requests for each in RequestUse.objects.all()],
    }
    expected = {"unknown": [], "answered": [traces_sent] * 2}
    if names == "each unknown at its own":
        expected = {"unknown": [traces_sent], "answered": []}
    assert counts == expected
