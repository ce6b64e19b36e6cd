"""Scorers: how good is one answer to one test case?

A scorer is one small module; adding one is a class and a line in ``registry``.
"""

from versioning.domain.scoring.base import BadOptions, Output, Score, Scorer
from versioning.domain.scoring.registry import SCORERS, ScorerUse, read_uses, score_output

__all__ = [
    "SCORERS",
    "BadOptions",
    "Output",
    "Score",
    "Scorer",
    "ScorerUse",
    "read_uses",
    "score_output",
]
