"""OpenRouter: one list over many makers, public, with dated slugs, prices and expiry dates."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from providers import openai_style
from providers.base import (
    Adapter,
    ChatAnswer,
    ChatRequest,
    Connection,
    ListedModel,
    Listing,
    Witness,
)
from providers.http import Client
from providers.http.fields import (
    read_count,
    read_day,
    read_id,
    read_lifecycle,
    read_moment,
    read_object,
    read_text,
    read_words,
)
from providers.http.pages import follow_pages
from providers.http.prices import read_prices

_CAPABILITY_OF = {
    "tools": "tools",
    "structured_outputs": "structured_output",
    "reasoning": "reasoning",
}


class OpenRouter(Adapter):
    kind = "openrouter"
    label = "OpenRouter"
    default_base_url = "https://openrouter.ai/api/v1"
    default_key_variable = "OPENROUTER_API_KEY"
    needs_key = False  # for the list; a chat needs one
    supports_revision = True
    supports_retirement = True

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.client = Client(
            connection,
            headers={"X-Title": "Hotswap"},
            secret_headers=openai_style.bearer(connection.api_key),
        )

    def list_models(self, *, at: datetime) -> Listing:
        rows = [
            row
            for page in follow_pages(lambda url: self.client.get(url).json, "models", _next_page)
            for row in openai_style.read_rows(page)
        ]
        return Listing.read(rows, _read_model, at=at)

    def look_at(self, model_id: str, *, at: datetime) -> Witness:
        """Ask for its endpoints: a model that nobody serves any more has none."""
        return openai_style.look_at(
            self.client, model_id, path=f"models/{quote(model_id)}/endpoints"
        )

    def complete(self, request: ChatRequest) -> ChatAnswer:
        return openai_style.complete(self.client, request)


def _next_page(page: Any) -> str:
    return read_text(read_object(read_object(page).get("links")).get("next"))


def _read_model(row: Any) -> ListedModel:
    model_id = read_id(row, "id")
    slug = read_text(row.get("canonical_slug"))
    architecture, pricing = read_object(row.get("architecture")), read_object(row.get("pricing"))
    prices = read_prices({"pricing": {**pricing, "unit": "per_token"}})
    top = read_object(row.get("top_provider"))
    parameters = read_words(row.get("supported_parameters"))
    expires = read_day(row.get("expiration_date"))
    inputs, outputs = _read_modalities(architecture)
    return ListedModel(
        id=model_id,
        name=read_text(row.get("name")),
        revision=slug,
        released=read_day(row.get("created")),
        created=read_moment(row.get("created")),
        lifecycle=read_lifecycle(row.get("lifecycle"), row.get("status")),
        context_tokens=read_count(row.get("context_length")),
        output_tokens=read_count(top.get("max_completion_tokens")),
        input_price=prices.input,
        output_price=prices.output,
        cached_input_price=prices.cached_input,
        other_prices=prices.others,
        doubts=prices.doubts,
        input_modalities=inputs,
        output_modalities=outputs,
        parameters=parameters,
        capabilities=tuple(w for p, w in _CAPABILITY_OF.items() if p in parameters)
        + (("vision",) if "image" in inputs else ()),
        hugging_face_id=read_text(row.get("hugging_face_id")),
        description=read_text(row.get("description")),
        retires_on=expires,
        retires_precision="exact" if expires else None,
        source=f"https://openrouter.ai/{model_id}" if expires else "",
    )


def _read_modalities(architecture: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    inputs = read_words(architecture.get("input_modalities"))
    outputs = read_words(architecture.get("output_modalities"))
    if inputs and outputs:
        return inputs, outputs
    # Older rows say the same in one word: text+image->text
    before, _, after = read_text(architecture.get("modality")).partition("->")
    split = [tuple(word for word in side.split("+") if word) for side in (before, after)]
    return inputs or split[0], outputs or split[1]
