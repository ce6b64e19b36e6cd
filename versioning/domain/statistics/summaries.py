"""Summaries of numbers that can be added up in any order: moments, and quantiles to 1 %.

The intervals of a mean, a share and a quantile are for plots, each day by itself: they show how far
a day may be off by chance. No decision rests on them: those that look again and again use
confidence sequences (`intervals`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from .figures import counted

RELATIVE_ERROR = 0.01
"""A quantile is off by at most this fraction of the true value."""

BUCKET_LIMIT = 2048
"""Buckets kept; 1,382 of them reach from a microsecond to 10^6 seconds, so it rarely matters."""

SMALLEST = 1e-9
"""Values below count as zero."""

# Bucket i holds what lies above gamma^(i-1) and up to gamma^i; its middle is off by the error at
# most (Masson, Rim & Lee, "DDSketch", VLDB 2019).
_GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_PER_LOG = 1 / math.log(_GAMMA)
_FORMAT = 1

_BELOW_ALL = -(10**6)
"""The bucket of zeros: below all others."""


class Tail(NamedTuple):
    """All numbers in buckets above one, and a part of those in it."""

    bucket: int
    part: float

    def times(self, ratio: float) -> Tail:
        """Return the tail that begins so many times as high."""
        if self.bucket <= _BELOW_ALL:
            return self
        return Tail(self.bucket + round(math.log(ratio) * _PER_LOG), self.part)


class UnreadableSketch(ValueError):
    """These bytes are no sketch, or of a newer format."""


class Sketch:
    """Counts of positive numbers in buckets whose ends grow by 2 %, and a count of zeros.

    Merging adds counts, so any split and any order give the same sketch. Beyond `BUCKET_LIMIT`
    buckets the lowest are folded together: high quantiles keep their guarantee.
    Source: Masson, Rim & Lee, "DDSketch", VLDB 2019.
    """

    __slots__ = ("_counts", "zeros")

    def __init__(self) -> None:
        self.zeros = 0
        self._counts: dict[int, int] = {}

    @classmethod
    def of(cls, values: Iterable[float]) -> Sketch:
        """Return the sketch of `values`."""
        sketch = cls()
        sketch.add_many(values)
        return sketch

    @property
    def n(self) -> int:
        """How many numbers were added."""
        return self.zeros + sum(self._counts.values())

    @property
    def counts(self) -> dict[int, int]:
        """Bucket -> how many, lowest first; a copy."""
        return dict(sorted(self._counts.items()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sketch):
            return NotImplemented
        return self.zeros == other.zeros and self._counts == other._counts

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def __repr__(self) -> str:
        return f"<Sketch of {self.n}>"

    def add(self, value: float) -> None:
        """Add one number, at least 0; raise ValueError for a negative one, NaN or infinity."""
        self.add_many((value,))

    def add_many(self, values: Iterable[float]) -> None:
        """Add numbers, all or (if one is negative, NaN or infinite: ValueError) none."""
        log, ceil = math.log, math.ceil
        keys: list[int] = []
        zeros = 0
        for value in values:
            if SMALLEST <= value < math.inf:
                keys.append(ceil(log(value) * _PER_LOG))
            elif 0 <= value < SMALLEST:
                zeros += 1
            else:
                raise ValueError(f"A sketch holds finite numbers from 0 up, not {value}.")
        self.zeros += zeros
        self._absorb(Counter(keys).items())

    def merge(self, other: Sketch) -> Sketch:
        """Return a new sketch of both sets of numbers."""
        merged = Sketch()
        merged.zeros = self.zeros + other.zeros
        merged._counts = dict(self._counts)
        merged._absorb(other._counts.items())
        return merged

    __add__ = merge

    def minus(self, part: Sketch) -> Sketch:
        """Return a new sketch without the numbers of `part`, which were merged before."""
        rest = Sketch()
        rest.zeros = max(0, self.zeros - part.zeros)
        rest._counts = dict(Counter(self._counts) - Counter(part._counts))
        return rest

    def quantile(self, q: float) -> float | None:
        """Return the value below which a share `q` (0 to 1) lies; None for an empty sketch."""
        return quantile_of_mixture(parts=[(self, float(self.n))], q=q)

    def tail(self, q: float) -> Tail:
        """Return the tail above the quantile `q`: the bucket it lies in, and which part of it.

        The part is chosen so that exactly 1 - q of the numbers lie in the tail, ties included.
        """
        wanted = (1 - q) * self.n
        for key in sorted(self._counts, reverse=True):
            count = self._counts[key]
            if wanted <= count:
                return Tail(bucket=key, part=wanted / count)
            wanted -= count
        return Tail(bucket=_BELOW_ALL, part=wanted / self.zeros if self.zeros else 0.0)

    def share_in(self, tail: Tail) -> float:
        """Return which share of the numbers lies in a tail, 0 to 1; 0 for an empty sketch."""
        if not self.n:
            return 0.0
        above = sum(count for key, count in self._counts.items() if key > tail.bucket)
        at = self.zeros if tail.bucket <= _BELOW_ALL else self._counts.get(tail.bucket, 0)
        return (above + tail.part * at) / self.n

    def to_bytes(self) -> bytes:
        """Return a compact form: one byte of format, then varints; some hundred bytes as a rule."""
        parts = bytearray([_FORMAT])
        _write_varint(parts, self.zeros)
        _write_varint(parts, len(self._counts))
        previous = 0
        for position, (key, count) in enumerate(sorted(self._counts.items())):
            gap = key - previous
            # Only the first key may be negative: it is written zigzag, the rest as gaps upward.
            _write_varint(parts, gap if position else (gap << 1 if gap >= 0 else (-gap << 1) - 1))
            _write_varint(parts, count)
            previous = key
        return bytes(parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> Sketch:
        """Read what `to_bytes` wrote; raise UnreadableSketch for anything else."""
        numbers = _read_varints(data)
        try:
            if next(numbers) != _FORMAT:
                raise UnreadableSketch("This sketch has a format that this version can't read.")
            sketch = cls()
            sketch.zeros = next(numbers)
            key = 0
            for position in range(next(numbers)):
                step = next(numbers)
                key += step if position else ((step >> 1) if step % 2 == 0 else -((step + 1) >> 1))
                sketch._counts[key] = next(numbers)
        except StopIteration:
            raise UnreadableSketch("This sketch ends too early.") from None
        if next(numbers, None) is not None:
            raise UnreadableSketch("This sketch has bytes left over.")
        return sketch

    def _absorb(self, items: Iterable[tuple[int, int]]) -> None:
        counts = self._counts
        for key, count in items:
            counts[key] = counts.get(key, 0) + count
        if len(counts) > BUCKET_LIMIT:
            by_key = sorted(counts)
            lowest, *_ = kept = by_key[-BUCKET_LIMIT:]
            folded = sum(counts[key] for key in by_key[: -len(kept)])
            self._counts = {key: counts[key] for key in kept}
            self._counts[lowest] += folded


def quantile_of_mixture(*, parts: Sequence[tuple[Sketch, float]], q: float) -> float | None:
    """Return the quantile of a population in which each sketch has the given weight.

    With weight = n this is the quantile of the merged sketch; with other weights, of traffic
    with another mix of tasks. None when no part with a weight holds a number.
    """
    if not 0 <= q <= 1:
        raise ValueError(f"A quantile lies between 0 and 1, not at {q}.")
    zeros = 0.0
    weights: dict[int, float] = {}
    total, samples = 0.0, 0
    for sketch, weight in parts:
        if not sketch.n or weight <= 0:
            continue
        total += weight
        samples += sketch.n
        scale = weight / sketch.n
        zeros += sketch.zeros * scale
        for key, count in sketch.counts.items():
            weights[key] = weights.get(key, 0.0) + count * scale
    if not samples:
        return None
    # The rank of the lower sample quantile, x[floor(q (n - 1))], when weights are counts.
    return _value_at(zeros=zeros, weights=weights, rank=q * (total - total / samples))


def _value_at(*, zeros: float, weights: dict[int, float], rank: float) -> float:
    if zeros > rank or not weights:
        return 0.0
    seen = zeros
    keys = sorted(weights)
    for key in keys:
        seen += weights[key]
        if seen > rank:
            return _middle(key)
    return _middle(keys[-1])


def _middle(key: int) -> float:
    return 2 * math.exp(key / _PER_LOG) / (_GAMMA + 1)


def _write_varint(target: bytearray, number: int) -> None:
    while number > 0x7F:
        target.append(number & 0x7F | 0x80)
        number >>= 7
    target.append(number)


def _read_varints(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            yield number
            number = shift = 0


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
            raise ValueError(f"{hits} hits don't fit into {counted(n, 'request')}.")
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


Z = 1.959964
"""The normal quantile of 97.5 %."""

Interval = tuple[float, float]


def interval_of_mean(found: Moments) -> Interval | None:
    """Return the normal interval of a mean; None under two numbers."""
    return interval_of_weighted_mean({"": found}, weights={"": 1.0})


def interval_of_weighted_mean(
    components: Mapping[str, Moments], *, weights: Mapping[str, float]
) -> Interval | None:
    """Return the interval of a weighted mean of means, taken as independent of each other.

    None where one that counts has fewer than two numbers.
    """
    told = [(weights.get(name, 0.0), one) for name, one in components.items() if one.n]
    told = [(weight, one) for weight, one in told if weight]
    total = math.fsum(weight for weight, _ in told)
    if not total or any(one.n < 2 for _, one in told):
        return None
    mean = math.fsum(weight * one.mean for weight, one in told) / total
    variance = math.fsum((weight / total) ** 2 * one.variance / one.n for weight, one in told)
    reach = Z * math.sqrt(variance)
    return mean - reach, mean + reach


def interval_of_share(*, hits: int, n: int) -> Interval | None:
    """Return the interval of a share, within 0 to 1; None for none (Wilson 1927)."""
    if not n:
        return None
    share, z2 = hits / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def ranks_of_quantile(quantile: float, *, n: int) -> Interval | None:
    """Return the quantiles between which a quantile lies, from 0 to 1; None where n is too small.

    Order statistics, whatever the distribution (Conover 1999, 3.2).
    """
    if not n:
        return None
    reach = Z * math.sqrt(quantile * (1 - quantile) / n)
    low, high = quantile - reach, quantile + reach
    return (low, high) if low > 0 and high < 1 else None
