"""A plug-in for Hotswap: a kind of provider, and a scorer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from providers import openai_style
from providers.base import Adapter, ChatAnswer, ChatRequest, Connection, ListedModel, Listing
from providers.http import Client
from providers.http.fields import read_count, read_id
from versioning.domain.scoring import Output, Score, Scorer


class Acme(Adapter):
    """Lists models in its own form, and chats in OpenAI's."""

    kind = "acme"
    label = "Acme"
    default_base_url = "https://api.acme.example/v1"
    default_key_variable = "ACME_API_KEY"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.client = Client(connection, secret_headers=openai_style.bearer(connection.api_key))

    def list_models(self, *, at: datetime) -> Listing:
        rows = openai_style.read_rows(self.client.get("models").json)
        return Listing.read(rows, _read_model, at=at)

    def complete(self, request: ChatRequest) -> ChatAnswer:
        return openai_style.complete(self.client, request)


def _read_model(row: Any) -> ListedModel:
    return ListedModel(read_id(row, "id"), context_tokens=read_count(row.get("window")))


class Haiku(Scorer):
    """Counts lines: a poem of three is one."""

    name = "haiku"
    explanation = "The answer has three lines."

    def score(self, *, output: Output, expected: str, options: Mapping[str, Any]) -> Score:
        lines = len(output.text.strip().splitlines())
        return Score(float(lines == 3), f"{lines} lines")
