"""What all plots share: a scale from figures to places, and its ticks."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """``low`` lies at the place ``start`` and ``high`` at ``end``; what is beyond, at the edge.

    With ``is_log`` equal steps are equal ratios; both ends are above 0 then.
    """

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def place(self, figure: float) -> float:
        if self.is_log:
            share = math.log(figure / self.low) / math.log(self.high / self.low)
        else:
            share = (figure - self.low) / (self.high - self.low)
        return round(self.start + (self.end - self.start) * min(1.0, max(0.0, share)), 2)

    def ticks(self, say: Callable[[float], str]) -> list[Tick]:
        """Return ticks at round figures within, two to six of them."""
        find = _round_ratios if self.is_log else _round_steps
        return [Tick(self.place(figure), say(figure)) for figure in find(self.low, self.high)]

    def ends_and_middle(self, say: Callable[[float], str]) -> list[Tick]:
        """Return a tick at each end and one in the middle: no day is rounder than another."""
        middle = (self.low + self.high) / 2
        return [Tick(self.place(figure), say(figure)) for figure in (self.low, middle, self.high)]


ROUND = (1, 2, 5)
WANTED = 4
"""Ticks: fewer tell little of what lies between, more are a crowd on a small plot."""
MOST = 6


def _round_steps(low: float, high: float) -> list[float]:
    """Return figures from low to high whose distance is 1, 2 or 5 times a power of ten."""
    power = math.floor(math.log10(high - low))
    found = [
        [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
        for step in (times * 10.0**each for each in (power, power - 1) for times in ROUND)
    ]
    return min(found, key=lambda figures: abs(len(figures) - WANTED))


def _round_ratios(low: float, high: float) -> list[float]:
    """Return figures from low to high that are 1, 2 or 5 times a power of ten.

    Powers of ten alone, where these are many, and of very many every second one, or so.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [
        figure
        for power in powers
        for times in ROUND
        if low <= (figure := times * 10.0**power) <= high
    ]
    if len(every) <= MOST:
        return every
    tens = [figure for figure in every if math.log10(figure).is_integer()]
    return tens[:: math.ceil(len(tens) / MOST)]
