"""What a provider's bad night leaves behind: nothing that isn't so."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.kinds.bedrock.voice import ACCESS_KEY_ID
from providers.models import Provider
from providers.registry import adapter_class, adapter_classes
from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import NOW, ProviderFactory
from tests.providers.conftest import ScriptedServer, answer, serve
from versioning.domain import lineage
from versioning.models import (
    CatalogueEntry,
    Check,
    Finding,
    ModelVersion,
    Notice,
    TrackedModel,
    UpgradeRecord,
)
from versioning.services import tracking, versions
from versioning.services.actors import Actor
from versioning.services.checks import detection, listing
from versioning.services.upgrades import recommendation, retirement

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    yield from serve()


def says(server: ScriptedServer, rows: list[Any], *, field: str = "data") -> None:
    """Answer a listing with the rows; whatever else is asked, there is nothing."""

    def script(handler: Any) -> None:
        is_list = handler.path.partition("?")[0] in {"/models", "/foundation-models"}
        body = {field: rows} if is_list else {"error": "Not found"}
        answer(body, 200 if is_list else 404)(handler)

    server.script = script


def ask(provider: Provider, *, days: int = 0) -> Check:
    check = detection.run_check(provider_id=provider.pk, trigger="command", now=NOW + days * DAY)
    check.refresh_from_db()
    return check


def track(provider: Provider, upstream_id: str) -> TrackedModel:
    return tracking.start_tracking(
        provider_id=provider.pk,
        name=upstream_id,
        upstream_id=upstream_id,
        actor=Actor.command(),
        now=NOW,
    )


def current(tracked: TrackedModel) -> ModelVersion:
    tracked.refresh_from_db()
    assert tracked.current_version is not None
    tracked.current_version.refresh_from_db()
    return tracked.current_version


def row(id: str, **more: object) -> dict[str, object]:
    return {"id": id, "object": "model", **more}


class TestDates:
    @pytest.fixture
    def provider(self, server: ScriptedServer) -> Provider:
        return ProviderFactory(slug="acme", kind="openai", base_url=server.url)

    def test_what_a_provider_takes_back_goes(
        self, provider: Provider, server: ScriptedServer
    ) -> None:
        says(server, [row("zeta-1", shutdown_date="2026-03-05"), row("other-1")])
        ask(provider)
        version = current(track(provider, "zeta-1"))
        assert (version.retires_on, version.retires_precision) == (date(2026, 3, 5), "exact")
        says(server, [row("zeta-1", shutdown_date=None), row("other-1")])

        ask(provider, days=1)

        version.refresh_from_db()
        assert (version.retires_on, version.retires_precision) == (None, "")
        assert retirement.due_this_week(now=NOW + DAY) == []
        taken_back = Finding.objects.get(kind="withdrawn")
        assert taken_back.before["retires_on"] == "2026-03-05"
        assert "retires on 5 Mar 2026 is not said any more" in taken_back.sentence

    def test_what_staff_say_stays(self, provider: Provider, server: ScriptedServer) -> None:
        says(server, [row("zeta-1", shutdown_date="2026-05-05"), row("other-1")])
        ask(provider)
        version = current(track(provider, "zeta-1"))
        versions.change(
            version_id=version.pk, changes={"retires_on": date(2026, 4, 1)}, actor=Actor.command()
        )
        says(server, [row("zeta-1"), row("other-1")])

        ask(provider, days=1)

        version.refresh_from_db()
        assert version.retires_on == date(2026, 4, 1)

    def test_two_sides_of_a_date_are_both_shown(
        self, provider: Provider, server: ScriptedServer
    ) -> None:
        says(server, [row("zeta-1"), row("other-1")])
        ask(provider)
        version = current(track(provider, "zeta-1"))
        versions.change(
            version_id=version.pk, changes={"retires_on": date(2026, 4, 1)}, actor=Actor.command()
        )
        says(server, [row("zeta-1", shutdown_date="2026-06-01"), row("other-1")])

        ask(provider, days=1)

        version.refresh_from_db()
        (doubt,) = version.doubts
        assert "1 Apr 2026" in doubt
        assert "1 Jun 2026" in doubt

    @pytest.mark.parametrize(
        ("nonsense", "day"),
        [
            ("1999-12-31", "31 Dec 1999"),
            ("2026-02-28", "28 Feb 2026"),
            ("2019-01-01", "1 Jan 2019"),
        ],
    )
    def test_a_past_date_of_a_model_that_is_listed_sets_nothing_off(
        self, provider: Provider, server: ScriptedServer, nonsense: str, day: str
    ) -> None:
        says(server, [row("zeta-1"), row("other-1")])
        ask(provider)
        version = current(track(provider, "zeta-1"))
        says(server, [row("zeta-1", shutdown_date=nonsense), row("other-1")])

        ask(provider, days=1)

        version.refresh_from_db()
        assert (version.retires_on, version.retires_precision) == (None, "")
        assert f"on {day}, " in Finding.objects.get(kind="doubt").sentence
        assert retirement.due(now=NOW + DAY) == []
        assert ask(provider, days=2).findings.count() == 0  # told once

    def test_a_date_that_comes_is_believed_for_a_week(
        self, provider: Provider, server: ScriptedServer
    ) -> None:
        says(server, [row("zeta-1", shutdown_date="2026-03-03"), row("other-1")])
        ask(provider)
        version = current(track(provider, "zeta-1"))
        for days, kept in ((3, True), (9, True), (10, False)):
            ask(provider, days=days)
            version.refresh_from_db()
            assert (version.retires_on is not None) is kept

    def test_two_sources_with_different_dates_are_both_shown(
        self, provider: Provider, server: ScriptedServer, tmp_path: Any
    ) -> None:
        says(server, [row("zeta-1", shutdown_date="2026-06-01"), row("other-1")])
        document = tmp_path / "dates.json"
        dated = {"provider": "openai", "id": "zeta-1", "retires_on": "2026-05-01"}
        document.write_text(json.dumps({"retirements": [dated]}))
        CatalogueEntry.objects.create(
            provider=ProviderFactory(slug="dates", kind="retirements", base_url="file:///x.json"),
            upstream_id="openai/zeta-1",
            facts={"retires_on": "2026-05-01", "retires_precision": "exact", "source": "a page"},
            first_seen_at=NOW,
            last_seen_at=NOW,
        )
        ask(provider)
        version = current(track(provider, "zeta-1"))
        assert version.retires_on == date(2026, 5, 1)
        (doubt,) = version.doubts
        assert "acme says" in doubt
        assert "1 Jun 2026, dates on 1 May 2026" in doubt


BEDROCK: Mapping[str, object] = {"status": "ACTIVE"}


class TestContradictions:
    @pytest.fixture
    def provider(self, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Provider:
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "k-1")
        return ProviderFactory(
            kind="bedrock", base_url=server.url, api_key_env="AWS_BEARER_TOKEN_BEDROCK"
        )

    def lists(self, server: ScriptedServer, **lifecycles: Mapping[str, object]) -> None:
        rows = [
            {"modelId": f"acme.{name}-v1:0", "modelLifecycle": lifecycle}
            for name, lifecycle in lifecycles.items()
        ]
        says(server, rows, field="modelSummaries")

    def test_the_earlier_date_is_kept_and_the_rest_recorded(
        self, provider: Provider, server: ScriptedServer
    ) -> None:
        self.lists(server, ode=BEDROCK, hymn=BEDROCK)
        ask(provider)
        tracked = track(provider, "acme.ode-v1:0")
        against = {
            "status": "LEGACY",
            "legacyTime": "2027-07-01T00:00:00Z",
            "endOfLifeTime": "2027-06-01T00:00:00Z",
        }
        self.lists(server, ode=against, hymn=BEDROCK, psalm=BEDROCK)

        check = ask(provider, days=1)

        version = current(tracked)
        assert check.state != "failed"
        assert (version.deprecated_on, version.retires_on) == (None, date(2027, 6, 1))
        (doubt,) = version.doubts
        assert "1 Jun 2027" in doubt
        assert "1 Jul 2027" in doubt
        assert provider.catalogue.filter(upstream_id="acme.psalm-v1:0").exists()
        assert current(track(provider, "acme.psalm-v1:0")).is_listed

    def test_it_can_be_tracked_at_first_sight(
        self, provider: Provider, server: ScriptedServer
    ) -> None:
        self.lists(
            server,
            ode={"legacyTime": "2027-07-01T00:00:00Z", "endOfLifeTime": "2027-06-01T00:00:00Z"},
        )
        ask(provider)
        assert current(track(provider, "acme.ode-v1:0")).retires_on == date(2027, 6, 1)

    @pytest.mark.parametrize(
        ("held", "said", "kept"),
        [
            ({"retires_on": date(2027, 2, 1)}, "legacyTime", (None, date(2027, 2, 1))),
            ({"deprecated_on": date(2027, 5, 1)}, "endOfLifeTime", (date(2027, 5, 1), None)),
        ],
    )
    def test_staff_s_date_is_kept_against_the_provider_s(
        self,
        provider: Provider,
        server: ScriptedServer,
        held: Mapping[str, date],
        said: str,
        kept: tuple[date | None, date | None],
    ) -> None:
        self.lists(server, ode=BEDROCK, hymn=BEDROCK)
        ask(provider)
        version = current(track(provider, "acme.ode-v1:0"))
        versions.change(version_id=version.pk, changes=held, actor=Actor.command())
        self.lists(server, ode={said: "2027-03-01T00:00:00Z"}, hymn=BEDROCK)

        check = ask(provider, days=1)

        version.refresh_from_db()
        assert check.state == "changed"
        assert (version.deprecated_on, version.retires_on) == kept
        assert "1 Mar 2027" in " ".join(version.doubts)


ANY: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=400),
    st.dates(min_value=date(1980, 1, 1), max_value=date(2110, 1, 1)).map(str),
    st.sampled_from(["0", "-1", "1e30", "0.0000000001", "legacy", "preview", "x" * 5000, "\x00"]),
    st.lists(st.text(max_size=20), max_size=3),
)
FIELDS = (
    "created",
    "shutdown_date",
    "context_length",
    "max_completion_tokens",
    "fingerprint",
    "status",
    "display_name",
    "description",
    "aliases",
    "input_modalities",
    "deprecated",
)
ROW = st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=6)
PRICES = st.dictionaries(st.sampled_from(["input", "output", "cached_input"]), ANY, max_size=3)


KINDS = [adapter.kind for adapter in adapter_classes() if adapter.needs_address]
ODD = (
    None, True, False, 0, -1, 7, 10**18, 1e300, -0.5, "", "x" * 5_000, "\x00", "0", "-1", "1e30",
    "legacy", "ACTIVE", "2019-01-01", "2027-01-01T00:00:00Z", "2031-02-30", [], ["a", 7], {},
    {"a": 1}, "0.0000001",
)  # fmt: skip


def _port(server: ScriptedServer) -> int:
    return int(server.server_address[1])


def _spoiling(simulator: Simulator, dice: Random, nights: list[bool]) -> Callable[[Any], None]:
    """Answer as the simulator does; by night with other values in the rows of what it lists."""

    def script(handler: Any) -> None:
        found = requests.get(
            f"http://127.0.0.1:{simulator.port}{handler.path}",
            headers=dict(handler.headers.items()),
            timeout=10,
        )
        body = found.json()
        if nights and found.status_code == 200:
            rows = list(_rows_in(body))
            for _ in range(dice.randint(1, 6)):
                row = dice.choice(rows)
                row[dice.choice(list(row))] = dice.choice(ODD)
        answer(json.dumps(body).encode(), found.status_code)(handler)

    return script


def _rows_in(body: Any, *, is_row: bool = False) -> Iterator[dict[str, Any]]:
    """Yield what tells of one model, and the tables within it; one of the rows stays as it is."""
    if isinstance(body, list):
        for each in body[1:]:
            yield from _rows_in(each, is_row=True)
    elif isinstance(body, dict):
        if is_row and body:
            yield body
        for name, each in list(body.items()):
            inside = is_row or name == "models"
            if isinstance(each, dict) and name == "models":
                for row in list(each.values())[1:]:
                    yield from _rows_in(row, is_row=True)
            else:
                yield from _rows_in(each, is_row=inside and is_row)


class TestNothingListedKillsItsOwnRecording:
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        rows=st.lists(st.tuples(ROW, PRICES), min_size=2, max_size=4),
        days=st.integers(1, 400),
        held=st.sampled_from([None, "retires_on", "deprecated_on"]),
    )
    def test_any_facts_leave_the_check_good_and_the_others_kept(
        self,
        server: ScriptedServer,
        settings: Any,
        rows: list[tuple[dict[str, Any], dict[str, Any]]],
        days: int,
        held: str | None,
    ) -> None:
        """Every field behind fill_version, through a real check over HTTP, on a tracked model."""
        settings.HOTSWAP = {**settings.HOTSWAP, "WITNESS": "off"}
        provider = ProviderFactory(kind="openai", base_url=server.url)
        plain = [row(f"zeta-{number}") for number in range(len(rows))]
        says(server, [*plain, row("good-1")])
        ask(provider)
        tracked = track(provider, "zeta-0")
        if held:
            change = {held: NOW.date() + timedelta(days=200)}
            versions.change(version_id=current(tracked).pk, changes=change, actor=Actor.command())
        odd = [
            {**base, **more, "pricing": prices}
            for base, (more, prices) in zip(plain, rows, strict=True)
        ]
        server.script = answer(json.dumps({"data": [*odd, row("good-2")]}).encode())

        check = ask(provider, days=days)

        assert check.state in {"changed", "partly"}, check.error
        assert provider.catalogue.filter(upstream_id="good-2").exists()
        assert not Finding.objects.filter(kind="not_kept").exists()

    @pytest.mark.parametrize("kind", KINDS)
    def test_any_facts_of_any_kind_cost_their_own_row_at_most(
        self,
        kind: str,
        server: ScriptedServer,
        simulator: Simulator,
        settings: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A kind's own answer, with other values in some rows, on a model that is tracked."""
        settings.HOTSWAP = {**settings.HOTSWAP, "WITNESS": "off"}
        monkeypatch.setenv("A_KEY", KEY)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        for n in range(1, 5):
            simulator.catalogue.add(kind, f"acme/zeta-{n}", retires=2_000, deprecated=1_900)
        dice = Random(kind)
        nights: list[bool] = []
        server.script = _spoiling(simulator, dice, nights)
        address = simulator.base_url(kind).replace(f":{simulator.port}", f":{_port(server)}")
        provider = ProviderFactory(kind=kind, base_url=address, api_key_env="A_KEY")
        first = ask(provider)
        assert first.state == "changed", first.error
        ids = set(provider.catalogue.values_list("upstream_id", flat=True))
        serves = not adapter_class(kind).is_enrichment
        if serves:
            track(provider, min(ids))

        for night in range(1, 5):
            nights.append(True)
            check = ask(provider, days=night)
            assert check.state in {"changed", "partly", "unchanged"}, (kind, check.error)
            assert not check.findings.filter(kind="not_kept").exists()
            if serves:
                for version in ModelVersion.objects.all():
                    version.full_clean(exclude=["tracked_model"])
        nights.clear()
        assert ask(provider, days=5).state in {"changed", "unchanged"}
        listed = set(provider.catalogue.listed().values_list("upstream_id", flat=True))
        assert ids <= listed

    def test_what_can_not_be_kept_of_one_model_costs_that_one(
        self, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        provider = ProviderFactory(kind="openai", base_url=server.url)
        says(server, [row("zeta-1"), row("iota-1"), row("kappa-1")])
        ask(provider)
        for id in ("zeta-1", "iota-1"):
            track(provider, id)
        look = recommendation.answer_for

        def breaks(*, tracked: TrackedModel, **more: Any) -> lineage.Answer:
            if tracked.name == "zeta-1":
                raise RuntimeError
            return look(tracked=tracked, **more)

        monkeypatch.setattr(recommendation, "answer_for", breaks)
        says(
            server,
            [row("zeta-1", context_length=9), row("iota-1", context_length=9), row("iota-2")],
        )

        check = ask(provider, days=1)

        assert check.state == "changed"
        assert Finding.objects.get(kind="not_kept").tracked_model.name == "zeta-1"
        known = dict(ModelVersion.objects.values_list("upstream_id", "context_tokens"))
        assert (known["zeta-1"], known["iota-1"]) == (None, 9)
        assert recommendation.open_recommendations().get().to_version.upstream_id == "iota-2"


class TestRowsThatCanNotBeRead:
    @pytest.fixture
    def provider(self, server: ScriptedServer) -> Provider:
        return ProviderFactory(slug="acme", kind="openai", base_url=server.url)

    @pytest.mark.parametrize(
        "bad", [lambda day: {"created": 1_700_000_000 + day}, lambda day: 7, lambda day: {"id": ""}]
    )
    def test_the_same_every_day_they_hide_nothing(
        self, provider: Provider, server: ScriptedServer, bad: Callable[[int], Any]
    ) -> None:
        says(server, [row("zeta-1"), row("other-1"), row("other-2"), bad(0)])
        assert ask(provider).state == "partly"
        version = current(track(provider, "zeta-1"))

        for day in (1, 2, 3):
            says(server, [bad(day), row("other-1"), row("other-2")])
            check = ask(provider, days=day)
            assert (check.state in {"changed", "unchanged"}, check.dropped) == (True, 1)

        version.refresh_from_db()
        assert version.is_gone
        told = Notice.objects.get(subject="listing of acme")
        assert "can't be read" in told.sentence

    def test_another_one_may_be_what_is_missing(
        self, provider: Provider, server: ScriptedServer
    ) -> None:
        says(server, [row("zeta-1"), row("other-1"), row("other-2"), 7])
        ask(provider)
        for day in (1, 2, 3):
            says(server, [row("other-1"), row("other-2"), 7, {"name": day * "x" + "\x00"}])
            ask(provider, days=day)
        assert not provider.catalogue.filter(upstream_id="zeta-1", missed_listings__gt=2).exists()

    def test_the_notice_goes_when_all_is_read(
        self, provider: Provider, server: ScriptedServer
    ) -> None:
        says(server, [row("zeta-1"), 7])
        ask(provider)
        says(server, [row("zeta-1")])
        ask(provider, days=1)
        assert not Notice.objects.open().exists()


class TestFlicker:
    def test_what_the_next_night_takes_back_never_counted(self, server: ScriptedServer) -> None:
        provider = ProviderFactory(kind="openrouter", base_url=server.url)
        slugs = ["zed/zeta-a", "zed/zeta-b", "zed/zeta-a", "zed/zeta-c", "zed/zeta-b", "zed/zeta-a"]
        for day, slug in enumerate(slugs):
            says(server, [row("zed/zeta", canonical_slug=slug), row("zed/other")])
            ask(provider, days=day)
            if day == 0:
                track(provider, "zed/zeta")
        assert not UpgradeRecord.objects.filter(origin="detection").exists()

    def test_what_is_seen_twice_counts(self, server: ScriptedServer) -> None:
        provider = ProviderFactory(kind="openrouter", base_url=server.url)
        for day, slug in enumerate(["zed/zeta-a", "zed/zeta-b", "zed/zeta-b"]):
            says(server, [row("zed/zeta", canonical_slug=slug), row("zed/other")])
            ask(provider, days=day)
            if day == 0:
                track(provider, "zed/zeta")
        assert recommendation.open_recommendations().get().step == "revision"

    def test_a_later_date_in_it_is_the_provider_s_word(self, server: ScriptedServer) -> None:
        provider = ProviderFactory(kind="openrouter", base_url=server.url)
        dates = ["20260101", "20260201", "20260101", "20260201", "20260101"]
        for day, dated in enumerate(dates):
            slug = f"zed/zeta-4-{dated}"
            says(server, [row("zed/zeta-4", canonical_slug=slug), row("zed/other")])
            ask(provider, days=day)
            if day == 0:
                track(provider, "zed/zeta-4")
        assert UpgradeRecord.objects.filter(origin="detection").count() == 1
        assert not UpgradeRecord.objects.filter(state="superseded").exists()


def test_a_huge_listing_is_written_in_parts(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = ProviderFactory(kind="openai", base_url=server.url)
    says(server, [row(f"maker{number}-model-7b") for number in range(2_100)])
    most = 0
    write = CatalogueEntry.objects.bulk_create

    def counted(rows: Any, **more: Any) -> Any:
        nonlocal most
        most = max(most, len(rows))
        return write(rows, **more)

    monkeypatch.setattr(CatalogueEntry.objects, "bulk_create", counted)
    assert ask(provider).added == 2_100
    assert most <= listing.ROWS_AT_ONCE


def test_a_listing_beyond_all_measure_is_not_believed(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_LISTED", 3)
    says(server, [row(f"zeta-{number}") for number in range(4)])
    check = ask(ProviderFactory(kind="openai", base_url=server.url))
    assert (check.state, check.error_kind) == ("failed", "nonsense")
