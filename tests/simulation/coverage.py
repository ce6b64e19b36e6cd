"""Feedback that comes as often on both sides, and feedback that doesn't: who is doubted?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from versioning.domain.statistics.cautions import KnownCounts, shares

SEED = 20_260_103
LOOKS = 60

Rates = Callable[[np.random.Generator, int], tuple[float, float]]
"""The shares of requests with feedback on a day, current and candidate."""


def alike(rng: np.random.Generator, day: int) -> tuple[float, float]:
    return 0.3, 0.3


def rare(rng: np.random.Generator, day: int) -> tuple[float, float]:
    return 0.02, 0.02


def common_days(rng: np.random.Generator, day: int) -> tuple[float, float]:
    """A survey comes and goes for everybody."""
    share = float(rng.choice([0.05, 0.6]))
    return share, share


def three_to_one(rng: np.random.Generator, day: int) -> tuple[float, float]:
    return 0.3, 0.1


def three_to_two(rng: np.random.Generator, day: int) -> tuple[float, float]:
    return 0.3, 0.2


def doubted(
    rates: Rates, *, runs: int, per_day: int = 20, clump: int = 1, looks: int = LOOKS
) -> tuple[float, float]:
    """Return how often it is doubted within the looks, and after how many days at the median.

    `clump` requests in a row are of one user, who gives feedback always or never.
    """
    rng = np.random.default_rng(SEED)
    found = []
    for _ in range(runs):
        cells: list[KnownCounts] = []
        for day in range(looks):
            known = [int(rng.binomial(per_day // clump, rate)) * clump for rate in rates(rng, day)]
            cells.append(
                KnownCounts(
                    n_current=per_day,
                    known_current=known[0],
                    n_candidate=per_day,
                    known_candidate=known[1],
                )
            )
            seen = shares(cells)
            if seen is not None and seen.are_unequal:
                found.append(day + 1)
                break
    return len(found) / runs, float(np.median(found)) if found else float("inf")
