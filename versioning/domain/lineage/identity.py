"""What one model id says about the model: an immutable value, slot by slot."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ReleaseStage(StrEnum):
    """How settled a name is, from the least to the most."""

    EXPERIMENTAL = "experimental"
    PREVIEW = "preview"
    STABLE = "stable"
    ALIAS = "alias"  # it moves by itself: `-latest`, `@default`
    ROUTER = "router"  # it chooses a model for each request: `auto`


class UnreadableName(ValueError):
    """The text cannot be a model id."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A date written in an id; `year` and `day` are 0 where the id leaves them out."""

    year: int
    month: int
    day: int

    def on(self) -> date | None:
        """The first day that the snapshot can stand for, or None when the year is not written."""
        return date(self.year, self.month, self.day or 1) if self.year else None

    def __str__(self) -> str:
        parts = [f"{self.year:04d}"] if self.year else []
        parts.append(f"{self.month:02d}")
        if self.day:
            parts.append(f"{self.day:02d}")
        return "-".join(parts)


Version = tuple[int, ...]
_FIRST: tuple[Version, ...] = ((1,),)
# Generations that names write as a word or letter: between one number and the next.
TURBO: Version = (0, 1)  # `gpt-4-turbo`
OMNI: Version = (0, 2)  # `gpt-4o`


def written(version: Version) -> str:
    """Write a version as its names do: 3.5, 4o."""
    if version[1:] == OMNI:
        return f"{version[0]}o"
    if version[1:] == TURBO:
        return f"{version[0]} turbo"
    return ".".join(map(str, version))


@dataclass(frozen=True, slots=True)
class Identity:
    """The slots of one id. An upgrade keeps all of them but generation, snapshot and revision.

    `generation` holds each version number of the name in order, trailing zeros dropped;
    `base` holds the families of other makers that the name mentions (a fine-tune's parent);
    `words` holds what no vocabulary knows, so an unknown word only ever separates lines.
    """

    id: str
    vendor: str = ""
    route: str = ""  # the way that it is reached: `eu`, `azure`, `bedrock/us`
    fine_tune: str = ""  # whose private fine-tune: `ft:…:acme:…`
    words: tuple[str, ...] = ()
    tier: tuple[str, ...] = ()
    size: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    tuning: str = ""  # "instruct", "base" or not said
    context: str = ""
    packaging: tuple[str, ...] = ()  # precision, serving and price variants
    limit: str = ""  # the suffix `24k` of `nova-pro-v1:0:24k`
    generation: tuple[Version, ...] = ()
    base: tuple[tuple[str, Version], ...] = ()
    stage: ReleaseStage = ReleaseStage.STABLE
    snapshot: Snapshot | None = None
    revision: int = 0
    unknown: tuple[str, ...] = ()  # the part of `words` that no vocabulary knows
    says_nothing: bool = False  # an ARN of a customer's own, a UUID, a digest

    @property
    def ordinal(self) -> tuple[Version, ...]:
        """The generation to compare: a name without number is the first of its line."""
        return self.generation or _FIRST

    @property
    def is_preview(self) -> bool:
        return self.stage in (ReleaseStage.PREVIEW, ReleaseStage.EXPERIMENTAL)

    @property
    def moves(self) -> bool:
        """True where what stands behind the name changes without a new name."""
        return self.stage in (ReleaseStage.ALIAS, ReleaseStage.ROUTER)

    @property
    def is_pinned(self) -> bool:
        """True where the id names one snapshot or revision."""
        return self.snapshot is not None or self.revision > 0

    @property
    def is_embedding(self) -> bool:
        return "embedding" in self.kinds
