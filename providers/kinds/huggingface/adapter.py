"""The Hugging Face hub: commits stand for revisions, authors name the successor."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from providers import openai_style
from providers.base import (
    Adapter,
    ChatAnswer,
    ChatRequest,
    Connection,
    ListedModel,
    Listing,
    NotThere,
    Response,
    Witness,
)
from providers.http import Client
from providers.http.fields import read_day, read_id, read_moment, read_object, read_text
from providers.http.pages import follow_pages

PAGE_SIZE = "100"
ROUTER_URL = "https://router.huggingface.co/v1"

_EXPANDED = (
    "cardData", "createdAt", "disabled", "pipeline_tag", "sha",
)  # fmt: skip
_NO_DAY = "2022-03-02T23:29:04.000Z"
"""What the hub's documentation gives for every repository older than its records."""

_NEXT_LINK = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')


class HuggingFace(Adapter):
    """Lists what inference providers serve; the options author and search narrow it down."""

    kind = "huggingface"
    label = "Hugging Face"
    default_base_url = "https://huggingface.co"
    default_key_variable = "HF_TOKEN"
    needs_key = False  # for public repositories; a chat needs one
    supports_revision = True

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        key = openai_style.bearer(connection.api_key)
        self.client = Client(connection, secret_headers=key)
        is_hub = urlsplit(connection.base_url).hostname == "huggingface.co"
        router_url = ROUTER_URL if is_hub else f"{connection.base_url.rstrip('/')}/v1"
        self.router = Client(replace(connection, base_url=router_url), secret_headers=key)

    def list_models(self, *, at: datetime) -> Listing:
        pages = follow_pages(self._page, "api/models", _next_page)
        rows = (row for page in pages for row in openai_style.read_rows(page.json))
        return Listing.read(rows, _read_model, at=at)

    def describe(self, model_id: str, *, at: datetime) -> ListedModel | None:
        """Return the repository by its id, whether or not the listing has it."""
        try:
            return _read_model(self.client.get(f"api/models/{quote(model_id)}").json)
        except NotThere:
            return None

    def look_at(self, model_id: str, *, at: datetime) -> Witness:
        """Ask for the repository: whether anybody serves it, only a call can tell."""
        found = self._found(lambda: self.client.get(f"api/models/{quote(model_id)}"), model_id)
        if found.outcome != "callable":
            return found
        return Witness("unknown", "The repository is there; only a call tells who serves it.")

    def complete(self, request: ChatRequest) -> ChatAnswer:
        return openai_style.complete(self.router, request)

    def _page(self, address: str) -> Response:
        if address != "api/models":
            return self.client.get(address)
        options = self.connection.options
        narrowed = {name: options[name] for name in ("author", "search") if options.get(name)}
        return self.client.get(
            address,
            params={
                "limit": PAGE_SIZE,
                "expand[]": _EXPANDED,
                **(narrowed or {"inference_provider": "all"}),
            },
        )


def _next_page(page: Response) -> str:
    found = _NEXT_LINK.search(page.headers.get("link", ""))
    return found.group(1) if found else ""


def _read_model(row: Any) -> ListedModel | None:
    model_id = read_id(row, "id", "modelId")
    if row.get("disabled") is True:
        return None
    kind, created = read_text(row.get("pipeline_tag")), row.get("createdAt")
    successor = read_text(read_object(row.get("cardData")).get("new_version"))
    return ListedModel(
        id=model_id,
        name=model_id.rpartition("/")[2],
        revision=read_text(row.get("sha")),
        released=None if created == _NO_DAY else read_day(created),
        created=read_moment(created),
        capabilities=(kind,) if kind else (),
        hugging_face_id=model_id,
        replacement=successor,
        source=f"https://huggingface.co/{model_id}" if successor else "",
    )
