"""What can be declared of a figure: how a sample tells it, what sums keep, what is shown or gated.

``domain.figures`` declares each with these.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple


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


class Says(StrEnum):
    """What a shown figure is; all but counts are None where they are unknown."""

    COUNT = "count"
    COUNTS = "counts by name"
    SHARE = "share of requests"
    SCORE = "from 0 to 1"
    PARTS = "mean and count by name"
    MILLISECONDS = "milliseconds"
    USD = "USD a request"


class Rate(NamedTuple):
    """Of how many requests something is known (``n``), and of how many it is so (``hits``)."""

    n: int = 0
    hits: int = 0

    @property
    def share(self) -> float | None:
        """From 0 to 1; None where it is known of none."""
        return self.hits / self.n if self.n else None


Sums = Any
"""What a function here is given: ``services.samples.rollup_sums.SampleSums``, which has each sum
by its name."""


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
class ShownFigure:
    """What sums show of a figure, by its name in the API.

    ``of`` reckons it from the sums; where it is None, ``services.evidence.performance`` does.
    ``table`` is its title in the table of a version's tasks, ``pair`` that beside another version;
    empty where it isn't there. A table without anything known of an ``optional`` one leaves it out.
    """

    name: str
    says: Says
    of: Callable[[Sums], Any] | None = None
    help: str = ""
    table: str = ""
    pair: str = ""
    optional: bool = False


class Rises(StrEnum):
    """What a limit is of: points of a rate, times a rate, or a fraction of a figure."""

    POINTS = "points"
    TIMES = "times"
    FRACTION = "fraction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A setting of policies: how far a figure may rise. None is no limit.

    ``default`` is built in, and what the normal preset says; ``careful`` and ``fast`` are other
    presets'. ``help`` says what a number as it is kept means, ``asked`` what one in the form does.
    """

    setting: str
    rises: Rises
    default: Decimal | None
    careful: Decimal | None
    fast: Decimal | None
    help: str
    asked: str

    @property
    def least(self) -> int:
        """What the setting must not be below."""
        return 1 if self.rises is Rises.TIMES else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """How a figure is gated: the strictest of its limits holds, and none is no gate.

    ``name`` is what evidence calls the gate, ``title`` its name on pages, ``brief`` in the inbox,
    ``what`` in sentences about evidence, ``subject`` in those about limits. ``unsaid`` is why
    nothing can be said where no task has it of both sides.
    """

    name: str
    title: str
    brief: str
    what: str
    subject: str
    limits: tuple[Limit, ...]
    unsaid: str = ""


class DriftScale(StrEnum):
    """On which scale the daily means of a figure are watched: one on which scatter is even.

    A rate as arcsine of its root, whose scatter doesn't depend on the rate (Anscombe 1948); amounts
    as their logarithm, those that may be none with one more.
    """

    PLAIN = "plain"
    RATE = "rate"
    AMOUNT = "amount"
    AMOUNT_OR_NONE = "amount or none"

    @property
    def takes_zero(self) -> bool:
        """Whether a day whose mean is 0 can be read."""
        return self is not DriftScale.AMOUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftWatch:
    """How a figure is watched for drift: a change of its daily mean that nothing explains.

    ``measure`` is what findings call it for good, ``title`` lists of them, ``words`` sentences;
    ``of`` gives a day's moments, or its rate; where it is None, ``services.evidence.drift`` does.
    """

    measure: str
    title: str
    scale: DriftScale
    of: Callable[[Sums], Any] | None = None
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure. ``field`` is None where it is counted and no sample tells it as a number.

    ``rate`` gives it as a rate, if it is one. ``chart`` is the title of its chart day by day.
    ``watched`` are what of it is watched for drift.
    """

    name: str
    field: Field | None = None
    sums: tuple[Sum, ...] = ()
    shown: tuple[ShownFigure, ...] = ()
    rate: Callable[[Sums], Rate] | None = None
    chart: str = ""
    gated: Gated | None = None
    watched: tuple[DriftWatch, ...] = ()
