"""Prices from a provider's list, a catalogue, the package and staff, and what requests cost."""

from decimal import Decimal
from typing import Any

import pytest

from providers.base import ListedModel, OtherPrice
from providers.models import Provider
from tests.factories import NOW, ProviderFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.models import CatalogueEntry, LeftOutSpans, ModelVersion, PerformanceSample
from versioning.services import knowledge, prices
from versioning.services.samples import rollups

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(db: None) -> ModelVersion:
    found = tracked(name="writer", upstream_id="zeta-1", provider__slug="acme").current_version
    assert found is not None
    return found


def cost(api: Api, **told: Any) -> Decimal | None:
    sent = {"provider": "acme", "model": "writer", **told}
    assert api.post("/api/performance-samples", sent).json()["accepted"] == 1
    nano = PerformanceSample.objects.latest("pk").cost_nano_usd
    return None if nano is None else Decimal(nano) / 10**9


class TestStaff:
    def test_say_prices_of_parts_and_steps(self, api: Api, version: ModelVersion) -> None:
        told = {
            "input_price": "3",
            "output_price": "15",
            "cached_input_price": "0.3",
            "other_prices": [
                {"part": "cache_write", "usd": "3.75"},
                {"part": "input", "usd": "6", "above": 200_000},
                {"part": "output", "usd": "22.5", "above": 200_000},
                {"part": "request", "usd": "0.01"},
            ],
        }
        changed = api.patch(f"/api/versions/{version.pk}", told).json()
        assert changed["other_prices"] == told["other_prices"]
        assert "other_prices" in changed["staff_fields"]
        assert cost(api, input_tokens=1_000, output_tokens=10, cached_tokens=500,
                    cache_write_tokens=100) == Decimal("0.013375") - Decimal("0.0015")  # fmt: skip
        assert cost(api, input_tokens=300_000, output_tokens=0) == Decimal("1.81")
        assert cost(api, input_tokens=300_000, output_tokens=0, cached_tokens=1) is None

    @pytest.mark.parametrize(
        "other",
        [
            [{"part": "input", "usd": "1"}],
            [{"part": "cache_write", "usd": "much"}],
            [{"part": "cache_write", "usd": "-1"}],
            [{"part": "soul", "usd": "1"}],
        ],
    )
    def test_what_is_no_price_is_said_by_the_field(
        self, api: Api, version: ModelVersion, other: list[Any]
    ) -> None:
        answer = api.patch(f"/api/versions/{version.pk}", {"other_prices": other})
        problem = assert_problem(answer, 422, "invalid")
        assert problem["errors"][0]["pointer"].startswith("/other_prices")


def test_what_is_missing_for_a_cost_is_said(api: Api, version: ModelVersion) -> None:
    ModelVersion.objects.update(input_price=3, output_price=15)
    assert cost(api, input_tokens=10, output_tokens=1, cached_tokens=5) is None
    assert cost(api, input_tokens=10, output_tokens=1, cached_tokens=5, service_tier="flex") is None
    assert cost(api, input_tokens=10) is None
    rollups.fold(now=NOW)
    (item,) = api.get("/api/model-versions/acme/writer/history").json()["results"]
    assert item["unpriced"] == {"cached_input": 1, "flex_prices": 1, "output": 1}


@pytest.mark.parametrize("name", ["acme-embed-3", "text-embedding-9"])
def test_an_embedding_needs_no_output(api: Api, version: ModelVersion, name: str) -> None:
    ModelVersion.objects.update(upstream_id=name, input_price="0.13", output_price=None)
    assert cost(api, input_tokens=400_000) == Decimal("0.052")


def test_a_cost_is_never_rounded_to_nothing(api: Api, version: ModelVersion) -> None:
    ModelVersion.objects.update(input_price="0.0001", output_price=0)
    assert cost(api, input_tokens=1, output_tokens=0) == Decimal("1e-9")


def test_left_out_spans_are_listed(api: Api) -> None:
    LeftOutSpans.objects.create(day=NOW.date(), reason="spans of X", spans=3)
    (row,) = api.get("/api/left-out-spans").json()["results"]
    assert (row["reason"], row["spans"]) == ("spans of X", 3)


class TestSources:
    LISTED = ListedModel("a", input_price=Decimal(3), output_price=Decimal(15))

    def test_a_price_of_0_is_taken_over(self) -> None:
        free = ListedModel("a", input_price=Decimal(0), output_price=Decimal(0))
        filled = knowledge.with_facts_of(ListedModel("a"), free)
        assert (filled.input_price, filled.output_price) == (0, 0)

    def test_prices_that_agree_are_completed(self) -> None:
        more = ListedModel(
            "b",
            input_price=Decimal(3),
            output_price=Decimal(15),
            cached_input_price=Decimal("0.3"),
            other_prices=(OtherPrice("cache_write", Decimal("3.75")),),
        )
        filled = knowledge.with_facts_of(self.LISTED, more)
        assert filled.cached_input_price == Decimal("0.3")
        assert filled.other_prices == more.other_prices

    def test_another_s_part_beside_one_s_own_price_would_be_a_guess(self) -> None:
        other = ListedModel("b", input_price=Decimal(4), cached_input_price=Decimal("0.4"))
        assert knowledge.with_facts_of(self.LISTED, other).cached_input_price is None

    @pytest.mark.parametrize("usd", [Decimal(3_000_000), Decimal("0.000003"), Decimal(3000)])
    def test_prices_a_thousandfold_apart_are_not_believed(self, usd: Decimal) -> None:
        filled = knowledge.with_facts_of(self.LISTED, ListedModel("b", input_price=usd))
        assert (filled.input_price, filled.output_price) == (None, None)
        assert "neither is believed" in filled.doubts[0]

    def test_a_price_that_jumps_a_thousandfold_is_not_taken(self, version: ModelVersion) -> None:
        version.input_price = Decimal(3)
        assert prices.believed(version, {"input_price": Decimal("0.003")}) == {}
        assert prices.believed(version, {"input_price": Decimal(4)}) == {"input_price": 4}


class TestPackage:
    """genai-prices, where nothing else tells a price."""

    @pytest.fixture(autouse=True)
    def installed(self) -> None:
        pytest.importorskip("genai_prices", reason="the extra hotswap[prices] is not installed")

    def filled(self, provider: Provider, model: ListedModel) -> ListedModel:
        (found,) = prices.from_package(provider=provider, models=[model], at=NOW)
        return found

    def test_it_knows_parts_steps_and_tiers(self) -> None:
        found = self.filled(ProviderFactory(kind="anthropic"), ListedModel("claude-sonnet-4-5"))
        assert found.input_price
        assert found.cached_input_price
        parts = {(price.part, price.above > 0, price.tier) for price in found.other_prices}
        assert parts >= {("cache_write", False, ""), ("input", True, "")}

    def test_it_prices_no_server_of_one_s_own(self) -> None:
        own = ProviderFactory(kind="openai", base_url="http://10.0.0.5:8000/v1")
        assert self.filled(own, ListedModel("gpt-4o")).input_price is None
        assert self.filled(ProviderFactory(base_url=""), ListedModel("gpt-4o")).input_price

    def test_what_staff_gave_the_provider_stands_above_it(self) -> None:
        priced = ProviderFactory(base_url="", options={"input_price": "1", "output_price": "2"})
        assert self.filled(priced, ListedModel("gpt-4o")).input_price is None


def test_a_list_s_new_unit_is_doubted_and_changes_no_price(version: ModelVersion) -> None:
    provider = version.tracked_model.provider
    entry = CatalogueEntry(
        provider=provider,
        upstream_id="zeta-1",
        facts={"input_price": "0.003", "output_price": "0.015"},
        first_seen_at=NOW,
        last_seen_at=NOW,
    )
    ModelVersion.objects.update(input_price=3, output_price=15)
    version.refresh_from_db()
    knowledge.fill_version(version=version, entry=entry)
    assert (version.input_price, version.output_price) == (3, 15)
    assert any("hundreds of times" in doubt for doubt in version.doubts)
