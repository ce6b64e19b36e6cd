"""Scorers: how good is one answer to one test case?

A scorer is one small class: of ours a line in ``registry``, of another package an entry point.
"""

from versioning.domain.scoring.base import (
    BadOptions,
    NameTaken,
    Option,
    OptionKind,
    Output,
    Score,
    Scorer,
)
from versioning.domain.scoring.registry import SCORERS, ScorerUse, read_uses, register, score_output

__all__ = [
    "SCORERS",
    "BadOptions",
    "NameTaken",
    "Option",
    "OptionKind",
    "Output",
    "Score",
    "Scorer",
    "ScorerUse",
    "read_uses",
    "register",
    "score_output",
]
