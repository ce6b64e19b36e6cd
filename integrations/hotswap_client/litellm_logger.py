"""A litellm callback that reports every request: ``litellm.callbacks = [HotswapLogger(hotswap)]``.

Give the stable name and the task with the request:
``litellm.completion(..., metadata={"hotswap_model": "qwen-2.5-7b-instruct",
"hotswap_provider": "openrouter", "hotswap_task": "summarise"})``. Without a name the model is
reported under its upstream id. Prompts and answers are never sent.
"""

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from hotswap_client.client import Hotswap

logger = logging.getLogger(__name__)

SHORTEST_UNIQUE_ID = 20
"""As on the server, for traces."""


class HotswapLogger(CustomLogger):  # type: ignore[misc]
    """Turns litellm's events into samples; a fault here never reaches the application."""

    def __init__(self, hotswap: Hotswap) -> None:
        super().__init__()
        self._hotswap = hotswap

    def log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self._report(kwargs, response_obj, start_time, end_time, failed=False)

    def log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self._report(kwargs, response_obj, start_time, end_time, failed=True)

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self._report(kwargs, response_obj, start_time, end_time, failed=False)

    async def async_log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self._report(kwargs, response_obj, start_time, end_time, failed=True)

    def _report(self, kwargs: Any, response: Any, start: Any, end: Any, *, failed: bool) -> None:
        try:
            if not kwargs.get("cache_hit"):  # an answer from a cache says nothing of the model
                self._hotswap.record(**sample_of(kwargs, response, start, end, failed=failed))
        except Exception:
            # The one promise to the application: measuring it never breaks it.
            logger.warning("A request could not be reported to Hotswap", exc_info=True)


def sample_of(
    kwargs: Mapping[str, Any],
    response: Any,
    start: datetime,
    end: datetime,
    *,
    failed: bool,
) -> dict[str, Any]:
    """Return the sample for one of litellm's events, from its documented fields only."""
    metadata = _metadata(kwargs)
    usage = _get(response, "usage")
    requested = str(kwargs.get("model") or "")
    began = kwargs.get("completion_start_time") if kwargs.get("stream") else None
    sample: dict[str, Any] = {
        "provider": metadata.get("hotswap_provider"),
        "model": metadata.get("hotswap_model"),
        "upstream_id": requested,
        "requested_id": requested,
        "served_id": _get(response, "model"),
        "task": metadata.get("hotswap_task"),
        "source": metadata.get("hotswap_source"),
        "tags": metadata.get("hotswap_tags"),
        "session": metadata.get("hotswap_session"),
        "parameters": _parameters(kwargs.get("optional_params")),
        "latency_ms": _ms(start, end),
        "ttft_ms": _ms(start, began),
        **_tokens(usage, failed=failed),
        "service_tier": _text(_get(response, "service_tier") or _get(usage, "service_tier")),
        "cost_usd": _cost(kwargs.get("response_cost")),
        "request_id": _request_id(kwargs, response),
        "time": start,
        "error": type(kwargs.get("exception")).__name__ if failed else "",
    }
    return {name: value for name, value in sample.items() if value not in (None, "")}


def _tokens(usage: Any, *, failed: bool) -> dict[str, Any]:
    """Return the counts of tokens; of an answer without a single one nothing was counted.

    litellm says 0 and 0 of a stream that ended without usage: unknown, not free.
    """
    inputs = _get(usage, "prompt_tokens_details")
    outputs = _get(usage, "completion_tokens_details")
    written = _get(usage, "cache_creation_input_tokens")
    told = {
        "input_tokens": _get(usage, "prompt_tokens"),
        "output_tokens": _get(usage, "completion_tokens"),
        "cached_tokens": _get(inputs, "cached_tokens"),
        "cache_write_tokens": _get(inputs, "cache_creation_tokens") or written,
        "input_audio_tokens": _get(inputs, "audio_tokens"),
        "input_image_tokens": _get(inputs, "image_tokens"),
        "reasoning_tokens": _get(outputs, "reasoning_tokens"),
        "output_audio_tokens": _get(outputs, "audio_tokens"),
        "output_image_tokens": _get(outputs, "image_tokens"),
    }
    if not failed and not (told["input_tokens"] or told["output_tokens"]):
        return {}
    return told


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= 40 else ""


def _metadata(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the caller's metadata; litellm's proxy keeps it apart from its own."""
    told = (kwargs.get("litellm_params") or {}).get("metadata") or {}
    return {**(told.get("requester_metadata") or {}), **told}


def _parameters(given: Any) -> list[str] | None:
    """Return the names of the request's parameters, never their values."""
    names = [str(name) for name in given] if isinstance(given, Mapping) else []
    return [name for name in names if re.fullmatch(r"[\w.:/-]{1,60}", name)][:50] or None


def _request_id(kwargs: Mapping[str, Any], response: Any) -> str:
    """Return the answer's id, which the application has at hand for a late score.

    A short one is no name: some servers number their answers from 0 to 999.
    """
    given = str(_get(response, "id") or "")
    return given if len(given) >= SHORTEST_UNIQUE_ID else str(kwargs.get("litellm_call_id") or "")


def _ms(start: Any, end: Any) -> float | None:
    if not (isinstance(start, datetime) and isinstance(end, datetime)):
        return None
    took = (end - start).total_seconds() * 1000
    return took if took >= 0 else None


def _get(thing: Any, name: str) -> Any:
    if isinstance(thing, Mapping):
        return thing.get(name)
    return getattr(thing, name, None)


def _cost(value: Any) -> str | None:
    """Return the cost as text; litellm says 0 for models it has no price of: that is unknown."""
    return None if not value else format(float(value), ".12f")
