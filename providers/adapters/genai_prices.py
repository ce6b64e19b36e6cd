"""genai-prices: dated prices of many providers' models, from a package, without a network."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from providers.base import Adapter, BadItem, ListedModel, Listing, Unavailable
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
        return Listing.read(_rows(), lambda pair: _read_model(*pair, at=at))

    def describe(self, model_id: str, *, at: datetime) -> ListedModel | None:
        """Return the prices for any spelling that the package recognises, such as a snapshot."""
        name, _, reference = model_id.partition("/")
        provider = next((p for p in _providers() if p.id == name), None)
        found = provider.find_model(reference) if provider else None
        return _read_model(provider, found, at=at) if provider and found else None


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
        prices = model.get_prices(at)
    except (ValueError, LookupError) as error:
        raise BadItem(f"({provider.id}/{model.id}) has no price for the day") from error
    return ListedModel(
        id=read_id({"id": model.id}, "id"),
        provider=provider.id,
        name=read_text(model.name),
        context_tokens=read_count(model.context_window),
        input_price=_per_million(prices.input_mtok),
        output_price=_per_million(prices.output_mtok),
        cached_input_price=_per_million(prices.cache_read_mtok),
        source=SOURCE,
    )


def _per_million(price: Any) -> Decimal | None:
    """Return USD per million tokens; for prices in tiers the first, which small requests pay."""
    return read_price(getattr(price, "base", price), per_tokens=1_000_000)
