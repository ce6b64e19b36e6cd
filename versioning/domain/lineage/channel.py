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


# `ft-gpt-4.1-nano`: a model as the base of its customers' fine-tunes.
BASE_OF_TUNES: Final = "base of fine-tunes"


@dataclass(frozen=True, slots=True)
class Channel:
    """An id taken apart at its separators; `name` and `tag` are still to be read."""

    name: str
    owner: str = ""
    route: str = ""
    fine_tune: str = ""
    suffix: str = ""  # `:free`, `:thinking`
    tag: str = ""  # `:8b-instruct-q4_K_M`, `@20240620`
    revision: int = 0
    moves: bool = False  # `~google/gemini-pro-latest`
    version: str = ""  # `claude-v2:1` is 2.1


def read_channel(text: str) -> Channel:
    """Split a lower-case id into the way it is reached and the name to be read."""
    moves = text.startswith("~")
    *path, name = [part for part in text.lstrip("~").replace("%2f", "/").split("/") if part] or [""]
    owner = route = fine_tune = ""
    for part in path:
        if part in vocabulary.OTHER_ROUTES:
            route = part
        elif not _is_a_way(part):
            owner = part
    if name.startswith("ft:"):
        _, name, *whose = name.split(":")
        fine_tune = ":".join(whose) or "unnamed"
    elif name.startswith("ft-"):
        name, fine_tune = name[3:], BASE_OF_TUNES
    name, region, dotted = _undotted(name)
    name, tag, suffix, revision, version = _without_tags(name)
    return Channel(
        name=name,
        owner=owner or dotted,
        route=region or route,
        fine_tune=fine_tune,
        suffix=suffix,
        tag=tag,
        revision=revision,
        moves=moves,
        version=version,
    )


def _is_a_way(part: str) -> bool:
    return part in vocabulary.ROUTES or part.startswith("arn:") or part.isdigit()


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


def _without_tags(name: str) -> tuple[str, str, str, int, str]:
    """Take off `@…`, the cloud's revision and `:…`: name, tag, suffix, revision, version."""
    name, _, tag = name.partition("@")
    revision, version = 0, ""
    found = _CLOUD_REVISION.search(name)
    if found:
        name = name[: found.start()]
        if found[1]:
            version = f"{found[1]}.{found[2]}"
        elif found[3] == "0":
            revision = int(found[2])
        else:
            version = f"{found[2]}.{found[3]}"
        tag = f"{tag}-{found[4][1:]}" if found[4] else tag
    name, _, suffix = name.partition(":")
    if suffix and suffix not in vocabulary.SERVING:
        tag, suffix = f"{tag}-{suffix}", ""
    return name, tag, suffix, revision, version
