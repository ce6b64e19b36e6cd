"""How wide an interval must be that holds at every look.

Source: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and
asymptotic confidence sequences", Annals of Statistics 2024.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from .moments import Moments

METHOD = "asymptotic confidence sequence"
ALPHA = 0.05
"""Risk that an interval ever misses the truth, at any of the looks."""

N_OPT = 1000
"""The interval is tightest at about this many samples of both sides (chosen by simulation)."""

FLOOR = 30
"""Samples a side below which the method, being asymptotic, says nothing."""

MOST_SAMPLES = 10**9
"""Beyond this many further samples, waiting is no plan."""

FEWEST_BLOCKS = 20
"""Hours or days with samples before their means can tell of autocorrelation."""

_FEWEST_MERGED = 4
"""Merged neighbours (days made of hours) whose scatter is still looked at."""

_SURPRISE = 0.92
"""One-sided 18 % of the normal distribution: how far block means may scatter by chance. Chosen by
simulation, as cautious as the stopping times of docs/statistics.md allow."""

_ROUNDING = 1e-20
"""Variance that rounding may leave of equal scores."""

_STRONGEST = 0.9
"""Autocorrelation of block means that is believed at most."""


def half_width(*, n: float, variance: float, alpha: float = ALPHA, n_opt: float = N_OPT) -> float:
    """Return the half-width at `n` samples of an estimate whose variance is `variance`.

    h = sqrt(n V) sqrt(2 (n rho^2 + 1) / (n^2 rho^2) ln(sqrt(n rho^2 + 1) / alpha)), with
    rho^2 = (-2 ln alpha + ln(-2 ln alpha + 1)) / n_opt. Two-sided; infinite for n = 0.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is a risk between 0 and 1, not {alpha}.")
    if n <= 0:
        return math.inf
    twice_log = -2 * math.log(alpha)
    scaled = n * (twice_log + math.log(twice_log + 1)) / n_opt
    bracket = 2 * (scaled + 1) / scaled * math.log(math.sqrt(scaled + 1) / alpha)
    return math.sqrt(variance * bracket)


def floored_variance(values: Moments) -> float:
    """Return the variance of values between 0 and 1, never zero.

    At least what one unseen value at the far end would give to a coin with n equal tosses,
    (n + 1) / (n + 2)^2: equal samples are no proof that all will be equal.
    """
    return max(values.variance, (values.n + 1) / (values.n + 2) ** 2)


def design_effect(blocks: Sequence[Moments]) -> float:
    """Return how many times the variance of a mean exceeds that of independent samples.

    `blocks` are the moments per hour or day, in order of time; none means independent samples.
    The scatter of block means is compared with what independence would give (batch means), for
    the blocks as they are and for neighbours merged by two, four, eight, ...: what lasts longer
    than an hour shows in days only. The largest effect counts. Until there are twenty blocks each
    is worth at most 1.5 samples, so that the floor of 30 is met at twenty. At least 1.
    """
    filled = [block for block in blocks if block.n]
    if not filled:
        return 1.0
    sizes = [block.n for block in filled]
    samples = sum(sizes)
    if len(sizes) < FEWEST_BLOCKS:
        return max(1.0, samples * FEWEST_BLOCKS / FLOOR / len(sizes))
    mean = math.fsum(block.n * block.mean for block in filled) / samples
    offsets = [block.mean - mean for block in filled]
    within = math.fsum(block.m2 for block in filled)
    between = math.fsum(n * offset**2 for n, offset in zip(sizes, offsets, strict=True))
    variance = (within + between) / (samples - 1)
    if variance < _ROUNDING:
        return 1.0
    effect = 1.0
    while len(sizes) >= _FEWEST_MERGED:
        effect = max(effect, _excess(sizes, offsets, variance=variance))
        sizes, offsets = _merged(sizes, offsets)
    return effect


def samples_until(*, settled: Callable[[float], bool]) -> int | None:
    """Return the smallest count at which `settled` turns true, None when it never does.

    `settled` must stay true once it is. Exact to one per cent.
    """
    if not settled(MOST_SAMPLES):
        return None
    low, high = 0.0, 1.0
    while not settled(high):
        low, high = high, high * 2
    while high - low > max(0.5, high / 100):
        middle = (low + high) / 2
        low, high = (low, middle) if settled(middle) else (middle, high)
    return math.ceil(high)


def _excess(sizes: Sequence[int], offsets: Sequence[float], *, variance: float) -> float:
    """Return the ratio of the scatter of block means to that of independent samples.

    A ratio that chance gives 18 times in a hundred counts (chi-square, Wilson & Hilferty 1931),
    times (1 + r) / (1 - r) for the lag-1 autocorrelation r of the block means, which is taken one
    standard error above its estimate with the small-sample bias (Kendall 1954) put back.
    """
    freedom = len(sizes) - 1
    between = sum(n * offset * offset for n, offset in zip(sizes, offsets, strict=True))
    ratio = between / freedom / variance
    step = 2 / (9 * freedom)
    if ratio <= (1 - step + _SURPRISE * math.sqrt(step)) ** 3:
        return 1.0
    memory = _memory(offsets)
    return ratio * (1 + memory) / (1 - memory)


def _merged(sizes: Sequence[int], offsets: Sequence[float]) -> tuple[list[int], list[float]]:
    """Put neighbours together; an odd last one stays alone."""
    sums = [size * offset for size, offset in zip(sizes, offsets, strict=True)]
    starts = range(0, len(sizes), 2)
    merged = [sum(sizes[at : at + 2]) for at in starts]
    return merged, [sum(sums[at : at + 2]) / size for at, size in zip(starts, merged, strict=True)]


def _memory(offsets: Sequence[float]) -> float:
    count = len(offsets)
    squares = sum(offset * offset for offset in offsets)
    raw = sum(a * b for a, b in zip(offsets, offsets[1:], strict=False)) / squares
    cautious = raw + (1 + 3 * raw) / count + 1 / math.sqrt(count)
    return min(_STRONGEST, max(0.0, cautious))
