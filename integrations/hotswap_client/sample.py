"""The fields of a sample, as POST /api/performance-samples takes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypedDict


class Signals(TypedDict, total=False):
    """What an application knows instead of a score. Leave out what isn't known."""

    valid_output: bool
    user_feedback: float
    """From -1 (thumbs down) to 1 (thumbs up)."""
    retries: int
    """How often the application had to ask again."""
    latency_budget_ms: float
    """How long the application can wait."""


class Sample(TypedDict, total=False):
    """One request. Name the tracked model (``provider`` and ``model``) or its upstream id.

    Leave out what isn't known, or give None: an unknown cost is not 0.
    """

    provider: str | None
    model: str | None
    upstream_id: str | None
    revision: str | None
    requested_id: str | None
    resolved_id: str | None
    served_id: str | None
    task: str | None
    source: Literal["production", "canary", "evaluation"] | None
    quality: float | None
    """From 0 to 1."""
    signals: Signals | None
    latency_ms: float | None
    ttft_ms: float | None
    """Milliseconds to the first token."""
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cache_write_tokens: int | None
    cache_write_1h_tokens: int | None
    input_audio_tokens: int | None
    input_image_tokens: int | None
    output_audio_tokens: int | None
    output_image_tokens: int | None
    """Parts of the input and of the output, not beside them."""
    tool_call_error: bool | None
    """Whether the answer called a tool wrongly; False only where somebody looked."""
    service_tier: str | None
    """Such as batch or flex, where the request had other prices for it."""
    cost_usd: Decimal | float | str | None
    error: str | None
    """The class of the error; empty where there was none."""
    request_id: str | None
    time: datetime | str | None
    """When the request began; without it, now minus ``latency_ms``."""
    tags: Mapping[str, str] | None
    session: str | None
    parameters: Sequence[str] | None
    """Names of what the request used, never values."""
    modalities: Sequence[str] | None
