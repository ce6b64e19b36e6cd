"""Mistral: one row per alias, deprecation dates with the stated replacement."""

from datetime import datetime
from typing import Any

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
    read_object,
    read_text,
    read_words,
)

_CAPABILITIES = {
    "completion_chat": "chat",
    "function_calling": "tools",
    "vision": "vision",
    "reasoning": "reasoning",
    "audio": "audio",
}


class Mistral(Adapter):
    kind = "mistral"
    label = "Mistral"
    default_base_url = "https://api.mistral.ai/v1"
    default_key_variable = "MISTRAL_API_KEY"
    supports_retirement = True

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.client = Client(connection, secret_headers=openai_style.bearer(connection.api_key))

    def list_models(self, *, at: datetime) -> Listing:
        rows = openai_style.read_rows(self.client.get("models").json)
        return Listing.read(rows, _read_model, at=at)

    def look_at(self, model_id: str, *, at: datetime) -> Witness:
        return openai_style.look_at(self.client, model_id)

    def complete(self, request: ChatRequest) -> ChatAnswer:
        return openai_style.complete(self.client, request)


def _read_model(row: Any) -> ListedModel | None:
    """Read one row under the model's own name; ``created`` is the time of asking, so not read."""
    listed_as = read_id(row, "id")
    if row.get("archived") is True:
        return None
    names = (listed_as, *read_words(row.get("aliases")))
    name = read_text(row.get("name"))
    model_id = name if name in names else listed_as
    told = read_object(row.get("capabilities"))
    retires_on = read_day(row.get("deprecation"))
    return ListedModel(
        id=model_id,
        name=name,
        context_tokens=read_count(row.get("max_context_length")),
        input_modalities=("text", "image") if told.get("vision") is True else (),
        capabilities=tuple(word for key, word in _CAPABILITIES.items() if told.get(key) is True),
        # In the order of the alphabet: the rows of one model name them in different orders.
        aliases=tuple(sorted({alias for alias in names if alias != model_id})),
        description=read_text(row.get("description")),
        lifecycle=read_lifecycle(row.get("lifecycle"), row.get("status")),
        retires_on=retires_on,
        retires_precision="exact" if retires_on else None,
        replacement=read_text(row.get("deprecation_replacement_model")),
        source="https://docs.mistral.ai/getting-started/models/" if retires_on else "",
    )
