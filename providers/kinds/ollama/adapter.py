"""Ollama: local models under names that can be pulled anew; the digest says when."""

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
    Nonsense,
    Response,
    Witness,
)
from providers.http import Client
from providers.http.fields import (
    read_answer,
    read_count,
    read_id,
    read_object,
    read_text,
    read_tokens,
    read_words,
)


class Ollama(Adapter):
    """``GET /api/tags``, ``POST /api/show`` and ``POST /api/chat`` under the base URL."""

    kind = "ollama"
    label = "Ollama"
    default_base_url = "http://127.0.0.1:11434"
    needs_key = False
    supports_revision = True

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.client = Client(connection, secret_headers=openai_style.bearer(connection.api_key))

    def list_models(self, *, at: datetime) -> Listing:
        rows = openai_style.read_rows(self.client.get("api/tags").json, "models")
        return Listing.read(rows, _read_model, at=at)

    def describe(self, model_id: str, *, at: datetime) -> ListedModel | None:
        """Return the listed model with the context length that only ``show`` tells."""
        listed = super().describe(model_id, at=at)
        if listed is None:
            return None
        shown = self.client.post("api/show", {"model": listed.id}, is_chat=False).json
        info = read_object(read_object(shown).get("model_info"))
        lengths = (read_count(v) for name, v in info.items() if name.endswith(".context_length"))
        more = ListedModel(
            id=listed.id,
            context_tokens=next(lengths, None),
            capabilities=read_words(read_object(shown).get("capabilities")),
        )
        return listed.filled_from(more)

    def look_at(self, model_id: str, *, at: datetime) -> Witness:
        return self._found(
            lambda: self.client.post("api/show", {"model": model_id}, is_chat=False), model_id
        )

    def call_once(self, model_id: str, *, timeout_s: float) -> Witness:
        """Say that nothing is known: a call would load the model, and put out the one in use."""
        return Witness("unknown", "A call would load it in place of the model in use.")

    def complete(self, request: ChatRequest) -> ChatAnswer:
        options = dict(read_object(request.parameters.get("options")))
        if request.max_tokens is not None:
            options["num_predict"] = request.max_tokens
        if request.temperature is not None:
            options["temperature"] = request.temperature
        answer = self.client.chat(
            "api/chat",
            {
                **request.parameters,
                "model": request.model,
                "messages": list(request.messages),
                "options": options,
                "stream": False,
            },
            request,
        )
        return _read_chat(answer)


def _read_model(row: Any) -> ListedModel:
    """Read one tag; ``modified_at`` is the day of the download, so not a release."""
    details = read_object(read_object(row).get("details"))
    names = ("family", "parameter_size", "quantization_level")
    return ListedModel(
        id=read_id(row, "name", "model"),
        revision=read_text(row.get("digest")),
        description=" ".join(text for name in names if (text := read_text(details.get(name)))),
    )


def _read_chat(answer: Response) -> ChatAnswer:
    payload = read_object(answer.json)
    message = payload.get("message")
    if not isinstance(message, dict) or payload.get("done") is not True:
        raise Nonsense("The chat answer has no finished message.")
    told = read_text(payload.get("done_reason"))
    finish = "tool_calls" if message.get("tool_calls") else told
    return ChatAnswer(
        text=read_answer(message.get("content")),
        finish=openai_style.read_finish(finish),
        served_id=read_text(payload.get("model")),
        input_tokens=read_tokens(payload.get("prompt_eval_count")),
        output_tokens=read_tokens(payload.get("eval_count")),
        latency_ms=answer.elapsed_ms,
        attempts=answer.attempts,
    )
