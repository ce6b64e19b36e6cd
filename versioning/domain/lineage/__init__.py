"""Lineage: which model follows which, read from names that nobody had seen before.

`docs/lineage.md` explains the grammar.
"""

from versioning.domain.lineage.answer import Answer, HeldBack, HeldBy, RunnerUp, Stated, StepKind
from versioning.domain.lineage.identity import Identity, ReleaseStage, Snapshot, UnreadableName
from versioning.domain.lineage.known import Known, Rules, StaffRule
from versioning.domain.lineage.model_index import ModelIndex
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
    "HeldBack",
    "HeldBy",
    "Identity",
    "Known",
    "ModelIndex",
    "Question",
    "StaffRule",
    "Rules",
    "RunnerUp",
    "Snapshot",
    "ReleaseStage",
    "Stated",
    "StepKind",
    "UnreadableName",
    "UnreadableQuestion",
    "family_of",
    "find_successor",
    "is_later_snapshot",
    "parse",
    "read_question",
    "same_model",
]
