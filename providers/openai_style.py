"""Shared reading of what OpenAI, and everybody who copies its API, answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from providers.base import (
    ChatAnswer,
    ChatRequest,
    FinishReason,
    Incompatible,
    Lifecycle,
    ListedModel,
    Listing,
    Nonsense,
    ProviderError,
    Response,
    Unavailable,
    Witness,
)
from providers.http import Client
from providers.http.fields import (
    read_answer,
    read_cost,
    read_count,
    read_day,
    read_id,
    read_lifecycle,
    read_moment,
    read_object,
    read_text,
    read_tokens,
    read_words,
)
from providers.http.prices import read_prices, unit_of_list

_OWNERS_THAT_STAMP_NOW = frozenset({"vllm", "llamacpp", "sglang", "library", "organization_owner"})
"""Local servers that give the time of their start, or of a download, as ``created``: one answer
alone can't teach that. A time of asking is learnt from any list itself."""

_FINISH: Mapping[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "length": "length",
    "model_length": "length",
    "content_filter": "refusal",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}

_CAPABILITIES = {
    "supports_tools": "tools",
    "supports_image_input": "vision",
    "supports_reasoning": "reasoning",
}


def bearer(client_key: str) -> dict[str, str]:
    """Return the header that most providers take the key in."""
    return {"Authorization": f"Bearer {client_key}"}


def read_rows(payload: Any, *names: str) -> list[Any]:
    """Return the rows of a listing: a bare list, or the first of the named fields.

    Raises Nonsense where neither is a list.
    """
    if isinstance(payload, list):
        return payload
    for name in names or ("data",):
        rows = read_object(payload).get(name)
        if isinstance(rows, list):
            return rows
    raise Nonsense(f"The listing has no list of models ({' or '.join(names or ('data',))}).")


def read_listing(rows: Sequence[Any], *, at: datetime) -> Listing:
    """Read ``/models``; the unit of prices that name none is learnt from the whole list."""
    unit = unit_of_list(rows)
    return Listing.read(rows, lambda row: read_model(row, unit_of_list=unit), at=at)


def read_model(row: Any, *, unit_of_list: int | None = None) -> ListedModel | None:
    """Read one row of ``/models``, with what vLLM, Groq, Together, xAI and others add to it."""
    model_id = read_id(row, "id", "name", "model")
    if row.get("active") is False:
        return None  # Groq: listed, and not callable
    owner, root = read_text(row.get("owned_by")), read_text(row.get("root"))
    root = "" if root == model_id else root
    meta, prices = read_object(row.get("meta")), read_prices(row, unit_of_list=unit_of_list)
    return ListedModel(
        id=model_id,
        name=read_text(row.get("display_name") or row.get("name")),
        revision=read_text(row.get("fingerprint")) or root,
        released=None if owner in _OWNERS_THAT_STAMP_NOW else read_day(row.get("created")),
        created=read_moment(row.get("created")),
        lifecycle=_read_lifecycle(row),
        context_tokens=_first_count(row, "context_length", "context_window", "max_model_len")
        or _first_count(meta, "n_ctx", "n_ctx_train"),
        output_tokens=_first_count(row, "max_completion_tokens", "max_output_tokens"),
        input_price=prices.input,
        output_price=prices.output,
        cached_input_price=prices.cached_input,
        other_prices=prices.others,
        prices_guessed=prices.unit_is_guessed,
        doubts=prices.doubts,
        input_modalities=read_words(row.get("input_modalities")),
        output_modalities=read_words(row.get("output_modalities")),
        capabilities=tuple(word for field, word in _CAPABILITIES.items() if row.get(field) is True),
        aliases=read_words(row.get("aliases")),
        hugging_face_id=root if root.count("/") == 1 and root[0] not in "/." else "",
        description=read_text(row.get("description")),
        retires_on=(retires_on := read_day(row.get("shutdown_date"))),
        retires_precision="exact" if retires_on else None,
    )


_FLAGS_OF_DEPRECATION = ("deprecated", "is_deprecated", "isDeprecated")


def _read_lifecycle(row: Mapping[str, Any]) -> Lifecycle:
    if any(row.get(flag) is True for flag in _FLAGS_OF_DEPRECATION):
        return "deprecated"
    return read_lifecycle(row.get("lifecycle_status"), row.get("lifecycle"), row.get("status"))


def look_at(
    client: Client,
    model_id: str,
    *,
    path: str = "",
    names: Sequence[str] = ("id", "name", "model"),
) -> Witness:
    """Ask for one model by its address (``models/ID``): callable where its row comes back.

    An answer of another shape, such as the whole list, proves nothing.
    """
    try:
        row = client.get(path or f"models/{quote(model_id, safe='')}").json
    except ProviderError as error:
        return Witness.of_error(error, model_id=model_id)
    told = read_object(row)
    row_of = read_object(told.get("data")) or told
    said = {read_text(row_of.get(name)).removeprefix("models/") for name in names}
    if model_id in said:
        return Witness("callable")
    return Witness("unknown", "It answered with something else than the model.")


def _first_count(row: Mapping[str, Any], *names: str) -> int | None:
    return next((found for name in names if (found := read_count(row.get(name)))), None)


def complete(
    client: Client,
    request: ChatRequest,
    *,
    path: str = "chat/completions",
    max_tokens_name: str = "max_tokens",
) -> ChatAnswer:
    """Send a chat in OpenAI's form and read the answer.

    Raises Unavailable, Refused, Nonsense or Incompatible.
    """
    body: dict[str, Any] = {"model": request.model, "messages": list(request.messages)}
    if request.max_tokens is not None:
        body[max_tokens_name] = request.max_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    try:
        answer = client.chat(
            path,
            {**body, **request.parameters},
            request,
        )
    except Incompatible as error:
        if error.is_content_refusal:
            return ChatAnswer(text="", finish="refusal")
        raise
    return read_chat(answer)


def split_system(
    messages: Sequence[Mapping[str, Any]],
) -> tuple[str, list[tuple[Literal["user", "assistant"], str]]]:
    """Return the system text apart from the turns, for providers that want it so.

    Raises Incompatible for anything but text from system, user and assistant.
    """
    system: list[str] = []
    turns: list[tuple[Literal["user", "assistant"], str]] = []
    for message in messages:
        role, text = message.get("role"), _plain_text(message.get("content"))
        if role in {"system", "developer"}:
            system.append(text)
        elif role in {"user", "assistant"}:
            turns.append(("user" if role == "user" else "assistant", text))
        else:
            raise Incompatible(f"Messages of the role {role!r} can't be sent to this provider.")
    return "\n\n".join(system), turns


def _plain_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = [read_object(part) for part in content] if isinstance(content, list) else []
    if not parts or any(part.get("type") != "text" for part in parts):
        raise Incompatible("Only text can be sent to this provider: no images, files or tools.")
    return "".join(str(part.get("text", "")) for part in parts)


def read_chat(answer: Response) -> ChatAnswer:
    """Read a chat completion; the model and fingerprint in it are what was really served."""
    payload = read_object(answer.json)
    choices = payload.get("choices")
    if not isinstance(choices, list) or not choices:
        _raise_error_in_answer(payload)
        raise Nonsense("The chat answer has no choices.")
    choice = read_object(choices[0])
    _raise_error_in_answer(choice)
    message = read_object(choice.get("message"))
    refusal = read_answer(message.get("refusal"))
    told = read_text(choice.get("finish_reason"))
    if told == "insufficient_system_resource":
        raise Unavailable("The provider broke off the answer for lack of resources. Try later.")
    usage = read_object(payload.get("usage"))
    return ChatAnswer(
        text=_read_content(message.get("content")) or refusal,
        finish="refusal" if refusal else read_finish(told),
        served_id=read_text(payload.get("model")),
        fingerprint=read_text(payload.get("system_fingerprint")),
        input_tokens=read_tokens(usage.get("prompt_tokens")),
        output_tokens=read_tokens(usage.get("completion_tokens")),
        cached_tokens=read_tokens(
            read_object(usage.get("prompt_tokens_details")).get("cached_tokens")
        ),
        reasoning_tokens=read_tokens(
            read_object(usage.get("completion_tokens_details")).get("reasoning_tokens")
        ),
        cost_usd=read_cost(usage.get("cost")),
        latency_ms=answer.elapsed_ms,
        attempts=answer.attempts,
    )


def read_finish(told: str) -> FinishReason:
    """Return why an answer ended, from the words that OpenAI and its copies use."""
    return _FINISH.get(told, "other")


def _read_content(content: Any) -> str:
    """Return the text of a message: a string, or the text parts of a list (not the thinking)."""
    if not isinstance(content, list):
        return read_answer(content)
    parts = [read_object(part) for part in content]
    return "".join(read_answer(p.get("text")) for p in parts if p.get("type") == "text")


def _raise_error_in_answer(part: Mapping[str, Any]) -> None:
    """OpenRouter and some proxies report a failure behind a good status."""
    if error := read_object(part.get("error")):
        said = read_text(error.get("message"))[:300] or "no reason given"
        raise Unavailable(f"The provider failed while answering: {said}")
