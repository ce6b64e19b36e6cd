"""What no grammar can tell: dated facts about how makers renamed their lines.

Each fact corrects a reading; without it the answer is silence, never a wrong step. Add one only
with a public source, and a row in the table test.
"""

from dataclasses import replace
from typing import Final

from versioning.domain.lineage.identity import OMNI, TURBO, Identity

_FOUR: Final = ((4,),)
_FOUR_TURBO: Final = ((4, *TURBO),)
_FOUR_O: Final = ((4, *OMNI),)
_TWO: Final = ((2,),)
_THREE: Final = ((3,),)
_DEVSTRAL_WITHOUT_TIER: Final = (2025, 12)


def corrected(identity: Identity) -> Identity:
    """Apply the facts of the identity's maker."""
    correct = _BY_VENDOR.get(identity.vendor)
    return correct(identity) if correct else identity


def _openai(identity: Identity) -> Identity:
    if "chatgpt" in identity.words:  # 2024-08: ChatGPT's own snapshots of a gpt generation
        kinds = tuple(sorted({*identity.kinds, "chat"}))
        return replace(identity, words=("gpt",), kinds=kinds)
    if identity.words == () and identity.kinds == ("code",):  # 2025-11: codex became gpt-5-codex
        return replace(identity, words=("gpt",))
    if "gpt" in identity.words and identity.generation == _FOUR:
        return _gpt_four(identity)
    if {"realtime", "audio"} & set(identity.kinds):
        return _gpt_realtime(identity)
    return identity


def _gpt_four(identity: Identity) -> Identity:
    """`gpt-4-turbo` (2023-11) and the dated previews of it came between gpt-4 and gpt-4o."""
    is_turbo = identity.tier == ("turbo",) or (identity.is_preview and not identity.tier)
    return replace(identity, tier=(), generation=_FOUR_TURBO) if is_turbo else identity


def _gpt_realtime(identity: Identity) -> Identity:
    """2025-08: `gpt-realtime` and `gpt-audio` began to count anew, apart from those of 4o."""
    if identity.generation == _FOUR_O:
        return replace(identity, words=("4o", *identity.words), generation=())
    return identity


def _microsoft(identity: Identity) -> Identity:
    """2024-12: the 14B `phi-4` without tier goes on from `phi-3-medium`."""
    is_plain = identity.words == ("phi",) and not (identity.tier or identity.size or identity.kinds)
    if is_plain and identity.generation >= _FOUR:
        return replace(identity, tier=("medium",))
    return identity


def _mistral(identity: Identity) -> Identity:
    """2025-12: `devstral` 2, without tier, goes on from `devstral-medium`."""
    snapshot = identity.snapshot
    is_plain = identity.words == ("devstral",) and not (identity.tier or identity.size)
    is_late = snapshot and (snapshot.year, snapshot.month) >= _DEVSTRAL_WITHOUT_TIER
    if is_plain and (is_late or identity.ordinal >= _TWO):
        return replace(identity, tier=("medium",))
    return identity


def _alibaba(identity: Identity) -> Identity:
    """2025-04: from Qwen3 on the name without a word is the tuned model, `-Base` the other."""
    is_silent = identity.size and not (identity.tuning or identity.kinds or identity.words)
    if is_silent and identity.generation >= _THREE:
        return replace(identity, tuning="instruct")
    return identity


def _deepseek(identity: Identity) -> Identity:
    """2024-12: `deepseek-chat` became `deepseek-v3`, which never was anything but chat."""
    if identity.kinds == ("chat",) and not (identity.words or identity.size):
        return replace(identity, kinds=())
    return identity


def _xai(identity: Identity) -> Identity:
    """2026-02: `grok-4.20` is 4.2, before 4.3."""
    generation = tuple(
        (version[0], version[1] // 10) if len(version) == 2 and version[1] % 10 == 0 else version
        for version in identity.generation
    )
    return replace(identity, generation=generation)


_BY_VENDOR: Final = {
    "alibaba": _alibaba,
    "deepseek": _deepseek,
    "microsoft": _microsoft,
    "mistral": _mistral,
    "openai": _openai,
    "xai": _xai,
}
