"""Prices from a provider's or a catalogue's answer, over HTTP, to the cost of a request."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from providers.models import Provider
from tests.factories import NOW, ProviderFactory
from tests.providers.conftest import ScriptedServer, answer, serve
from versioning.models import ModelVersion, PerformanceSample
from versioning.models.fields import from_ms
from versioning.services import tracking, versions
from versioning.services.actors import Actor
from versioning.services.checks import detection
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    yield from serve()


def check(provider: Provider, server: ScriptedServer, body: Any) -> None:
    server.script = answer(body)
    detection.run_checks(trigger="command", provider_slugs=[provider.slug], now=NOW)


def tracked_version(provider: Provider, model_id: str) -> ModelVersion:
    tracking.start_tracking(
        provider_id=provider.pk,
        name="writer",
        upstream_id=model_id,
        actor=Actor.command(),
        now=NOW,
    )
    return ModelVersion.objects.get()


def cost(provider: Provider, **tokens: int) -> Decimal | None:
    sample = SampleIn(provider=provider.slug, model="writer", time=NOW, **tokens)
    ingestion.accept([sample], api_key_id=1, now=NOW)
    nano = PerformanceSample.objects.get().cost_nano_usd
    return None if nano is None else Decimal(nano) / 10**9


@pytest.mark.parametrize(
    ("row", "usd"),
    [
        ({"pricing": {"input": "0.00000015", "output": "0.0000006"}}, "0.21"),
        ({"pricing": {"unit": "per_1m_tokens", "input": 3.2, "output": 12.8}}, "4.48"),
        ({"input_price_per_million": 0.05, "output_price_per_million": "0.4"}, "0.09"),
        ({"pricing": {"input": "-1", "output": "-1"}}, None),
        ({"pricing": {"input": 0.002, "output": 0.004}}, None),
        ({"pricing": {"input": 0, "output": "0"}}, "0"),
    ],
)
def test_a_million_in_and_a_tenth_of_that_out(
    server: ScriptedServer, row: dict[str, Any], usd: str | None
) -> None:
    provider = ProviderFactory(kind="openai", base_url=server.url)
    check(provider, server, {"object": "list", "data": [{"id": "acme/nova-2", **row}]})
    tracked_version(provider, "acme/nova-2")
    found = cost(provider, input_tokens=1_000_000, output_tokens=100_000)
    assert found == (None if usd is None else Decimal(usd))


@pytest.mark.parametrize("form", ["old", "new", "both"])
@pytest.mark.parametrize(
    ("tokens", "usd"),
    [
        ({"input_tokens": 100_000, "output_tokens": 1_000}, "0.135"),
        ({"input_tokens": 300_000, "output_tokens": 1_000}, "0.765"),
        ({"input_tokens": 300_000, "output_tokens": 1_000, "cached_tokens": 10}, None),
    ],
)
def test_a_catalogue_s_step_holds_beyond_its_length(
    server: ScriptedServer, tokens: dict[str, int], usd: str | None, form: str
) -> None:
    steps: dict[str, Any] = {"input": 2.5, "output": 15}
    told = {
        "old": {"context_over_200k": steps},
        "new": {"tiers": [{**steps, "tier": {"type": "context", "size": 200_000}}]},
        "both": {
            "tiers": [{**steps, "tier": {"type": "context", "size": 200_000}}],
            "context_over_200k": {"input": 9, "output": 9},
        },
    }[form]
    costs = {"input": 1.25, "output": 10, "cache_read": 0.1, **told}
    row = {"id": "nova-3", "cost": costs, "limit": {"context": 1_000_000}}
    catalogue = ProviderFactory(kind="modelsdev", base_url=server.url)
    check(catalogue, server, {"acme": {"id": "acme", "models": {"nova-3": row}}})
    provider = ProviderFactory(kind="openai", base_url=server.url, options={"catalogue": "acme"})
    check(provider, server, {"data": [{"id": "nova-3"}]})
    tracked_version(provider, "nova-3")
    found = cost(provider, **tokens)
    assert found == (None if usd is None else Decimal(usd))


def test_a_catalogue_s_tier_of_an_unknown_kind_makes_the_cost_unknown(
    server: ScriptedServer,
) -> None:
    costs = {"input": 1.25, "output": 10, "tiers": [{"input": 9, "tier": {"type": "moon"}}]}
    catalogue = ProviderFactory(kind="modelsdev", base_url=server.url)
    check(catalogue, server, {"acme": {"models": {"nova-3": {"id": "nova-3", "cost": costs}}}})
    provider = ProviderFactory(kind="openai", base_url=server.url, options={"catalogue": "acme"})
    check(provider, server, {"data": [{"id": "nova-3"}]})
    tracked_version(provider, "nova-3")
    assert cost(provider, input_tokens=10, output_tokens=10) is None


@pytest.mark.parametrize("known", ["catalogue", "package"])
@pytest.mark.parametrize("factor", ["0.001", "0.0006"])
def test_a_price_per_thousand_that_names_no_unit_costs_nothing_wrong(
    server: ScriptedServer, known: str, factor: str
) -> None:
    """Others know one model of the list: it tells that the whole list is in another unit."""
    dear = "gpt-4" if known == "package" else "nova-9"
    if known == "catalogue":
        catalogue = ProviderFactory(kind="modelsdev", base_url=server.url)
        row = {"id": dear, "cost": {"input": 30, "output": 60}}
        check(catalogue, server, {"acme": {"models": {dear: row}}})
    provider = ProviderFactory(kind="openai", base_url=server.url, options={"catalogue": "acme"})
    of = Decimal(factor)
    rows = [
        {"id": dear, "pricing": {"input": f"{30 * of}", "output": f"{60 * of}"}},
        {"id": "acme/own", "pricing": {"input": f"{600 * of}", "output": f"{600 * of}"}},
    ]
    check(provider, server, {"data": rows})
    version = tracked_version(provider, "acme/own")
    assert version.input_price is None
    assert any("names no unit" in doubt for doubt in version.doubts)
    assert cost(provider, input_tokens=1_000, output_tokens=10) is None


def test_a_price_that_is_not_believed_is_a_doubt_of_the_version(server: ScriptedServer) -> None:
    provider = ProviderFactory(kind="openai", base_url=server.url)
    rows = [{"id": "acme/nova-2", "pricing": {"unit": "per_1m_tokens", "input": "0.0000032"}}]
    check(provider, server, {"data": rows})
    version = tracked_version(provider, "acme/nova-2")
    assert version.input_price is None
    assert any("isn't believed" in doubt for doubt in version.doubts)


def set_by_api(version: ModelVersion, server: ScriptedServer) -> None:
    del server
    versions.change(version_id=version.pk, changes={"input_price": 9}, actor=Actor.command())


def listed_anew(version: ModelVersion, server: ScriptedServer) -> None:
    row = {"id": version.upstream_id, "input_price_per_million": 9, "output_price_per_million": 1}
    check(version.tracked_model.provider, server, {"data": [row]})


def released(version: ModelVersion, server: ScriptedServer) -> None:
    listed_anew(version, server)
    versions.release_fields(version_id=version.pk, fields=["input_price"], actor=Actor.command())


@pytest.mark.parametrize("change", [set_by_api, listed_anew, released])
def test_a_request_that_is_told_late_costs_what_it_cost_then(
    server: ScriptedServer, change: Callable[[ModelVersion, ScriptedServer], None]
) -> None:
    provider = ProviderFactory(kind="openai", base_url=server.url)
    row = {"id": "acme/nova-2", "input_price_per_million": 3, "output_price_per_million": 1}
    check(provider, server, {"data": [row]})
    tracked_version(provider, "acme/nova-2")
    if change is released:
        ModelVersion.objects.update(staff_fields=["input_price"])

    change(ModelVersion.objects.get(), server)
    changed_at = ModelVersion.objects.get().past_prices[-1]["until"]

    def cost_at(ms: int) -> Decimal:
        time = from_ms(ms)
        sample = SampleIn(
            provider=provider.slug, model="writer", time=time, input_tokens=10**6, output_tokens=0
        )
        ingestion.accept([sample], api_key_id=1, now=max(time, from_ms(changed_at)))
        return Decimal(PerformanceSample.objects.latest("pk").cost_nano_usd or 0) / 10**9

    assert cost_at(changed_at - 3_600_000) == 3
    assert cost_at(changed_at) == 9
    assert cost_at(changed_at - 1) == 3


def test_a_price_that_was_unknown_then_is_the_first_that_is_known(server: ScriptedServer) -> None:
    provider = ProviderFactory(kind="openai", base_url=server.url)
    check(provider, server, {"data": [{"id": "acme/nova-2"}]})
    version = tracked_version(provider, "acme/nova-2")
    versions.change(
        version_id=version.pk,
        changes={"input_price": 9, "output_price": 9},
        actor=Actor.command(),
    )
    assert ModelVersion.objects.get().past_prices == []
    assert cost(provider, input_tokens=10**6, output_tokens=0) == 9


def test_prices_of_the_past_are_kept_as_long_as_samples(server: ScriptedServer) -> None:
    provider = ProviderFactory(kind="openai", base_url=server.url)
    for day, usd in enumerate((1, 2, 3, 2, 5)):
        now = NOW + timedelta(days=30 * day)
        row = {"id": "a/b", "input_price_per_million": usd, "output_price_per_million": 1}
        server.script = answer({"data": [row]})
        detection.run_checks(trigger="command", provider_slugs=[provider.slug], now=now)
        if not day:
            tracked_version(provider, "a/b")
    past = ModelVersion.objects.get().past_prices
    assert [period["prices"][0]["usd"] for period in past] == ["1", "2", "3", "2"][-len(past) :]
    assert 3 <= len(past) <= 4


@pytest.mark.parametrize(
    ("options", "usd"),
    [
        ({}, None),  # whose server this is, nobody knows: another's prices would be a guess
        ({"input_price": "0", "output_price": "0"}, 0),
        ({"catalogue": "openai"}, 10),
    ],
)
def test_a_catalogue_s_prices_hold_where_its_service_is_known_and_staff_gave_none(
    server: ScriptedServer, options: dict[str, str], usd: int | None
) -> None:
    row = {"id": "nova-3", "cost": {"input": 10, "output": 10}, "limit": {"context": 9_000}}
    catalogue = ProviderFactory(kind="modelsdev", base_url=server.url)
    check(catalogue, server, {"openai": {"models": {"nova-3": row}}})
    provider = ProviderFactory(kind="openai", base_url=server.url, options=options)
    check(provider, server, {"data": [{"id": "nova-3"}]})
    version = tracked_version(provider, "nova-3")
    assert (version.input_price, version.output_price) == (usd, usd)
    assert version.context_tokens == 9_000
