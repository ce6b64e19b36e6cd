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
        """Return a tick at each end and one in the middle."""
        middle = math.sqrt(self.low * self.high) if self.is_log else (self.low + self.high) / 2
        return [Tick(self.place(figure), say(figure)) for figure in (self.low, middle, self.high)]
