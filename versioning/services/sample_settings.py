"""What Hotswap was told in the settings, as far as samples need it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings

from versioning.domain.signals import QUALITY, Signal

_SIGNALS = {"latency_budget": Signal.LATENCY}


def retention() -> timedelta:
    """How long single samples are kept."""
    kept: timedelta = _options()["RETENTION"]
    return kept


def signal_weights() -> dict[Signal, float]:
    """The share that each signal has in a score."""
    weights: Mapping[str, float] = _options()["SIGNAL_WEIGHTS"]
    return {_SIGNALS.get(name) or Signal(name): share for name, share in weights.items()}


def component_weights() -> dict[str, float]:
    """What each component of quality counts: a given score 1, signals as the settings have it."""
    return {QUALITY: 1.0} | {signal.value: share for signal, share in signal_weights().items()}


def most_items() -> int:
    """How many items a batch may hold."""
    return int(_options()["MAX_BATCH"])


def most_bytes() -> int:
    """How many bytes a request's body may have, before and after unpacking."""
    return int(_options()["MAX_BODY_BYTES"])


def _options() -> Mapping[str, Any]:
    options: Mapping[str, Any] = settings.HOTSWAP
    return options
