"""Which adapter speaks to which kind of provider."""

from providers.adapters.openai import PRESETS, OpenAI, Preset
from providers.adapters.openrouter import OpenRouter
from providers.base import Adapter

_ADAPTERS: tuple[type[Adapter], ...] = (
    OpenRouter,
    OpenAI,
)
_BY_KIND = {adapter.kind: adapter for adapter in _ADAPTERS}


class UnknownKind(LookupError):
    """No adapter is registered for the kind."""


def adapter_class(kind: str) -> type[Adapter]:
    """Return the adapter for a kind; UnknownKind where there is none."""
    try:
        return _BY_KIND[kind]
    except KeyError:
        known = ", ".join(_BY_KIND)
        raise UnknownKind(f"There is no kind of provider {kind!r}. Known: {known}.") from None


def adapter_classes() -> tuple[type[Adapter], ...]:
    """Return every registered adapter."""
    return _ADAPTERS


def kinds() -> list[tuple[str, str]]:
    """Return kind and label of every adapter, for form choices."""
    return [(adapter.kind, adapter.label) for adapter in _ADAPTERS]


def presets() -> tuple[Preset, ...]:
    """Return the known servers that the kind ``openai`` also speaks to."""
    return PRESETS
