"""Lineage: which model follows which, read from names that nobody had seen before.

`docs/lineage.md` explains the grammar.
"""

from versioning.domain.lineage.answer import Answer, RunnerUp, Stated, Step
from versioning.domain.lineage.identity import Identity, Snapshot, Stage, UnreadableName
from versioning.domain.lineage.known import Known, Rule, Rules
from versioning.domain.lineage.listing import Listing
from versioning.domain.lineage.parse import family_of, is_later_snapshot, parse
from versioning.domain.lineage.question import (
    LONGEST_LINE,
    Question,
    UnreadableQuestion,
    read_question,
)
from versioning.domain.lineage.successor import find_successor, same_model

__all__ = [
    "LONGEST_LINE",
    "Answer",
    "Identity",
    "Known",
    "Listing",
    "Question",
    "Rule",
    "Rules",
    "RunnerUp",
    "Snapshot",
    "Stage",
    "Stated",
    "Step",
    "UnreadableName",
    "UnreadableQuestion",
    "family_of",
    "find_successor",
    "is_later_snapshot",
    "parse",
    "read_question",
    "same_model",
]
