"""How wide an interval must be that holds at every look.

Source: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and
asymptotic confidence sequences", Annals of Statistics 2024.
"""

from __future__ import annotations

import math

METHOD = "differences of days, asymptotic confidence sequence"
METHOD_VERSION = "4"
"""Raised whenever the same samples may get another verdict; stored with each evidence."""

ALPHA = 0.05
"""Risk that an interval ever misses the truth, at any of the looks."""

N_OPT = 300
"""The interval is tightest at about this many samples of both sides, less what days take away
(chosen by simulation)."""

FLOOR = 30
"""Samples a side below which the method, being asymptotic, says nothing."""


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


def variance_floor(n: float) -> float:
    """Return the least variance that `n` values between 0 and 1 are believed to have.

    What one unseen value at the far end would give to a coin with n equal tosses,
    (n + 1) / (n + 2)^2: equal samples are no proof that all will be equal.
    """
    return (n + 1) / (n + 2) ** 2
