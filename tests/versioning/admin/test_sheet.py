"""The decision sheet says what the evidence says, in the same words."""

from versioning.admin import sheet
from versioning.domain.statistics.judgement import Needed


def task(*, coverage: float = 1.0, needed: object = None) -> sheet.TaskRow:
    """Return the row of a task in stored evidence."""
    quality = {
        "n_current": 2332,
        "n_candidate": 1570,
        "coverage_current": coverage,
        "coverage_candidate": 1.0,
    }
    part = {"name": "extract", "quality": quality, "judgement": {"needed": needed}}
    (row,) = sheet.of_evidence({"tasks": [part]}).tasks
    return row


def test_beside_the_scores_stands_which_share_of_requests_has_one() -> None:
    assert task(coverage=0.875).scores == "2,332 / 1,570 (88% / 100% scored)"
    assert task().scores == "2,332 / 1,570"


def test_what_is_needed_is_said_as_in_the_sentence() -> None:
    """142 is "about 150" in the sentence, and so in the table below it."""
    assert task(needed={"samples": 142, "days": 71}).needed == Needed(samples=142, days=71).words
    assert task(needed={"samples": None, "days": None}).needed == Needed(samples=None).words
    assert task().needed == ""
