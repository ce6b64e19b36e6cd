"""From the text of an id to its identity, by grammar: any word may be new."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from versioning.domain.lineage import vocabulary
from versioning.domain.lineage.dates import read_date
from versioning.domain.lineage.facts import corrected
from versioning.domain.lineage.id_parts import IdParts, read_channel
from versioning.domain.lineage.identity import (
    OMNI,
    Identity,
    ReleaseStage,
    Snapshot,
    UnreadableName,
    Version,
)

LONGEST_ID: Final = 200
# A check reads every id of a listing against every model in use: each is read once.
_CACHED_IDS: Final = 16384

# Control characters and lone halves of surrogate pairs.
_UNREADABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SEPARATORS: Final = re.compile(r"[-\s()+,]+")
_DECIMAL_P: Final = re.compile(r"(?<=[0-9])p(?=[0-9])")
_PRECISION: Final = re.compile(
    r"(?:i?q[0-9](?:_[0-9a-z]{1,3}){0,3}|(?:mx|nv)?fp[0-9]{1,2}|bf16|int[0-9]|nf4"
    r"|[0-9]bits?|w[0-9]{1,2}a[0-9]{1,2})\Z"
)
_SIZE: Final = re.compile(
    r"(?:(?:[0-9]{1,3}x)?[ae]?[0-9]{1,5}(?:\.[0-9]{1,3})?[bmt]|[0-9]{1,4}e)\Z"
)
_WORD_AND_SIZE: Final = re.compile(r"([a-z]{1,20})([0-9]{1,4}(?:\.[0-9]{1,3})?b)\Z")
_CONTEXT: Final = re.compile(r"[0-9]{1,4}k\Z")
_NUMBER: Final = re.compile(r"[0-9]{1,9}\Z")
_MINOR: Final = re.compile(r"(?:[0-9]|[1-9][0-9])\Z")  # the 5 of `3-5`, the 20 of `4-20`
_VERSION: Final = re.compile(r"(v?)([0-9]{1,3}(?:\.[0-9]{1,3}){0,3})([a-z]{0,12})\Z")
_WORD_AND_VERSION: Final = re.compile(
    r"([a-z]{1,24})\.?([0-9]{1,3}(?:\.[0-9]{1,3}){0,3})([a-z]{0,12})\Z"
)
_SMALLEST_CONTEXT: Final = 1000  # no version is numbered so high, no context is shorter
# Below it the start of a maker's name is often a word of its own.
_SHORTEST_BRAND: Final = 4
# Families that anybody may build on or publish anew.
_SHARED: Final = vocabulary.PARENTS | vocabulary.OPEN_FAMILIES


def parse(model_id: str, *, provider: str = "") -> Identity:
    """Read an id; raise UnreadableName for what cannot be one.

    `provider` is the service that lists it, used only where the id names no maker.
    """
    return _parse(model_id, provider)


def is_later_snapshot(text: str, *, than: str) -> bool:
    """True where two names carry whole dates of the same model, and that of ``text`` is later."""
    try:
        new, old = parse(text), parse(than)
    except UnreadableName:
        return False
    if new.snapshot is None or old.snapshot is None or new.ordinal != old.ordinal:
        return False
    there, here = new.snapshot.on(), old.snapshot.on()
    return bool(there and here and there > here)


def family_of(text: str, *, provider: str = "") -> frozenset[str]:
    """Return what models of one family share: the vendor, or a word of the line's name."""
    try:
        identity = parse(text, provider=provider)
    except UnreadableName:
        return frozenset({text})
    named = (identity.vendor, *identity.words, *(name for name, _ in identity.base))
    return frozenset(filter(None, named))


@lru_cache(maxsize=_CACHED_IDS)
def _parse(model_id: str, provider: str) -> Identity:
    _refuse_unreadable(model_id)
    channel = read_channel(model_id.strip().lower(), provider=provider)
    reading = _Reading()
    reading.read(channel.name)
    if channel.version:
        reading.add_version(channel.version)
    sizes_of_name = len(reading.sizes)
    if channel.tag:
        reading.read(channel.tag)
    # `llama3.1:70b`, `llama3-70b-8192`: a tag or a limit beside a size is how chat is hosted.
    hosted = len(reading.sizes) > sizes_of_name or (reading.sizes and reading.context.isdigit())
    reading.is_hosted = bool(hosted)
    return corrected(_identity(model_id, channel, reading, provider))


def _refuse_unreadable(model_id: str) -> None:
    if not model_id.strip():
        raise UnreadableName("A model id is empty.")
    if len(model_id) > LONGEST_ID:
        raise UnreadableName(f"A model id is longer than {LONGEST_ID} characters.")
    if _UNREADABLE.search(model_id):
        raise UnreadableName("A model id contains control characters.")


def number(text: str) -> Version:
    """Turn `4.0` into (4,): trailing zeros say nothing, so `4` and `4.0` are one version."""
    parts = [int(part) for part in text.split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


@dataclass(slots=True)
class _Reading:
    """The slots found so far while the tokens of one name are read from left to right."""

    words: list[str] = field(default_factory=list)
    versions: list[tuple[str, Version]] = field(default_factory=list)  # with the word before it
    sizes: list[str] = field(default_factory=list)
    precisions: list[str] = field(default_factory=list)
    context: str = ""
    stage: ReleaseStage = ReleaseStage.STABLE
    snapshot: Snapshot | None = None
    revision: int = 0
    is_hosted: bool = False

    def read(self, name: str) -> None:
        tokens = _tokens(name)
        at = 0
        while at < len(tokens):
            at += self._read_at(tokens, at)

    def add_version(self, text: str) -> None:
        self.versions.append((self.words[-1] if self.words else "", number(text)))

    def _read_at(self, tokens: list[str], at: int) -> int:
        token = tokens[at]
        if token.isalpha():
            is_first_of_several = at == 0 and len(tokens) > 1
            is_name = token in vocabulary.ALIASES and is_first_of_several  # `stable-diffusion`
            (self.words.append if is_name else self._add_word)(token)
            return 1
        if token[0].isdigit():
            short_forms = bool(self.versions) or self.stage is not ReleaseStage.STABLE
            dated = read_date(tokens[at : at + 3], short_forms=short_forms)
            if dated:
                self.snapshot = dated[0]
                return dated[1]
        if _NUMBER.match(token):
            return self._read_number(token, _after(tokens, at))
        if _PRECISION.match(token):
            self.precisions.append(token)
        elif _SIZE.match(token):
            self.sizes.append(token)
        elif _CONTEXT.match(token):
            self.context = token
        else:
            return self._read_mixed(token, tokens, at)
        return 1

    def _read_number(self, token: str, following: str) -> int:
        """A bare number is a revision (`001`), a version (`3`, `3-5`, `45`) or a context."""
        if len(token) == 3 and token[0] == "0":
            self.revision = int(token)
        elif int(token) >= _SMALLEST_CONTEXT:
            self.context = token
        elif len(token) == 3:
            self.words.append(token)
        elif self.stage in (ReleaseStage.PREVIEW, ReleaseStage.EXPERIMENTAL) and self.versions:
            self.revision = int(token)
        elif len(token) == 1 and _MINOR.match(following):
            self.add_version(f"{token}.{following}")
            return 2
        else:
            self.add_version(_spread(token))
        return 1

    def _read_mixed(self, token: str, tokens: list[str], at: int) -> int:
        """A word, or a word and a number written as one: `qwen3`, `4o`, `v3`, `r7b`."""
        following = _after(tokens, at)
        if found := _WORD_AND_SIZE.match(token):
            self._add_word(found[1])
            self.sizes.append(found[2])
        elif found := _VERSION.match(token):
            return self._read_version(found[2], found[3], following, is_marked=bool(found[1]))
        elif found := _WORD_AND_VERSION.match(token):
            self._add_word(found[1])
            if found[1] in vocabulary.EXPERIMENTS | vocabulary.PREVIEWS:
                self.revision = number(found[2])[0]
                return 1
            return self._read_version(found[2], found[3], following, is_marked=False)
        else:
            self._add_word(token)
        return 1

    def _read_version(self, text: str, rest: str, following: str, *, is_marked: bool) -> int:
        taken = 1
        if is_marked and self.versions and "." not in text:
            self.revision = max(self.revision, int(text))  # `claude-3-5-sonnet-v2`
            return taken
        if "." not in text and not rest and _MINOR.match(following):
            text, taken = f"{text}.{following}", 2
        if rest == "o":  # `4o`: after 4, before 4.1
            self.versions.append((self.words[-1] if self.words else "", (*number(text), *OMNI)))
            return taken
        self.add_version(text if is_marked and len(text) < 2 else _spread(text))
        if rest:
            self._add_word(rest)
        return taken

    def _add_word(self, word: str) -> None:
        if word in vocabulary.PREVIEWS:
            self.stage = min(self.stage, ReleaseStage.PREVIEW, key=_STAGES.index)
        elif word in vocabulary.EXPERIMENTS:
            self.stage = ReleaseStage.EXPERIMENTAL
        elif word in vocabulary.ALIASES:
            self.stage = ReleaseStage.ALIAS if self.stage is ReleaseStage.STABLE else self.stage
        elif word in vocabulary.LATER:
            self.revision = max(self.revision, vocabulary.LATER[word])
        elif word not in vocabulary.FILLERS:
            self.words.append(word)


_STAGES: Final = tuple(ReleaseStage)


def _after(tokens: list[str], at: int) -> str:
    """Return what may go on with a number: the next token, if no date begins there."""
    if at + 1 >= len(tokens) or read_date(tokens[at + 1 : at + 4], short_forms=False):
        return ""  # `-2-11-2024` is version 2 of November, not 2.11
    return tokens[at + 1]


def _tokens(name: str) -> list[str]:
    tokens: list[str] = []
    for token in _SEPARATORS.split(_DECIMAL_P.sub(".", name)):
        if "_" not in token or _PRECISION.match(token):
            tokens.append(token)
        else:
            tokens.extend(token.split("_"))
    return [token for token in tokens if token]


def _spread(text: str) -> str:
    """Read `45` and `35` as 4.5 and 3.5: no maker has numbered past 20."""
    if len(text) == 2 and text[0] >= "2" and text[1] != "0":
        return f"{text[0]}.{text[1]}"
    return text


def _identity(model_id: str, channel: IdParts, reading: _Reading, provider: str) -> Identity:
    owner, route = _without_unknown_way(channel, reading)
    vendor = _vendor(owner, reading.words, provider)
    own, base = _own_and_base(reading, vendor)
    is_sized = bool(reading.sizes)
    slots = _Slots()
    for word in own:
        slots.put(word, is_sized=is_sized)
    if reading.is_hosted and not slots.tuning and not slots.kinds:
        slots.tuning = "instruct"
    generation = tuple(v for word, v in reading.versions if (word, v) not in base)
    cloud_is_version = channel.revision > 1 and not generation and reading.snapshot is None
    if cloud_is_version:  # `titan-embed-text-v2:0`: the only number there is
        generation = ((channel.revision,),)
    return Identity(
        id=model_id,
        vendor=vendor,
        route=route,
        fine_tune=channel.fine_tune,
        words=_ordered([word for word in slots.words if not _names(word, vendor)]),
        tier=_ordered(slots.tier),
        size=_ordered(reading.sizes),
        kinds=_ordered(slots.kinds),
        tuning=slots.tuning,
        context=reading.context,
        packaging=_ordered([*slots.packaging, *reading.precisions, *_suffixes(channel)]),
        limit=channel.limit,
        generation=generation,
        base=base,
        stage=_stage(channel, reading),
        snapshot=reading.snapshot,
        revision=reading.revision or (0 if cloud_is_version else channel.revision),
        unknown=_ordered([word for word in slots.words if not _is_known(word)]),
        says_nothing=channel.says_nothing,
    )


def _stage(channel: IdParts, reading: _Reading) -> ReleaseStage:
    if not vocabulary.ROUTERS.isdisjoint(reading.words):
        return ReleaseStage.ROUTER
    return ReleaseStage.ALIAS if channel.moves else reading.stage


def _ordered(words: list[str]) -> tuple[str, ...]:
    """Sort, because makers change the order of the words of one line."""
    return tuple(sorted(words)) if len(words) > 1 else tuple(words)


def _suffixes(channel: IdParts) -> tuple[str, ...]:
    return (channel.suffix,) if channel.suffix else ()


def _names(word: str, vendor: str) -> bool:
    """A maker's name inside its own ids says nothing: `Meta-Llama-3`, `Nous-Hermes-2`."""
    is_brand = len(word) >= _SHORTEST_BRAND and vendor.startswith(word)
    return is_brand or vocabulary.VENDORS.get(word, word) == vendor


def _is_known(word: str) -> bool:
    return word in vocabulary.FAMILIES or word in vocabulary.VENDORS


def _vendor(owner: str, words: list[str], provider: str) -> str:
    """Whose model it is: the owner written down, else the family's maker, else the service."""
    if owner:
        return vocabulary.VENDORS.get(owner, owner)
    makers = [
        (word, vocabulary.VENDORS.get(word) or vocabulary.FAMILIES.get(word, "")) for word in words
    ]
    if makers and makers[0][1] and makers[0][0] not in vocabulary.PARENTS:
        return makers[0][1]
    others = [maker for word, maker in makers if maker and word not in vocabulary.PARENTS]
    if others:
        return others[0]
    if makers and makers[0][1]:
        return makers[0][1]
    return vocabulary.OWN_SERVICES.get(provider, "")


def _without_unknown_way(channel: IdParts, reading: _Reading) -> tuple[str, str]:
    """Return owner and route; an unknown owner of what only its maker has is a way to it.

    Nobody but its maker can publish a closed model: in `gateway/claude-3` the path is a route.
    A family of which some models are open is closed where the name says no size.
    """
    is_known = not channel.owner or channel.owner in vocabulary.VENDORS
    family = reading.words[0] if reading.words else ""
    is_mixed = family in vocabulary.MIXED_FAMILIES and not reading.sizes
    is_closed = is_mixed or (family in vocabulary.FAMILIES and family not in _SHARED)
    if is_known or not is_closed:
        return channel.owner, channel.route
    return "", "/".join(part for part in (channel.route, channel.owner) if part)


def _own_and_base(
    reading: _Reading, vendor: str
) -> tuple[list[str], tuple[tuple[str, Version], ...]]:
    """Tell the words of the model from another maker's family that it was built on."""
    makers = {
        word: vocabulary.FAMILIES.get(word) or vocabulary.VENDORS.get(word, "")
        for word in reading.words
    }
    parents = [
        word for word in reading.words if word in vocabulary.PARENTS and makers[word] != vendor
    ]
    named = {makers[word] for word in parents} - set(parents)  # the `Meta-` of `Meta-Llama-3`
    own = [word for word in reading.words if word not in parents and word not in named]
    versions = dict(reversed(reading.versions))
    return own, tuple(sorted((word, versions.get(word, ())) for word in parents))


@dataclass(slots=True)
class _Slots:
    """Words sorted into the slots that the vocabularies know."""

    words: list[str] = field(default_factory=list)
    tier: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    packaging: list[str] = field(default_factory=list)
    tuning: str = ""

    def put(self, word: str, *, is_sized: bool) -> None:
        if is_sized and word in vocabulary.HOSTING:
            self.tuning = self.tuning or "instruct"
        elif word in vocabulary.TUNINGS or (is_sized and word == "chat"):
            self.tuning = vocabulary.TUNINGS.get(word, "instruct")
        elif word in vocabulary.KINDS:
            self.kinds.append(vocabulary.KINDS[word])
        elif word in vocabulary.TIERS:
            self.tier.append(word)
        elif word in vocabulary.SERVING:
            self.packaging.append(word)
        else:
            self.words.append(word)
