"""The decision sheet says what the evidence says, in the same words."""

from versioning.admin import decision_sheet
from versioning.domain.evidence import read


def task(*, coverage: float = 1.0, needed: object = None) -> decision_sheet.TaskRow:
    """Return the row of a task in stored evidence."""
    quality = {
        "n_current": 2332,
        "n_candidate": 1570,
        "coverage_current": coverage,
        "coverage_candidate": 1.0,
    }
    part = {"name": "extract", "quality": quality, "judgement": {"needed": needed}}
    (row,) = decision_sheet.of_evidence(read({"tasks": [part]})).tasks
    return row


def test_beside_the_scores_stands_which_share_of_requests_has_one() -> None:
    assert task(coverage=0.875).scores == "2,332 / 1,570 (88% / 100% scored)"
    assert task().scores == "2,332 / 1,570"


def test_what_is_needed_is_said_in_the_words_of_the_sentence() -> None:
    words = "150 to 900 more samples, 2 to 9 weeks"
    assert task(needed={"samples": 142, "words": words}).needed == words
    assert task(needed={"samples": 142, "days": 71}).needed == ""  # kept before there were words
    assert task().needed == ""
