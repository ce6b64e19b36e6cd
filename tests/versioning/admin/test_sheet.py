"""The decision sheet says what the evidence says, in the same words."""

import html
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import NOW
from tests.versioning.admin.conftest import open_run
from tests.versioning.admin.pages import address, text
from versioning.admin import decision_sheet, words
from versioning.admin.layers import ON_THE_SHEET
from versioning.admin.legs import MOST_READ
from versioning.domain.evidence import read
from versioning.models import EvaluationRun, ModelVersion, Trial, UpgradeRecord, UpgradeStep


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
    assert decision_sheet.of_evidence(read(kept)).first_reasons == [words.sentence(gate["reason"])]


@pytest.mark.django_db
def test_ids_can_be_copied_and_addresses_are_links(viewer: Client, record: UpgradeRecord) -> None:
    ModelVersion.objects.filter(pk=record.to_version_id).update(
        migration_notes="See https://example.com/guide first."
    )

    page = text(viewer.get(address(record, "change")))

    assert 'data-copy="zeta-writer-2"' in page
    assert '<a href="https://example.com/guide"' in page


class TestLegs:
    """Live requests and tests side by side; what the tests say is what the evidence names."""

    @pytest.fixture
    def run(self, record: UpgradeRecord) -> EvaluationRun:
        """A run over four cases: one better, one worse, one the same, one that nobody answered."""
        run = open_run(record)
        run.trials.all().delete()
        scores = {"rose": (0.2, 0.9), "fell": (1.0, 0.5), "stayed": (0.7, 0.7), "lost": (0.7, None)}
        for case, both in scores.items():
            for arm, score in zip(Trial.Arm.values[:2], both, strict=True):
                outcome = "error" if score is None else "complete"
                run.trials.create(
                    case_key=case, repeat=1, arm=arm, score=score, outcome=outcome, done_at=NOW
                )
        test = {"run": run.pk, "suite": "sums", "verdict": "not_worse", "sentence": "As good."}
        UpgradeRecord.objects.filter(pk=record.pk).update(evidence={"tests": [test]})
        return run

    def test_what_has_no_score_is_not_called_unchanged(
        self, viewer: Client, record: UpgradeRecord, run: EvaluationRun
    ) -> None:
        page = text(viewer.get(address(record, "change")))

        legs = page[page.index('id="test-leg"') :]
        assert "1 case got better" in legs
        assert "1 case got worse" in legs
        assert "1 case stayed as it was." in legs
        assert "1 case can't be compared: an answer has no score." in html.unescape(legs)

    def test_newer_looks_take_no_leg_away(
        self, viewer: Client, record: UpgradeRecord, run: EvaluationRun
    ) -> None:
        """Of what was measured the page shows the newest alone; a canary looks every hour."""
        for hour in range(ON_THE_SHEET + 1):
            UpgradeStep.objects.create(
                record=record, before="recommended", after="recommended",
                at=NOW + timedelta(hours=hour), actor_kind="scheduler", actor_name="scheduler",
                evidence={"sentence": f"Look {hour}"},
            )  # fmt: skip
        assert 'id="test-leg"' in text(viewer.get(address(record, "change")))

    def test_a_run_of_thousands_is_counted_on_its_own_page(
        self, viewer: Client, record: UpgradeRecord, run: EvaluationRun
    ) -> None:
        EvaluationRun.objects.update(total=MOST_READ + 1)

        page = text(viewer.get(address(record, "change")))

        assert "too many cases to count here" in page
        assert "case got better" not in page
        assert reverse("admin:versioning_evaluationrun_change", args=[run.pk]) in page
