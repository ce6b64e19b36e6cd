"""Azure OpenAI's data plane: models with their lifecycle; chats go to a deployment."""

from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

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
    read_day,
    read_id,
    read_lifecycle,
    read_moment,
    read_object,
    read_text,
)
from providers.http.pages import follow_pages

DEFAULT_API_VERSION = "2024-10-21"

_CAPABILITIES = {
    "chat_completion": "chat",
    "embeddings": "embedding",
    "fine_tune": "fine_tuning",
}


class Azure(Adapter):
    """The option api_version names the API's version; auth set to entra sends a bearer token.

    A chat's model is a deployment's name; what it really serves is in the answer.
    """

    kind = "azure"
    label = "Azure OpenAI"
    default_key_variable = "AZURE_OPENAI_API_KEY"
    supports_retirement = True

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        is_entra = connection.options.get("auth") == "entra"
        key = connection.api_key
        secret = openai_style.bearer(key) if is_entra else {"api-key": key}
        self.client = Client(connection, secret_headers=secret)
        version = connection.options.get("api_version") or DEFAULT_API_VERSION
        self._version = urlencode({"api-version": version})

    def list_models(self, *, at: datetime) -> Listing:
        pages = follow_pages(
            lambda address: self.client.get(address).json,
            f"openai/models?{self._version}",
            _next_page,
        )
        rows = (row for page in pages for row in openai_style.read_rows(page, "data", "value"))
        return Listing.read(rows, _read_model, at=at)

    def look_at(self, model_id: str, *, at: datetime) -> Witness:
        path = f"openai/models/{quote(model_id, safe='')}?{self._version}"
        return openai_style.look_at(self.client, model_id, path=path)

    def call_once(self, model_id: str, *, timeout_s: float) -> Witness:
        """Say that nothing is known: chats go to deployments, and a model may have none yet."""
        return Witness("unknown", "At Azure a model answers once somebody has deployed it.")

    def complete(self, request: ChatRequest) -> ChatAnswer:
        deployment = quote(request.model, safe="")
        path = f"openai/deployments/{deployment}/chat/completions?{self._version}"
        return openai_style.complete(
            self.client, request, path=path, max_tokens_name="max_completion_tokens"
        )


def _next_page(page: Any) -> str:
    return read_text(read_object(page).get("nextLink"))


def _read_model(row: Any) -> ListedModel | None:
    model_id = read_id(row, "id")
    told = read_object(row.get("capabilities"))
    if told.get("inference") is False:
        return None  # a base for fine-tuning only
    retires_on = read_day(read_object(row.get("deprecation")).get("inference"))
    return ListedModel(
        id=model_id,
        name=model_id,
        released=read_day(row.get("created_at")),
        created=read_moment(row.get("created_at")),
        lifecycle=read_lifecycle(row.get("lifecycle_status")),
        capabilities=tuple(word for key, word in _CAPABILITIES.items() if told.get(key) is True),
        retires_on=retires_on,
        retires_precision="exact" if retires_on else None,
        source="https://learn.microsoft.com/azure/ai-foundry/openai/concepts/model-retirements"
        if retires_on
        else "",
    )
