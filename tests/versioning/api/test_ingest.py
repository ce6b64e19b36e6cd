"""Samples and scores over HTTP: what an application sends and is told."""

import gzip
import io
import json
import threading
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from gunicorn.http.errors import InvalidChunkSize, NoMoreData

from tests.factories import tracked
from versioning.api import ingest
from versioning.models import PerformanceSample, RollupPart
from versioning.services.evidence import performance
from versioning.services.samples import store

SAMPLES = "/api/performance-samples"
SCORES = "/api/performance-samples/scores"


@pytest.fixture
def writer(db: None):
    return tracked(name="writer", upstream_id="acme/writer-1", provider__slug="acme")


def sample(**fields: object) -> dict[str, object]:
    return {"provider": "acme", "model": "writer", **fields}


def quality_of(model) -> float | None:
    version = model.current_version_id
    return performance.figures(version_ids=[version])[version].total.quality


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: [s], lambda s: {"samples": [s]}])
def test_one_sample_in_each_shape(api, writer, wrap):
    answer = api.post(SAMPLES, wrap(sample(quality=0.8, cost_usd="0.0012", task="extract")))

    assert answer.status_code == 200
    assert answer.json() == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert quality_of(writer) == 0.8


def test_a_repeat_is_a_duplicate(api, writer):
    api.post(SAMPLES, sample(request_id="a"))
    assert api.post(SAMPLES, sample(request_id="a")).json()["duplicates"] == 1


def test_bad_items_are_named_by_place_code_and_reason(api, writer):
    body = [sample(), sample(quality=2), sample(latency="slow"), 5, sample()]
    answer = api.post(SAMPLES, body).json()

    assert answer["accepted"] == 2
    assert [(item["index"], item["code"]) for item in answer["rejected"]] == [
        (1, "invalid-field"),
        (2, "invalid-field"),
        (3, "invalid-field"),
    ]
    assert "quality" in answer["rejected"][0]["detail"]


@pytest.mark.parametrize("field", ["task", "error", "served_id", "tags"])
def test_the_character_nul_is_refused_in_its_sample_only(api, writer, field):
    bad = {"language": "a\0b"} if field == "tags" else "a\0b"
    answer = api.post(SAMPLES, [sample(), sample(quality=5), sample(**{field: bad})]).json()

    assert answer["accepted"] == 1
    assert [item["index"] for item in answer["rejected"]] == [1, 2]


def test_gzip_is_unpacked(api, writer):
    body = gzip.compress(json.dumps([sample()] * 50).encode())
    answer = api.post(SAMPLES, body, Content_Encoding="gzip")
    assert answer.json()["accepted"] == 50


class TestBodyInPieces:
    """Transfer-Encoding: chunked, without a length, as exporters in JavaScript send it."""

    @pytest.fixture
    def send(self, api, writer):
        def send(stream, *, ended=True):
            return api.client.generic(
                "POST",
                SAMPLES,
                content_type="application/json",
                headers={"Authorization": f"Bearer {api.secret}", "Transfer-Encoding": "chunked"},
                **{"wsgi.input": stream, "wsgi.input_terminated": ended},
            )

        return send

    def test_is_read_to_its_end(self, send):
        answer = send(io.BytesIO(json.dumps([sample()] * 3).encode()))
        assert (answer.status_code, answer.json()["accepted"]) == (200, 3)

    def test_over_the_limit(self, send, settings):
        settings.HOTSWAP = settings.HOTSWAP | {"MAX_BODY_BYTES": 1_000}
        assert send(io.BytesIO(b" " * 1_001)).status_code == 413

    @pytest.mark.parametrize("fault", [NoMoreData(), InvalidChunkSize(b"zz")])
    def test_that_breaks_off(self, send, fault):
        answer = send(Mock(read=Mock(side_effect=fault)))
        assert (answer.status_code, answer.json()["code"]) == (400, "unreadable-body")

    def test_is_refused_where_the_server_does_not_tell_its_end(self, send):
        assert send(io.BytesIO(b"[]"), ended=False).status_code == 411


class TestTooMuch:
    """Nothing larger than the settings allow is read, unpacked or waited for."""

    def test_more_than_ten_thousand_items(self, api, writer):
        answer = api.post(SAMPLES, [sample()] * 10_001)
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
        assert not PerformanceSample.objects.exists()

    def test_a_body_over_the_limit(self, api, writer, settings):
        settings.HOTSWAP = settings.HOTSWAP | {"MAX_BODY_BYTES": 1_000}
        assert api.post(SAMPLES, [sample()] * 100).status_code == 413

    def test_a_small_body_that_unpacks_to_more(self, api, writer, settings):
        settings.HOTSWAP = settings.HOTSWAP | {"MAX_BODY_BYTES": 10_000}
        bomb = gzip.compress(b" " * 5_000_000)
        assert len(bomb) < 10_000
        assert api.post(SAMPLES, bomb, Content_Encoding="gzip").status_code == 413

    def test_too_many_bodies_at_once_are_asked_to_come_again(self, api, writer, monkeypatch):
        monkeypatch.setattr(ingest.room, "_taken", ingest.MOST_AT_ONCE)
        answer = api.post(SAMPLES, sample())
        assert (answer.status_code, answer["Retry-After"]) == (503, "1")

    def test_room_is_given_back_after_an_error(self, api, writer):
        api.post(SAMPLES, b"nonsense")
        assert ingest.room._taken == 0

    def test_a_database_that_is_busy_asks_to_come_again(self, api, writer, monkeypatch):
        def locked(rows: object) -> None:
            raise OperationalError("database is locked")

        monkeypatch.setattr(store, "insert_samples", locked)
        answer = api.post(SAMPLES, sample())

        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert answer.json()["code"] == "busy"


class TestUnreadable:
    """A body that is no batch is refused whole, with what was wrong."""

    @pytest.mark.parametrize("body", [b"", b"[", b"5", b'{"samples": 5}', b"[\xff]"])
    def test_no_json(self, api, writer, body):
        answer = api.post(SAMPLES, body)
        assert answer.status_code == 400
        assert answer.json()["code"] == "unreadable-body"

    def test_broken_gzip(self, api, writer):
        assert api.post(SAMPLES, b"no gzip", Content_Encoding="gzip").status_code == 400

    def test_gzip_that_ends_too_early(self, api, writer):
        body = gzip.compress(json.dumps([sample()] * 50).encode())[:-9]
        assert api.post(SAMPLES, body, Content_Encoding="gzip").status_code == 400

    def test_another_encoding(self, api, writer):
        assert api.post(SAMPLES, b"[]", Content_Encoding="br").status_code == 415


class TestWhoMay:
    """A key with the scope ingest, and nobody else."""

    def test_without_a_key(self, stranger, writer):
        answer = stranger.post(SAMPLES, sample())
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer")

    def test_a_key_that_may_only_read(self, with_scopes, writer):
        assert with_scopes("read").post(SAMPLES, sample()).status_code == 403

    def test_a_key_that_only_reports_reads_nothing(self, with_scopes, writer):
        assert with_scopes("ingest").get(SAMPLES).status_code == 403


class TestScores:
    """A score by request id, in a batch or by its address."""

    def test_in_a_batch(self, api, writer):
        api.post(SAMPLES, [sample(request_id="a"), sample(request_id="b")])
        scores = [
            {"request_id": "a", "quality": 1},
            {"request_id": "b", "signals": {"user_feedback": -1}},
            {"request_id": "c", "quality": 0.5},
            {"request_id": "d"},
        ]
        answer = api.post(SCORES, scores).json()

        assert (answer["accepted"], answer["pending"]) == (2, 1)
        assert [(item["index"], item["code"]) for item in answer["rejected"]] == [(3, "no-score")]
        # Part by part: the given score of 1 weighs 1.0, the thumbs down 0.4.
        assert quality_of(writer) == pytest.approx(1 / 1.4)

    @pytest.mark.parametrize("request_id", ["a", "chat/2026/7", "req:1"])
    def test_by_address(self, api, writer, request_id):
        api.post(SAMPLES, sample(request_id=request_id))
        answer = api.patch(f"{SAMPLES}/{request_id}/scores", {"quality": 0.25})

        assert answer.json()["accepted"] == 1
        assert quality_of(writer) == 0.25

    def test_before_the_sample(self, api, writer):
        assert api.patch(f"{SAMPLES}/a/scores", {"quality": 0.25}).json()["pending"] == 1
        api.post(SAMPLES, sample(request_id="a"))
        assert quality_of(writer) == 0.25

    def test_of_one_request_is_not_given_to_another(self, api, writer):
        answer = api.patch(f"{SAMPLES}/a/scores", {"request_id": "b", "quality": 0.25}).json()
        assert (answer["accepted"], answer["pending"]) == (0, 0)
        assert answer["rejected"][0]["detail"] == "request_id: the address names a."


@pytest.mark.django_db(transaction=True)
def test_writers_that_send_the_same_requests_at_once_store_each_once(api):
    writer = tracked(name="writer", upstream_id="acme/writer-1", provider__slug="acme")
    now = timezone.now().isoformat()
    body = [sample(request_id=str(n), quality=0.5, time=now) for n in range(200)]
    answers = []

    def send() -> None:
        try:
            answers.append(api.post(SAMPLES, body))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status_code for answer in answers] == [200] * 4
    assert sum(answer.json()["accepted"] for answer in answers) == 200
    assert PerformanceSample.objects.count() == 200
    assert sum(RollupPart.objects.values_list("samples", flat=True)) == 200
    assert quality_of(writer) == 0.5
