"""What kind of answer was it? Empty, refused, cut off and failed are told apart."""

from enum import StrEnum


class Outcome(StrEnum):
    """How one request of a run ended."""

    COMPLETE = "complete"
    CUT_OFF = "cut_off"
    EMPTY = "empty"
    REFUSED = "refused"
    INCOMPATIBLE = "incompatible"
    """The provider says that this version can't do what the request asks."""
    ERROR = "error"
    """It could not be measured: that is nobody's failure, and the pair is left out."""


SCORES_NOTHING = frozenset({Outcome.EMPTY, Outcome.REFUSED, Outcome.INCOMPATIBLE})
"""The version answered, and gave nothing that could be right."""


def outcome_of(*, text: str, finish: str) -> Outcome:
    """Name the outcome of an answer from its text and the provider's reason for its end.

    ``finish`` is one of stop, length, refusal, tool_calls, other.
    """
    if finish == "refusal":
        return Outcome.REFUSED
    if not text.strip():
        # Reasoning that used up all output is cut off, not empty by choice.
        return Outcome.CUT_OFF if finish == "length" else Outcome.EMPTY
    return Outcome.CUT_OFF if finish == "length" else Outcome.COMPLETE
