"""The outside of an id: by which way the model is reached, and whose it says it is."""

import re
from dataclasses import dataclass
from typing import Final

from versioning.domain.lineage import vocabulary

# `us.anthropic.claude…`: a region, a maker and a dot before a letter; `llama3.1` has none.
_DOTTED: Final = re.compile(r"([a-z][a-z0-9-]{0,30})\.(?=[a-z])")
# `-v1:0`, `-1:0`, `-v1:0:8k` and `-v3-5:0`: the cloud's own revision of a name.
_CLOUD_REVISION: Final = re.compile(
    r"-(?:v([0-9]{1,3})-)?v?([0-9]{1,3}):([0-9]{1,3})(:[a-z0-9]{1,8})?\Z"
)
# `:24k`, `:1m`: the same model with another limit, bought apart.
_LIMIT: Final = re.compile(r"[0-9]{1,4}k|[1-9]m")
# A UUID anywhere, or a name that is all digest, ULID or account number: made by a machine.
_UUID: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])")
_DIGEST: Final = re.compile(
    r"(?:sha256:)?(?=[a-f]*[0-9])[0-9a-f]{12,128}|[0-7][0-9a-hjkmnp-tv-z]{25}"
)
_LONG_TOKEN: Final = re.compile(r"[0-9a-z]{16,}")
_LETTER_AND_DIGIT: Final = re.compile(r"[a-z](?=[0-9])|[0-9](?=[a-z])")
_MOST_CHANGES: Final = 5  # between letters and digits: `qwen3235ba22b2507` has four
# The kinds of resource whose ARN ends in the id of a model.
_TELLING_RESOURCES: Final = frozenset({"foundation-model", "inference-profile"})

# `ft-gpt-4.1-nano`: a model as the base of its customers' fine-tunes.
BASE_OF_TUNES: Final = "base of fine-tunes"


@dataclass(frozen=True, slots=True)
class IdParts:
    """An id taken apart at its separators; `name` and `tag` are still to be read."""

    name: str
    owner: str = ""
    route: str = ""
    fine_tune: str = ""
    suffix: str = ""  # `:free`, `:thinking`
    limit: str = ""  # `:24k`
    tag: str = ""  # `:8b-instruct-q4_K_M`, `@20240620`
    revision: int = 0
    moves: bool = False  # `~google/gemini-pro-latest`
    version: str = ""  # `claude-v2:1` is 2.1
    says_nothing: bool = False  # an ARN of a customer's own resource, a UUID, a digest


def read_channel(text: str, *, provider: str = "") -> IdParts:
    """Split a lower-case id into the way it is reached and the name to be read.

    The provider's own name in a path says nothing at the provider itself.
    """
    moves = text.startswith("~")
    parts = [part for part in text.lstrip("~").replace("%2f", "/").split("/") if part]
    *path, name = parts or [""]
    owner, route = _owner_and_route(path, provider)
    says_nothing = _is_machine_made(name) or any(map(_is_private, parts))
    fine_tune = ""
    if name.startswith("ft:"):
        _, name, *whose = name.split(":")
        fine_tune = ":".join(whose) or "unnamed"
    elif name.startswith("ft-"):
        name, fine_tune = name[3:], BASE_OF_TUNES
    name, region, dotted = _undotted(name)
    name, tag, revision, version, limit = _without_revision(name)
    name, _, suffix = name.partition(":")
    if _LIMIT.fullmatch(suffix):
        suffix, limit = "", suffix
    elif suffix and suffix not in vocabulary.SERVING:
        tag, suffix = f"{tag}-{suffix}", ""
    return IdParts(
        name=name,
        owner=owner or dotted,
        route="/".join([*route, region] if region else route),
        fine_tune=fine_tune,
        suffix=suffix,
        limit=limit,
        tag=tag,
        revision=revision,
        moves=moves,
        version=version,
        says_nothing=says_nothing,
    )


def _owner_and_route(path: list[str], provider: str) -> tuple[str, list[str]]:
    """Tell the maker in a path from the way to it: it is the last part that can be one.

    `bedrock/`, `eu/` and `Pro/` are ways; `accounts/acme/` and `projects/1/` are places.
    """
    makers: list[str] = []
    ways: list[str] = []
    before = ""
    for part in path:
        is_own_name = part == provider and part in vocabulary.ROUTES
        if part.startswith("arn:"):
            ways.append(_place_of(part))
        elif before in vocabulary.PLACES:
            ways.append(f"{before}/{part}")
        elif _is_a_way(part):
            ways += [] if is_own_name else [part]
        elif part not in vocabulary.CONTAINERS and part not in vocabulary.PLACES:
            makers.append(part)
        before = part
    owner = makers.pop() if makers else ""
    return owner, [*ways, *makers]


def _is_a_way(part: str) -> bool:
    is_way = part in vocabulary.ROUTES or part in vocabulary.REGIONS or part in vocabulary.PRICES
    return is_way or part.isdigit()


def _place_of(arn: str) -> str:
    """Return the region and the account of `arn:aws:bedrock:us-east-1:123:inference-profile`."""
    return ":".join(field for field in arn.split(":")[3:5] if field)


def _is_machine_made(name: str) -> bool:
    if _UUID.search(name) or _DIGEST.fullmatch(name):
        return True
    is_one_token = bool(_LONG_TOKEN.fullmatch(name))
    return is_one_token and len(_LETTER_AND_DIGIT.findall(name)) >= _MOST_CHANGES


def _is_private(part: str) -> bool:
    """True for a kind of resource that customers name themselves."""
    if part.startswith("arn:"):
        return part.rpartition(":")[2] not in _TELLING_RESOURCES
    return part in vocabulary.PRIVATE_RESOURCES


def _undotted(name: str) -> tuple[str, str, str]:
    region = owner = ""
    found = _DOTTED.match(name)
    if found and found[1] in vocabulary.REGIONS:
        region, name = found[1], name[found.end() :]
        found = _DOTTED.match(name)
    if found and not region and "-" in found[1] and found[1] not in vocabulary.VENDORS:
        return name, region, owner
    if found:
        owner, name = found[1], name[found.end() :]
    return name, region, owner


def _without_revision(name: str) -> tuple[str, str, int, str, str]:
    """Take off `@…` and the cloud's revision: name, tag, revision, version, limit."""
    name, _, tag = name.partition("@")
    found = _CLOUD_REVISION.search(name)
    if not found:
        return name, tag, 0, "", ""
    revision, version = 0, ""
    if found[1]:
        version = f"{found[1]}.{found[2]}"
    elif found[3] == "0":
        revision = int(found[2])
    else:
        version = f"{found[2]}.{found[3]}"
    return name[: found.start()], tag, revision, version, (found[4] or "")[1:]
