"""Anthropic: a paged list with release dates, and the Messages API."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from providers.base import (
    Adapter,
    ChatAnswer,
    ChatRequest,
    Connection,
    FinishReason,
    ListedModel,
    Listing,
    Nonsense,
    Response,
    Witness,
)
from providers.http import Client
from providers.http.fields import (
    read_answer,
    read_count,
    read_day,
    read_id,
    read_lifecycle,
    read_moment,
    read_object,
    read_text,
    read_tokens,
)
from providers.http.pages import follow_pages
from providers.openai_style import look_at, read_rows, split_system

VERSION = "2023-06-01"
PAGE_SIZE = "1000"
DEFAULT_MAX_TOKENS = 4096
"""The API wants a limit; this is sent where the request has none."""

_FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
    "tool_use": "tool_calls",
}
_CAPABILITIES = {
    "image_input": "vision",
    "structured_outputs": "structured_output",
    "thinking": "reasoning",
}


class Anthropic(Adapter):
    """``GET /models`` and ``POST /messages`` under the base URL."""

    kind = "anthropic"
    label = "Anthropic"
    default_base_url = "https://api.anthropic.com/v1"
    default_key_variable = "ANTHROPIC_API_KEY"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.client = Client(
            connection,
            headers={"anthropic-version": VERSION},
            secret_headers={"x-api-key": connection.api_key},
        )

    def list_models(self, *, at: datetime) -> Listing:
        pages = follow_pages(self._page, "", _next_page)
        rows = (row for page in pages for row in read_rows(page))
        return Listing.read(rows, _read_model, at=at)

    def look_at(self, model_id: str, *, at: datetime) -> Witness:
        return look_at(self.client, model_id)

    def complete(self, request: ChatRequest) -> ChatAnswer:
        system, turns = split_system(request.messages)
        body: dict[str, Any] = {
            "model": request.model,
            "max_tokens": request.max_tokens or DEFAULT_MAX_TOKENS,
            "messages": [{"role": role, "content": text} for role, text in turns],
        }
        if system:
            body["system"] = system
        if request.temperature is not None:
            body["temperature"] = request.temperature
        answer = self.client.chat(
            "messages",
            {**body, **request.parameters},
            request,
        )
        return _read_message(answer)

    def _page(self, after: str) -> Any:
        after_id = {"after_id": after} if after else {}
        return self.client.get("models", params={"limit": PAGE_SIZE, **after_id}).json


def _next_page(page: Any) -> str:
    fields = read_object(page)
    return read_text(fields.get("last_id")) if fields.get("has_more") is True else ""


def _read_model(row: Any) -> ListedModel:
    told = read_object(read_object(row).get("capabilities"))
    return ListedModel(
        id=read_id(row, "id"),
        name=read_text(row.get("display_name")),
        released=read_day(row.get("created_at")),
        created=read_moment(row.get("created_at")),
        lifecycle=read_lifecycle(row.get("lifecycle"), row.get("status")),
        context_tokens=read_count(row.get("max_input_tokens")),
        output_tokens=read_count(row.get("max_tokens")),
        capabilities=tuple(
            word
            for name, word in _CAPABILITIES.items()
            if read_object(told.get(name)).get("supported") is True
        ),
    )


def _read_message(answer: Response) -> ChatAnswer:
    payload = read_object(answer.json)
    content = payload.get("content")
    if not isinstance(content, list):
        raise Nonsense("The chat answer has no content.")
    blocks = [read_object(block) for block in content]
    usage = read_object(payload.get("usage"))
    # What was read from or written to the cache is counted apart from input_tokens.
    names = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    counts = [read_tokens(usage.get(name)) for name in names]
    return ChatAnswer(
        text="".join(read_answer(b.get("text")) for b in blocks if b.get("type") == "text"),
        finish=_FINISH.get(read_text(payload.get("stop_reason")), "other"),
        served_id=read_text(payload.get("model")),
        input_tokens=None if counts[0] is None else sum(count or 0 for count in counts),
        output_tokens=read_tokens(usage.get("output_tokens")),
        cached_tokens=counts[1],
        cache_write_tokens=counts[2],
        latency_ms=answer.elapsed_ms,
        attempts=answer.attempts,
    )
