"""Every figure of a request, declared once: how a sample tells it, and what sums keep of it.

Fields of samples, columns of the tables, sums and their rebuild, answers of the API, pages and the
table in docs/samples.md follow from here. To add one, add a row to ``FIGURES`` and a migration.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Unit(StrEnum):
    """What a sample's value is, and so its range, its column and how it is written."""

    SCORE = "from 0 to 1"
    MILLISECONDS = "milliseconds"
    USD = "USD"
    TOKENS = "tokens"
    YES_NO = "true or false"


class Kept(StrEnum):
    """What is kept of many samples; all of it adds up in any order."""

    COUNT = "count"
    COUNTS = "counts by name"
    TOTAL = "total"
    MOMENTS = "count, mean, M2"
    MOMENTS_BY_NAME = "count, mean, M2 by name"
    SKETCH = "sketch"
    RATE = "count of known, count of true"


class Rate(NamedTuple):
    """Of how many requests something is known (``n``), and of how many it is so (``hits``)."""

    n: int = 0
    hits: int = 0

    @property
    def share(self) -> float | None:
        """From 0 to 1; None where it is known of none."""
        return self.hits / self.n if self.n else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """How a sample tells a figure: None or left out is unknown, never 0.

    ``column`` is where it is kept, by default under its name; ``title`` and ``help`` are what the
    admin says of the column. Of a failed request nothing is kept where it is ``of_answered``.
    ``listed`` is the title of its column in lists of samples, empty where they have none.
    """

    name: str
    unit: Unit
    meaning: str
    column: str = ""
    title: str = ""
    help: str = ""
    of_answered: bool = False
    listed: str = ""

    @property
    def kept_as(self) -> str:
        """The name of the column."""
        return self.column or self.name

    @property
    def words(self) -> str:
        """Its name for people: "time to first token"."""
        return self.title.partition(",")[0] or self.name.replace("_", " ")

    @property
    def sentence(self) -> str:
        """What it is, for the description of the API."""
        return f"{self.meaning[0].upper()}{self.meaning[1:]}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What roll-ups keep of a column of samples (``of``); empty where code of its own says what.

    ``answered`` leaves failed requests out. The helps are of its column, or of that of its mean.
    """

    name: str
    kept: Kept
    of: str = ""
    answered: bool = False
    help: str = ""
    help_of_mean: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns in the tables of roll-ups."""
        match self.kept:
            case Kept.MOMENTS:
                return (f"{self.name}_n", f"{self.name}_mean", f"{self.name}_m2")
            case Kept.RATE:
                return (f"{self.name}_n", f"{self.name}_hits")
            case _:
                return (self.name,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure. ``field`` is None where it is counted and no sample tells it as a number."""

    name: str
    field: Field | None = None
    sums: tuple[Sum, ...] = ()


def _tokens(name: str, meaning: str) -> Figure:
    return Figure(
        name=name,
        field=Field(name=name, unit=Unit.TOKENS, meaning=meaning),
        sums=(Sum(name=name, kept=Kept.TOTAL, of=name),),
    )


FIGURES = (
    Figure(
        name="requests",
        sums=(
            Sum(name="samples", kept=Kept.COUNT),
            Sum(
                name="served_otherwise",
                kept=Kept.COUNT,
                help="Samples that another id than the version's own answered.",
            ),
        ),
    ),
    Figure(
        name="errors",
        sums=(
            Sum(name="errors", kept=Kept.COUNT),
            Sum(name="errors_by_class", kept=Kept.COUNTS),
        ),
    ),
    Figure(
        name="quality",
        field=Field(
            name="quality",
            unit=Unit.SCORE,
            meaning="how good the answer was; leave it out where nobody said",
            help="From 0 to 1; empty without feedback.",
            listed="quality",
        ),
        sums=(
            Sum(name="quality", kept=Kept.MOMENTS, of="quality"),
            # A score that is corrected adds its old value here: both only grow.
            Sum(name="retracted", kept=Kept.MOMENTS),
            Sum(name="components", kept=Kept.MOMENTS_BY_NAME, help="By name: [n, mean, M2]."),
            Sum(name="retracted_components", kept=Kept.MOMENTS_BY_NAME),
        ),
    ),
    Figure(
        name="latency",
        field=Field(
            name="latency_ms",
            unit=Unit.MILLISECONDS,
            meaning="how long the request took",
            title="latency, ms",
            listed="latency",
        ),
        sums=(
            Sum(
                name="latency",
                kept=Kept.MOMENTS,
                of="latency_ms",
                answered=True,
                help="Successful requests with a latency.",
            ),
            Sum(name="latency_sketch", kept=Kept.SKETCH, of="latency_ms", answered=True),
        ),
    ),
    Figure(
        name="ttft",
        field=Field(
            name="ttft_ms",
            unit=Unit.MILLISECONDS,
            meaning="how long the first token took",
            title="time to first token, ms",
        ),
    ),
    Figure(
        name="cost",
        field=Field(
            name="cost_usd",
            unit=Unit.USD,
            meaning="0 is free; left out, it is reckoned from the tokens",
            column="cost_nano_usd",
            title="cost, billionths of a USD",
            help="Empty means unknown, not free.",
            listed="cost",
        ),
        sums=(
            Sum(
                name="cost",
                kept=Kept.MOMENTS,
                of="cost_nano_usd",
                help="Requests whose cost is known.",
                help_of_mean="Billionths of a USD.",
            ),
        ),
    ),
    _tokens("input_tokens", "all tokens of the input"),
    Figure(
        name="output_tokens",
        field=Field(name="output_tokens", unit=Unit.TOKENS, meaning="all tokens of the output"),
        sums=(
            Sum(name="output_tokens", kept=Kept.TOTAL, of="output_tokens"),
            Sum(
                name="output",
                kept=Kept.MOMENTS,
                of="output_tokens",
                answered=True,
                help_of_mean="Output tokens of successful requests.",
            ),
        ),
    ),
    _tokens("cached_tokens", "those of the input that were read from a cache"),
    _tokens("cache_write_tokens", "those of the input that were written to a cache"),
    _tokens("reasoning_tokens", "those of the output that were spent on reasoning"),
)

FIELDS: tuple[Field, ...] = tuple(each.field for each in FIGURES if each.field is not None)
SUMS: tuple[Sum, ...] = tuple(each for figure in FIGURES for each in figure.sums)
