"""Which adapter speaks to which kind of provider."""

from providers import variables
from providers.adapters.anthropic import Anthropic
from providers.adapters.azure import Azure
from providers.adapters.bedrock import Bedrock
from providers.adapters.gemini import Gemini
from providers.adapters.genai_prices import GenaiPrices
from providers.adapters.huggingface import HuggingFace
from providers.adapters.mistral import Mistral
from providers.adapters.modelsdev import ModelsDev
from providers.adapters.ollama import Ollama
from providers.adapters.openai import PRESETS, OpenAI, Preset
from providers.adapters.openrouter import OpenRouter
from providers.adapters.retirements import Retirements
from providers.base import Adapter

_ADAPTERS: tuple[type[Adapter], ...] = (
    OpenRouter,
    OpenAI,
    Anthropic,
    Gemini,
    Mistral,
    Ollama,
    HuggingFace,
    Bedrock,
    Azure,
    ModelsDev,
    GenaiPrices,
    Retirements,
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


def known_variables(kind: str) -> frozenset[str]:
    """Return the variables that a kind of provider, or a known server of it, uses for its keys."""
    adapter = adapter_class(kind)
    names = {adapter.default_key_variable, *adapter.more_key_variables}
    if kind == OpenAI.kind:
        names |= {preset.key_variable for preset in PRESETS}
    return frozenset(names - {""})


def known_pairs(kind: str) -> list[str]:
    """Return which variable of a kind goes to which public place without anybody's release."""
    adapter = adapter_class(kind)
    names = [adapter.default_key_variable, *adapter.more_key_variables]
    found = variables.pairs(names, [adapter.default_base_url])
    if kind == OpenAI.kind:
        for preset in PRESETS:
            found += variables.pairs([preset.key_variable], [preset.base_url])
    return found


def presets() -> tuple[Preset, ...]:
    """Return the known servers that the kind ``openai`` also speaks to."""
    return PRESETS
