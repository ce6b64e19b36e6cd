"""The decision sheet says what the evidence says, in the same words."""

import pytest
from django.test import Client

from tests.versioning.admin.pages import address, text
from versioning.admin import decision_sheet
from versioning.domain.evidence import read
from versioning.models import ModelVersion, UpgradeRecord


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


def test_where_nothing_can_be_compared_it_is_said_once() -> None:
    caution = {"code": "uncovered_tasks", "text": "100% of the traffic is on tasks without scores"}
    reason = "100% of the traffic is on tasks without evidence"
    kept = {
        "sentence": "quality can't be compared: no task has scores of both versions",
        "reasons": [reason],
        "warnings": [caution],
    }
    sheet = decision_sheet.of_evidence(read(kept))
    assert (sheet.warnings, sheet.first_reasons) == ([], [])
    assert list(sheet.reasons) == [reason]  # a click away

    kept["quality"] = {"n_current": 40, "n_candidate": 40}
    assert decision_sheet.of_evidence(read(kept)).warnings == [caution["text"]]


def test_what_surely_fell_is_the_first_reason() -> None:
    gate = {"name": "errors", "status": "passed", "reason": "error rate 6% -> 1%: surely less"}
    kept = {
        "sentence": "Better",
        "decision": "UPGRADE",
        "gates": [gate],
        "reasons": [gate["reason"]],
    }
    assert decision_sheet.of_evidence(read(kept)).first_reasons == [gate["reason"]]


@pytest.mark.django_db
def test_ids_can_be_copied_and_addresses_are_links(viewer: Client, record: UpgradeRecord) -> None:
    ModelVersion.objects.filter(pk=record.to_version_id).update(
        migration_notes="See https://example.com/guide first."
    )

    page = text(viewer.get(address(record, "change")))

    assert 'data-copy="zeta-writer-2"' in page
    assert '<a href="https://example.com/guide"' in page
