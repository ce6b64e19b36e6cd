"""Prices of a model from several sources: taken together, believed where they can be so."""

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from providers import registry
from providers.base import Connection, ListedModel, ProviderError
from providers.kinds.genai_prices.adapter import GenaiPrices
from providers.models import Provider
from versioning.domain import pricing
from versioning.models import ModelVersion

_USUAL = ("input_price", "output_price", "cached_input_price")
FIELDS = frozenset({*_USUAL, "other_prices"})
_SIDES = ("input_price", "output_price")

_NAMES = {
    "bedrock": "aws", "gemini": "google", "xai": "x-ai", "moonshot": "moonshotai",
}  # fmt: skip
"""What genai-prices calls our kinds and known servers, where it says it otherwise."""


def with_prices_of(listed: ListedModel, other: ListedModel) -> ListedModel:
    """Return the listed model with the prices of another source where it tells none.

    Prices belong together: a source's price for cached input beside another's for input would be
    a guess. So they are all taken where nothing is told, and the missing ones where both agree
    on input and output. Prices that differ a thousandfold are one of them wrong, in its unit
    most likely: then nothing is known.
    """
    mine = {name: getattr(listed, name) for name in _SIDES}
    theirs = {name: getattr(other, name) for name in _SIDES}
    if any(pricing.are_far_apart(mine[name], theirs[name]) for name in _SIDES):
        doubt = (
            f"Its price for input and output is {_said(mine)}, {other.source or 'a catalogue'} "
            f"says {_said(theirs)}: neither is believed."
        )
        return _without_prices(listed, doubt)
    told = [name for name in FIELDS if getattr(listed, name) not in (None, ())]
    if told and any(mine[name] not in (None, theirs[name]) for name in _SIDES):
        return listed
    missing = {
        name: value
        for name in FIELDS
        if name not in told and (value := getattr(other, name)) not in (None, ())
    }
    return dataclasses.replace(listed, **missing) if missing else listed


def _said(prices: Mapping[str, Any]) -> str:
    return " and ".join("unknown" if usd is None else f"${usd:f}" for usd in prices.values())


def _without_prices(listed: ListedModel, doubt: str) -> ListedModel:
    return dataclasses.replace(
        listed,
        input_price=None,
        output_price=None,
        cached_input_price=None,
        other_prices=(),
        doubts=(*listed.doubts, *(() if doubt in listed.doubts else (doubt,))),
    )


def others_as_json(listed: ListedModel) -> list[dict[str, Any]]:
    """Return a listed model's further prices as a version keeps them."""
    return pricing.as_json(
        pricing.Price(pricing.Part(price.part), price.usd, price.above, price.tier)
        for price in listed.other_prices
    )


def believed(version: ModelVersion, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of a version without prices that can't follow those it has.

    A price that falls or rises a thousandfold from one day to the next is another unit.
    """
    if _jumps(version, told):
        return {name: value for name, value in told.items() if name not in FIELDS}
    return dict(told)


def doubts_of(version: ModelVersion, told: Mapping[str, Any]) -> list[str]:
    """Say which of the prices that are told aren't believed."""
    return [
        f"Its {name.replace('_', ' ')} is told as ${told[name]:f} per million, a thousandfold "
        f"off ${getattr(version, name):f}: not taken. Check the list's unit, or set it yourself."
        for name in _jumps(version, told)
        if name not in version.staff_fields
    ]


def _jumps(version: ModelVersion, told: Mapping[str, Any]) -> list[str]:
    return [n for n in _USUAL if pricing.are_far_apart(getattr(version, n), told.get(n))]


def from_package(
    *, provider: Provider, models: Iterable[ListedModel], at: datetime
) -> list[ListedModel]:
    """Fill prices that nothing tells from the package genai-prices, where it is installed.

    Prices that staff gave the provider in its options stand above it.
    """
    name = _name_in_package(provider)
    if not name or provider.usual_prices():
        return list(models)
    package = GenaiPrices(Connection(base_url=""))
    try:
        return [
            with_prices_of(model, found)
            if (found := package.describe(f"{name}/{model.id}", at=at))
            else model
            for model in models
        ]
    except ProviderError:
        return list(models)  # it isn't installed


def _name_in_package(provider: Provider) -> str:
    """Return whose prices hold for a provider; empty where that can't be told.

    The kind openai is spoken by many servers: only a known address tells whose it is.
    """
    if told := provider.options.get("catalogue"):
        return str(told)
    if provider.kind != "openai":
        return _NAMES.get(provider.kind, provider.kind)
    host = urlsplit(provider.base_url or registry.adapter_class("openai").default_base_url).hostname
    slugs = [p.slug for p in registry.presets() if p.key_variable and _host(p.base_url) == host]
    return _NAMES.get(slugs[0], slugs[0]) if slugs else ""


def _host(url: str) -> str | None:
    return urlsplit(url).hostname
