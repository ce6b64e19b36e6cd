"""The client against a real server: which version to use, and what came of each request."""

import re
from pathlib import Path

import hotswap_client
import pytest
from django.conf import settings
from hotswap_client import Hotswap, Sample, Signals
from pytest_django.live_server_helper import LiveServer

from tests.factories import ApiKeyFactory
from versioning.domain.figures import FIELDS
from versioning.models import PerformanceSample, RequestUse, TrackedModel
from versioning.services.samples.incoming import SampleIn, SignalsIn


class TestCurrent:
    def test_it_tells_the_version_to_use(self, hotswap: Hotswap) -> None:
        current = hotswap.current("acme", "writer")
        assert (current.upstream_id, current.label, current.stale) == ("zeta-1", "1.0.0", False)
        assert current.details["provider"] == "acme"

    def test_an_unchanged_answer_costs_no_body(self, hotswap: Hotswap, monkeypatch: object) -> None:
        statuses = []
        transport = hotswap._server._transport
        get = transport.get

        def counting(path: str, **more: object) -> object:
            reply = get(path, **more)  # type: ignore[arg-type]
            statuses.append(reply.status)
            return reply

        transport.get = counting  # type: ignore[method-assign, assignment]
        clock = iter(range(0, 1000, 10))  # each look finds the answer's age beyond its max-age
        hotswap._answers._clock = lambda: next(clock)
        for _ in range(3):
            assert hotswap.current("acme", "writer").upstream_id == "zeta-1"
        assert statuses == [200, 304, 304]

    def test_the_last_good_answer_is_used_when_the_server_is_down(
        self, hotswap: Hotswap, tmp_path: Path
    ) -> None:
        hotswap.current("acme", "writer")
        address = hotswap._server.base_url
        restarted = Hotswap(address, api_key="hs_x", cache_dir=tmp_path / "answers")
        restarted._server._transport.get = _down  # type: ignore[method-assign, assignment]
        current = restarted.current("acme", "writer")
        assert (current.upstream_id, current.stale) == ("zeta-1", True)
        restarted.close()

    def test_a_key_that_was_revoked_does_not_stop_the_application(
        self, hotswap: Hotswap, live_server: LiveServer, tmp_path: Path
    ) -> None:
        hotswap.current("acme", "writer")
        wrong = Hotswap(live_server.url, api_key="hs_wrong", cache_dir=tmp_path / "answers")
        assert wrong.current("acme", "writer").stale
        wrong.close()


class TestRecord:
    def test_every_declared_figure_has_its_type(self) -> None:
        assert {field.name for field in FIELDS} <= set(Sample.__annotations__)

    def test_a_sample_is_stored_at_the_current_version(
        self, hotswap: Hotswap, writer: TrackedModel
    ) -> None:
        hotswap.record(
            provider="acme", model="writer", served_id="zeta-1", task="summarise", quality=0.9,
            latency_ms=812, ttft_ms=90, input_tokens=5, output_tokens=7, cost_usd="0.0021",
            tags={"customer": "small"}, signals={"valid_output": True},
        )  # fmt: skip
        assert hotswap.flush(5)
        sample = PerformanceSample.objects.get()
        assert sample.version == writer.current_version
        assert (sample.quality, sample.latency_ms, sample.cost_nano_usd) == (0.9, 812, 2_100_000)
        assert (sample.task.text, sample.tags.text) == ("summarise", "customer=small")
        assert hotswap.stats.accepted == 1

    def test_one_bad_sample_spoils_only_itself(self, hotswap: Hotswap) -> None:
        hotswap.record(provider="acme", model="writer", quality=float("nan"))  # sent as unknown
        hotswap.record(provider="acme", model="writer", quality=7)
        hotswap.record(provider="acme", model="writer", colour="red")
        hotswap.record(provider="acme", model="writer", quality=1)
        assert hotswap.flush(5)
        assert (hotswap.stats.accepted, hotswap.stats.rejected) == (2, 2)

    def test_lists_arrive_as_lists(self, hotswap: Hotswap) -> None:
        hotswap.record(
            provider="acme", model="writer", parameters=["temperature", "tools"],
            modalities=("text",),
        )  # fmt: skip
        assert hotswap.flush(5)
        assert hotswap.stats.accepted == 1
        assert {u.name for u in RequestUse.objects.all()} >= {"temperature", "tools", "text"}

    def test_why_samples_are_refused_is_said_once(
        self, hotswap: Hotswap, caplog: pytest.LogCaptureFixture
    ) -> None:
        for _ in range(3):
            hotswap.record(provider="acme", model="writer", colour="red")
            assert hotswap.flush(5)
        said = [r.getMessage() for r in caplog.records if r.name.startswith("hotswap_client")]
        assert said == ["Hotswap refused 1 items: Object contains unknown field `colour`"]

    def test_a_late_score_finds_its_sample(self, hotswap: Hotswap) -> None:
        request_id = hotswap.record(provider="acme", model="writer")
        hotswap.score(request_id, quality=0.25)
        assert hotswap.flush(5)
        assert hotswap.score_stats.dropped == 0
        assert PerformanceSample.objects.get().quality == 0.25

    def test_a_key_without_the_scope_is_counted_and_said_once(
        self, live_server: LiveServer, writer: TrackedModel, caplog: object
    ) -> None:
        key = ApiKeyFactory(scopes=["read"]).secret
        reader = Hotswap(live_server.url, api_key=key, cache_dir=None, batch=1)
        for _ in range(3):
            reader.record(provider="acme", model="writer")
        assert reader.close(5)
        assert reader.stats.dropped == 3
        assert caplog.text.count("Hotswap answered 403") == 1  # type: ignore[attr-defined]


def _down(path: str, **_: object) -> object:
    from hotswap_client.transport import Unreachable

    raise Unreachable("No answer from Hotswap (ConnectionRefusedError).")


def test_its_fields_are_those_of_the_api() -> None:
    """What a type checker lets an application send is what the server takes."""
    for theirs, ours in ((Sample, SampleIn), (Signals, SignalsIn)):
        assert set(theirs.__annotations__) == set(ours.__struct_fields__)


def test_its_module_has_a_name_that_no_generator_gives_to_the_schema_s_client() -> None:
    """openapi-python-client names a module after the title, the others ``openapi_client``."""
    title = str(settings.SPECTACULAR_SETTINGS["TITLE"])
    generated = f"{re.sub(r'[^a-z0-9]+', '_', title.lower())}_client"
    assert hotswap_client.__name__ not in {generated, "openapi_client"}
