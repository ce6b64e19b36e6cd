"""genai-prices: dated prices of many providers' models, from a package, without a network."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from providers.base import Adapter, BadItem, ListedModel, Listing, OtherPrice, Unavailable
from providers.http.fields import read_count, read_id, read_price, read_text

SOURCE = "https://github.com/pydantic/genai-prices"


class GenaiPrices(Adapter):
    """Prices as they are at the moment of asking; ``describe`` takes ``provider/id``."""

    kind = "genai_prices"
    label = "genai-prices (offline)"
    needs_key = False
    needs_address = False
    supports_completion = False
    is_enrichment = True

    def list_models(self, *, at: datetime) -> Listing:
        return Listing.read(_rows(), lambda pair: _read_model(*pair, at=at), at=at)

    def describe(self, model_id: str, *, at: datetime) -> ListedModel | None:
        """Return the prices for any spelling that the package recognises, such as a snapshot."""
        name, _, reference = model_id.partition("/")
        provider = next((p for p in _providers() if p.id == name), None)
        found = _find(name, reference) if provider else None
        return _read_model(provider, found, at=at) if provider and found else None


@lru_cache(maxsize=20_000)
def _find(name: str, reference: str) -> Any:
    """Return the package's model; it tries thousands of patterns, and never learns new ones."""
    return next((p.find_model(reference) for p in _providers() if p.id == name), None)


def _providers() -> list[Any]:
    try:
        from genai_prices.data_snapshot import get_snapshot
    except ImportError as error:
        raise Unavailable(
            "Prices need the package genai-prices: install hotswap[prices]."
        ) from error
    return list(get_snapshot().providers)


def _rows() -> Iterator[tuple[Any, Any]]:
    for provider in _providers():
        yield from ((provider, model) for model in provider.models)


def _read_model(provider: Any, model: Any, *, at: datetime) -> ListedModel:
    try:
        tables = {tier: model.get_prices(at, context) for tier, context in _TIERS.items()}
    except (ValueError, LookupError) as error:
        raise BadItem(f"({provider.id}/{model.id}) has no price for the day") from error
    base = tables[""]
    known = not _vary_by_hour(model, at=at)
    return ListedModel(
        id=read_id({"id": model.id}, "id"),
        provider=provider.id,
        name=read_text(model.name),
        context_tokens=read_count(model.context_window),
        input_price=_per_million(base.input_mtok) if known else None,
        output_price=_per_million(base.output_mtok) if known else None,
        cached_input_price=_per_million(base.cache_read_mtok) if known else None,
        other_prices=tuple(_others(tables)) if known else (),
        doubts=() if known else ("Its price depends on the hour of the day: not taken.",),
        source=SOURCE,
    )


_TIERS: dict[str, dict[str, str] | None] = {
    "": None,
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
"""What the package calls the tiers that samples tell."""

_PARTS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cached_input",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "input_image_mtok": "input_image",
    "output_reasoning_mtok": "reasoning",
    "output_audio_mtok": "output_audio",
    "output_image_mtok": "output_image",
}


def _others(tables: dict[str, Any]) -> Iterator[OtherPrice]:
    """Yield every price but the three usual ones: of other parts, steps and tiers."""
    base = tables[""]
    for tier, prices in tables.items():
        if tier and prices == base:
            continue  # the package knows no prices of its own for this tier
        told = {part: getattr(prices, name) for name, part in _PARTS.items()}
        told = {part: price for part, price in told.items() if price is not None}
        starts = sorted({tier.start for price in told.values() for tier in _steps(price)})
        for part, price in told.items():
            for above in (0, *starts):
                usd = _per_million(_price_above(price, above))
                if usd is not None and (tier or above or part not in _USUAL):
                    yield OtherPrice(part, usd, above, tier)
    if base.requests_kcount is not None and not _steps(base.requests_kcount):
        yield OtherPrice("request", base.requests_kcount / 1000)


_USUAL = ("input", "output", "cached_input")


def _steps(price: Any) -> Any:
    return getattr(price, "tiers", ())


def _price_above(price: Any, above: int) -> Any:
    """Return the price of a request with more than so many input tokens."""
    reached = [step.price for step in _steps(price) if step.start <= above]
    return reached[-1] if reached else getattr(price, "base", price)


def _vary_by_hour(model: Any, *, at: datetime) -> bool:
    """Say whether the package has other prices for some hours of the day: no one is right then."""
    conditions = model.prices if isinstance(model.prices, list) else []
    if not any(hasattr(condition.constraint, "start_time") for condition in conditions):
        return False
    first = model.get_prices(at)
    return any(model.get_prices(at.replace(hour=hour)) != first for hour in range(24))


def _per_million(price: Any) -> Decimal | None:
    """Return USD per million tokens; for prices in steps the first, which small requests pay."""
    return read_price(getattr(price, "base", price), per_tokens=1_000_000)
