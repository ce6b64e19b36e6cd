"""Prices of a model from several sources: taken together, believed where they can be so."""

import dataclasses
from collections.abc import Container, Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from providers import registry
from providers.base import Connection, ListedModel, ProviderError
from providers.kinds.genai_prices.adapter import GenaiPrices
from providers.models import Provider
from versioning.domain import pricing
from versioning.models import ModelVersion
from versioning.models.fields import to_ms
from versioning.services import sample_settings

_USUAL = ("input_price", "output_price", "cached_input_price")
FIELDS = frozenset({*_USUAL, "other_prices"})
_SIDES = ("input_price", "output_price")

_NAMES = {
    "bedrock": "aws", "gemini": "google", "xai": "x-ai", "moonshot": "moonshotai",
}  # fmt: skip
"""What genai-prices calls our kinds and known servers, where it says it otherwise."""

MOST_PAST = 100
"""Prices of the past that are kept of a version: more would be a list that flickers."""

_MAKERS = ("openai", "anthropic", "google", "mistral", "deepseek", "x-ai", "cohere")
"""Whose models gateways list under bare ids, by their names in genai-prices."""


def with_prices_of(listed: ListedModel, other: ListedModel) -> ListedModel:
    """Return the listed model with the prices of another source where it tells none.

    Prices belong together: a source's price for cached input beside another's for input would be
    a guess. So they are all taken where nothing is told, and the missing ones where both agree
    on input and output. Prices that differ by hundreds of times are one of them wrong, in its unit
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


def are_told(listed: ListedModel) -> bool:
    """Say whether a listing has any price of the model."""
    return any(getattr(listed, name) not in (None, ()) for name in FIELDS)


def without(listed: ListedModel) -> ListedModel:
    """Return a listed model without its prices."""
    return dataclasses.replace(
        listed, input_price=None, output_price=None, cached_input_price=None, other_prices=()
    )


def _without_prices(listed: ListedModel, doubt: str) -> ListedModel:
    doubts = (*listed.doubts, *(() if doubt in listed.doubts else (doubt,)))
    return dataclasses.replace(without(listed), doubts=doubts)


def list_of(version: ModelVersion) -> pricing.PriceList:
    """Return what the version costs now."""
    return pricing.price_list(
        input=version.input_price,
        output=version.output_price,
        cached_input=version.cached_input_price,
        others=version.other_prices,
    )


def keep_past(*, version: ModelVersion, before: pricing.PriceList, now: datetime) -> None:
    """Note the prices that held until now, where they are others by now. It isn't saved.

    Requests of that time that are told later cost what they cost then. Where nothing was known,
    what is known now is the best that can be said of then. What is older than samples are kept
    needs no price.
    """
    if not before.prices or before.prices == list_of(version).prices:
        return
    oldest = to_ms(now - sample_settings.retention())
    version.past_prices = [
        *(period for period in version.past_prices if period["until"] >= oldest),
        {"until": to_ms(now), "prices": pricing.as_json(before.prices)},
    ][-MOST_PAST:]


def others_as_json(listed: ListedModel) -> list[dict[str, Any]]:
    """Return a listed model's further prices as a version keeps them."""
    return pricing.as_json(
        pricing.Price(pricing.Part(price.part), price.usd, price.above, price.tier)
        for price in listed.other_prices
    )


def believed(version: ModelVersion, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of a version without prices that can't follow those it has.

    A price that falls or rises by hundreds of times from one day to the next is another unit.
    """
    if _jumps(version, told):
        return {name: value for name, value in told.items() if name not in FIELDS}
    return dict(told)


def doubts_of(version: ModelVersion, told: Mapping[str, Any]) -> list[str]:
    """Say which of the prices that are told aren't believed."""
    return [
        f"Its {name.replace('_', ' ')} is told as ${told[name]:f} per million, hundreds of "
        f"times off ${getattr(version, name):f}: not taken. Check the "
        "list's unit, or set it yourself."
        for name in _jumps(version, told)
        if name not in version.staff_fields
    ]


def _jumps(version: ModelVersion, told: Mapping[str, Any]) -> list[str]:
    return [n for n in _USUAL if pricing.are_far_apart(getattr(version, n), told.get(n))]


def from_package(
    *, provider: Provider, models: Iterable[ListedModel], at: datetime
) -> list[ListedModel]:
    """Fill prices that nothing tells from the package genai-prices, where it is installed.

    Prices that staff gave the provider in its options stand above it. Prices whose unit was guessed
    are held against those of the model's maker, whoever serves it.
    """
    name = name_in_lists(provider)
    package = GenaiPrices(Connection(base_url=""))
    try:
        return [_priced(model, package, name=name, at=at) for model in models]
    except ProviderError:
        return list(models)  # it isn't installed


def _priced(model: ListedModel, package: GenaiPrices, *, name: str, at: datetime) -> ListedModel:
    found = package.describe(f"{name}/{model.id}", at=at) if name else None
    if found is not None:
        return with_prices_of(model, found)
    if model.prices_guessed and (maker := _of_the_maker(model, package, at=at)):
        checked = with_prices_of(model, maker)
        return checked if checked.input_price is None and checked.output_price is None else model
    return model


def _of_the_maker(model: ListedModel, package: GenaiPrices, *, at: datetime) -> ListedModel | None:
    """Return what the package says of the model at its maker's own service, None where unknown."""
    owner, _, bare = model.id.rpartition("/")
    names = [owner.rpartition("/")[2]] if owner else _MAKERS
    return next(
        (found for name in names if (found := package.describe(f"{name}/{bare}", at=at))), None
    )


def in_one_unit(
    *, listed: Iterable[ListedModel], priced: Iterable[ListedModel], checked: Container[str]
) -> list[ListedModel]:
    """Return the models without guessed prices where their list was read in a wrong unit.

    ``listed`` are the models as their provider lists them, ``priced`` the same after other sources
    were asked, ``checked`` the ids of those that another source has a price for. Where most of
    these were contradicted, the unit that was guessed for the list holds for none of it.
    """
    pairs = list(zip(listed, priced, strict=True))
    guessed = [(before, after) for before, after in pairs if before.prices_guessed]
    wrong = [before.id for before, after in guessed if _lost(before, after)]
    right = [b.id for b, after in guessed if b.id in checked and not _lost(b, after)]
    if not wrong or len(wrong) <= len(right):
        return [after for _, after in pairs]
    doubt = (
        f"Its list names no unit, and the one that was read contradicts what others say of "
        f"{wrong[0]}: no price of it is taken. Set prices yourself, or add a catalogue."
    )
    return [
        _without_prices(after, doubt)
        if before.prices_guessed and _sides(before) == _sides(after)
        else after
        for before, after in pairs
    ]


def _lost(before: ListedModel, after: ListedModel) -> bool:
    """Tell whether prices of a list weren't kept: another source contradicted them."""
    return any(
        mine is not None and (theirs is None or pricing.are_far_apart(mine, theirs))
        for mine, theirs in zip(_sides(before), _sides(after), strict=True)
    )


def _sides(model: ListedModel) -> tuple[Any, ...]:
    return tuple(getattr(model, name) for name in _SIDES)


def name_in_lists(provider: Provider) -> str:
    """Return whose prices hold for a provider, by genai-prices' name; empty where nobody's do.

    Those that staff gave it stand above all lists. The kind openai is spoken by many servers: only
    a known address, or its option ``catalogue``, tells whose it is.
    """
    if provider.usual_prices():
        return ""
    if told := provider.options.get("catalogue"):
        return str(told)
    if provider.kind != "openai":
        return _NAMES.get(provider.kind, provider.kind)
    host = urlsplit(provider.base_url or registry.adapter_class("openai").default_base_url).hostname
    slugs = [
        p.slug for p in registry.presets("openai") if p.key_variable and _host(p.base_url) == host
    ]
    return _NAMES.get(slugs[0], slugs[0]) if slugs else ""


def _host(url: str) -> str | None:
    return urlsplit(url).hostname
