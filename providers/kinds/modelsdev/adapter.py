"""models.dev: one public document with dates, prices and limits of many providers' models."""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from providers.base import Adapter, BadItem, Connection, ListedModel, Listing, Nonsense
from providers.http import Client
from providers.http.fields import (
    read_count,
    read_day,
    read_id,
    read_lifecycle,
    read_object,
    read_text,
    read_words,
)
from providers.http.prices import Prices, read_prices

SOURCE = "https://models.dev"
_STEP = re.compile(r"context_over_\d+k?")
_LIKE_A_STEP = re.compile(r"context|over|above|beyond")
_CAPABILITIES = {
    "tool_call": "tools",
    "structured_output": "structured_output",
    "reasoning": "reasoning",
    "attachment": "attachments",
}


class ModelsDev(Adapter):
    """Facts about others' models: ``provider`` says whose, by models.dev's own names."""

    kind = "modelsdev"
    label = "models.dev catalogue"
    default_base_url = "https://models.dev"
    needs_key = False
    supports_completion = False
    is_enrichment = True

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.client = Client(connection)

    def list_models(self, *, at: datetime) -> Listing:
        document = self.client.get("api.json", conditional=True).json
        if not isinstance(document, dict):
            raise Nonsense("The catalogue is not an object of providers.")
        return Listing.read(_rows(document), _read_model, at=at)


def _rows(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each model with its provider; a provider that can't be read comes as one bad row."""
    for provider, entry in document.items():
        models = read_object(entry).get("models")
        if isinstance(models, dict):
            yield from ((provider, row) for row in models.values())
        else:
            yield provider, None


def _read_model(pair: tuple[str, Any]) -> ListedModel:
    provider, row = pair
    if not isinstance(row, dict):
        raise BadItem(f"of {provider[:40]} is not an object")
    limit = read_object(row.get("limit"))
    prices = _read_prices(read_object(row.get("cost")))
    modalities = read_object(row.get("modalities"))
    return ListedModel(
        id=read_id(row, "id"),
        provider=provider,
        name=read_text(row.get("name")),
        released=_read_release(row.get("release_date")),
        context_tokens=read_count(limit.get("context")),
        output_tokens=read_count(limit.get("output")),
        input_price=prices.input,
        output_price=prices.output,
        cached_input_price=prices.cached_input,
        other_prices=prices.others,
        doubts=prices.doubts,
        input_modalities=read_words(modalities.get("input")),
        output_modalities=read_words(modalities.get("output")),
        capabilities=tuple(word for key, word in _CAPABILITIES.items() if row.get(key) is True),
        lifecycle=(lifecycle := read_lifecycle(row.get("status"))),
        lifecycle_source=SOURCE if lifecycle else "",
        source=SOURCE,
    )


def _read_prices(cost: Mapping[str, Any]) -> Prices:
    """Read what a model costs per million tokens, with the steps beyond a context length.

    Its ``tiers`` say the steps; ``context_over_200k`` is the older form of one of them. A tier of
    a kind that isn't known may hold for any request: then no price of the model is taken.
    """
    tiers = cost.get("tiers")
    steps = [_read_tier(tier) for tier in tiers] if isinstance(tiers, list) and tiers else None
    if steps is None:
        steps = [
            (step.removeprefix("context_over_") if _STEP.fullmatch(step) else "", told)
            for step, told in cost.items()
            if _LIKE_A_STEP.search(step) and isinstance(told, Mapping)
        ]
    if not all(size for size, _ in steps):
        return Prices(doubts=("Its prices have a step that can't be read: not taken.",))
    flat = {f"{part}_over_{size}": usd for size, told in steps for part, usd in told.items()}
    return read_prices({"cost": {**cost, **flat, "unit": "per_million"}})


def _read_tier(tier: Any) -> tuple[str, Mapping[str, Any]]:
    """Return a step's size in tokens, such as 272000, with its prices; no size for another kind."""
    told = read_object(tier)
    kind = read_object(told.get("tier"))
    size = read_count(kind.get("size"))
    return str(size) if size and kind.get("type") == "context" else "", told


def _read_release(value: Any) -> date | None:
    """Return the day; the last one where only the month is told, so that no age is overstated."""
    text = read_text(value)
    first = read_day(f"{text}-01") if len(text) == len("2025-01") else None
    if first is None:
        return read_day(text)
    return first.replace(day=monthrange(first.year, first.month)[1])
