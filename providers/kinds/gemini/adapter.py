"""Google's Gemini API: a paged list with limits, and generateContent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

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
    read_id,
    read_lifecycle,
    read_object,
    read_text,
    read_tokens,
    read_words,
)
from providers.http.pages import follow_pages
from providers.openai_style import look_at, read_rows, split_system

PAGE_SIZE = "1000"

_FINISH: Mapping[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "refusal",
    "IMAGE_SAFETY": "refusal",
    "RECITATION": "refusal",
    "LANGUAGE": "refusal",
    "BLOCKLIST": "refusal",
    "PROHIBITED_CONTENT": "refusal",
    "SPII": "refusal",
}
_CAPABILITY_OF = {"generateContent": "chat", "embedContent": "embedding"}


class Gemini(Adapter):
    """The key goes in a header, never in the address, where logs would keep it."""

    kind = "gemini"
    label = "Google Gemini"
    default_base_url = "https://generativelanguage.googleapis.com/v1beta"
    default_key_variable = "GEMINI_API_KEY"
    supports_revision = True

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.client = Client(connection, secret_headers={"x-goog-api-key": connection.api_key})

    def list_models(self, *, at: datetime) -> Listing:
        pages = follow_pages(self._page, "", _next_page)
        rows = (row for page in pages for row in read_rows(page, "models"))
        return Listing.read(rows, _read_model, at=at)

    def look_at(self, model_id: str, *, at: datetime) -> Witness:
        return look_at(self.client, model_id.removeprefix("models/"), names=("name",))

    def complete(self, request: ChatRequest) -> ChatAnswer:
        system, turns = split_system(request.messages)
        roles = {"user": "user", "assistant": "model"}
        generation = dict(read_object(request.parameters.get("generationConfig")))
        if request.max_tokens is not None:
            generation["maxOutputTokens"] = request.max_tokens
        if request.temperature is not None:
            generation["temperature"] = request.temperature
        body: dict[str, Any] = {
            **request.parameters,
            "contents": [{"role": roles[role], "parts": [{"text": text}]} for role, text in turns],
            "generationConfig": generation,
        }
        if system:
            body["systemInstruction"] = {"parts": [{"text": system}]}
        answer = self.client.chat(
            f"models/{quote(request.model.removeprefix('models/'), safe='')}:generateContent",
            body,
            request,
        )
        return _read_content(answer)

    def _page(self, token: str) -> Any:
        page_token = {"pageToken": token} if token else {}
        return self.client.get("models", params={"pageSize": PAGE_SIZE, **page_token}).json


def _next_page(page: Any) -> str:
    return read_text(read_object(page).get("nextPageToken"))


def _read_model(row: Any) -> ListedModel:
    methods = read_words(read_object(row).get("supportedGenerationMethods"))
    return ListedModel(
        id=read_id(row, "name").removeprefix("models/"),
        name=read_text(row.get("displayName")),
        revision=read_text(row.get("version")),
        context_tokens=read_count(row.get("inputTokenLimit")),
        output_tokens=read_count(row.get("outputTokenLimit")),
        capabilities=tuple(word for method, word in _CAPABILITY_OF.items() if method in methods)
        + (("reasoning",) if row.get("thinking") is True else ()),
        description=read_text(row.get("description")),
        lifecycle=read_lifecycle(row.get("modelStage"), row.get("lifecycle")),
    )


def _read_content(answer: Response) -> ChatAnswer:
    payload = read_object(answer.json)
    candidates = payload.get("candidates")
    blocked = read_text(read_object(payload.get("promptFeedback")).get("blockReason"))
    if not (isinstance(candidates, list) and candidates) and not blocked:
        raise Nonsense("The chat answer has no candidates.")
    candidate = read_object(candidates[0]) if candidates else {}
    parts = read_object(candidate.get("content")).get("parts")
    blocks = [read_object(part) for part in parts] if isinstance(parts, list) else []
    finish = _FINISH.get(read_text(candidate.get("finishReason")), "other")
    if any("functionCall" in block for block in blocks):
        finish = "tool_calls"
    usage = read_object(payload.get("usageMetadata"))
    said = read_tokens(usage.get("candidatesTokenCount"))
    thought = read_tokens(usage.get("thoughtsTokenCount"))
    return ChatAnswer(
        text="".join(read_answer(b.get("text")) for b in blocks if b.get("thought") is not True),
        finish="refusal" if blocked else finish,
        served_id=read_text(payload.get("modelVersion")),
        input_tokens=read_tokens(usage.get("promptTokenCount")),
        # Thinking is counted apart, and paid as output.
        output_tokens=None if said is None and thought is None else (said or 0) + (thought or 0),
        cached_tokens=read_tokens(usage.get("cachedContentTokenCount")),
        reasoning_tokens=thought,
        latency_ms=answer.elapsed_ms,
        attempts=answer.attempts,
    )
