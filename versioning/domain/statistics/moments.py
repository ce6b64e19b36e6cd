"""Count, mean and spread that can be added up in any order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self


class MomentsTuple(NamedTuple):
    """Moments as JSON can keep them: a list of five."""

    n: int
    mean: float
    m2: float
    minimum: float | None
    maximum: float | None


class NotAPart(ValueError):
    """These moments can't be taken out of those: they were never part of them."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Sufficient statistics of a set of numbers.

    `m2` is the sum of squared distances from the mean. `minimum` and `maximum` are None when
    there are no numbers, or when a removal made them unknown.
    Source: Chan, Golub & LeVeque, "Algorithms for computing the sample variance", 1983.
    """

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0
    minimum: float | None = None
    maximum: float | None = None

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Return the moments of `values` in two passes; raise ValueError for NaN or infinity."""
        numbers = list(values)
        if not numbers:
            return cls()
        if not all(map(math.isfinite, numbers)):
            raise ValueError("Only finite numbers have a mean.")
        mean = math.fsum(numbers) / len(numbers)
        m2 = math.fsum([(number - mean) ** 2 for number in numbers])
        return cls(len(numbers), mean, m2, min(numbers), max(numbers))

    @classmethod
    def of_binary(cls, *, hits: int, n: int) -> Self:
        """Return the moments of `n` zeros and ones, `hits` of them ones."""
        if not 0 <= hits <= n:
            raise ValueError(f"{hits} hits don't fit into {n} requests.")
        if n == 0:
            return cls()
        low, high = (1.0 if hits == n else 0.0), (1.0 if hits else 0.0)
        return cls(n, hits / n, hits * (n - hits) / n, low, high)

    @classmethod
    def from_tuple(cls, values: Iterable[float | None]) -> Self:
        """Read what `as_tuple` wrote, also after a trip through JSON."""
        n, mean, m2, minimum, maximum = values
        if n is None or mean is None or m2 is None:
            raise ValueError("Moments need n, mean and m2.")
        return cls(int(n), float(mean), float(m2), minimum, maximum)

    @classmethod
    def total(cls, parts: Iterable[Moments]) -> Moments:
        """Return the moments of all parts together."""
        result: Moments = cls()
        for part in parts:
            result = result.merge(part)
        return result

    def as_tuple(self) -> MomentsTuple:
        """Return (n, mean, m2, minimum, maximum)."""
        return MomentsTuple(self.n, self.mean, self.m2, self.minimum, self.maximum)

    @property
    def variance(self) -> float:
        """The unbiased sample variance; 0 for fewer than two numbers."""
        return self.m2 / (self.n - 1) if self.n > 1 else 0.0

    @property
    def sum(self) -> float:
        """The sum of the numbers."""
        return self.n * self.mean

    def add(self, value: float) -> Moments:
        """Return the moments with one more number."""
        return self.merge(Moments.of([value]))

    def merge(self, other: Moments) -> Moments:
        """Return the moments of both sets together; the order doesn't matter."""
        if not other.n:
            return self
        if not self.n:
            return other
        n = self.n + other.n
        delta = other.mean - self.mean
        return Moments(
            n,
            (self.n * self.mean + other.n * other.mean) / n,
            self.m2 + other.m2 + delta * delta * (self.n / n) * other.n,
            _outermost(min, self.minimum, other.minimum),
            _outermost(max, self.maximum, other.maximum),
        )

    __add__ = merge

    def unmerge(self, part: Moments) -> Moments:
        """Return the moments without `part`, which must have been merged before.

        Exact for n; mean and m2 lose digits when almost everything is taken out (cancellation),
        so rebuild from raw rows when few numbers stay. An end that the part may have held becomes
        unknown. Raise NotAPart when more numbers are taken than there are.
        """
        if part.n > self.n:
            raise NotAPart(f"Can't take {part.n} numbers out of {self.n}.")
        if not part.n:
            return self
        n = self.n - part.n
        if not n:
            return Moments()
        mean = self.mean + (self.mean - part.mean) * (part.n / n)
        delta = part.mean - mean
        m2 = self.m2 - part.m2 - delta * delta * (n / self.n) * part.n
        return Moments(
            n,
            mean,
            max(0.0, m2),
            None if part.minimum == self.minimum else self.minimum,
            None if part.maximum == self.maximum else self.maximum,
        )


def _outermost(
    pick: Callable[[float, float], float], mine: float | None, theirs: float | None
) -> float | None:
    return None if mine is None or theirs is None else pick(mine, theirs)
