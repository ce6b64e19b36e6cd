"""Suites and runs in the admin: import with a preview, estimate, start, see, cancel, mark."""

import json
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.factories import NOW, UserFactory
from versioning.models import EvaluationRun, EvaluationSuite, ModelVersion
from versioning.services.evaluation import running

pytestmark = pytest.mark.django_db
ROWS = "\n".join(
    json.dumps({"prompt": f"What is {n} + 4?", "expected": str(n + 4)}) for n in range(12)
)


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(get_user_model().objects.create_superuser("ada"))
    return client


@pytest.fixture
def suite(db: None) -> EvaluationSuite:
    return EvaluationSuite.objects.create(
        name="sums", scorers=["number"], max_tokens=20, budget_usd=Decimal(1), keep_outputs=True
    )


def page(name: str, pk: int) -> str:
    return reverse(f"admin:versioning_{name}", args=[pk])


def test_cases_are_shown_before_they_are_stored(staff: Client, suite: EvaluationSuite) -> None:
    file = SimpleUploadedFile("cases.jsonl", f"{ROWS}\nnot json".encode())
    address = page("evaluationsuite_cases", suite.pk)

    shown = staff.post(address, {"file": file, "form": "jsonl"})
    assert b"12 cases can be stored, 1 can" in shown.content
    assert b"Row 13 is no JSON" in shown.content
    assert suite.cases.count() == 0

    stored = staff.post(address, {"content": ROWS, "form": "jsonl", "store": ""})
    assert stored.status_code == 302
    assert suite.cases.count() == 12
    exported = staff.get(page("evaluationsuite_export", suite.pk)).content.decode()
    assert len(exported.splitlines()) == 12


def test_a_bad_file_is_said_by_the_form(staff: Client, suite: EvaluationSuite) -> None:
    address = page("evaluationsuite_cases", suite.pk)
    file = SimpleUploadedFile("cases.csv", b"\xff\xfe\x00")
    assert b"no UTF-8 text" in staff.post(address, {"file": file, "form": "csv"}).content
    assert b"Choose a file" in staff.post(address, {"form": "csv"}).content


def test_an_estimate_comes_before_the_start(
    staff: Client, suite: EvaluationSuite, candidate: ModelVersion
) -> None:
    staff.post(
        page("evaluationsuite_cases", suite.pk), {"content": ROWS, "form": "jsonl", "store": ""}
    )
    address = page("evaluationsuite_run", suite.pk)

    estimate = staff.post(address, {"to_version": candidate.pk, "budget_usd": "1"})
    assert b"24 requests" in estimate.content
    assert b"The provider doesn&#x27;t say the longest context." in estimate.content
    assert not EvaluationRun.objects.exists()
    assert (
        b"raise it"
        in staff.post(address, {"to_version": candidate.pk, "budget_usd": "0.000001"}).content
    )

    begun = staff.post(address, {"to_version": candidate.pk, "budget_usd": "1", "start": ""})
    run = EvaluationRun.objects.get()
    assert begun["Location"] == page("evaluationrun_change", run.pk)
    assert b"0 of 24 requests" in staff.get(begun["Location"]).content

    running.carry_out_open_runs(clock=lambda: NOW)
    shown = staff.get(begun["Location"]).content
    assert b"24 of 24 requests" in shown
    assert b"Which is better?" in shown
    assert f"sums: zeta 1.0.0 → {candidate.label}" in shown.decode()
    assert page("evaluationsuite_change", suite.pk) in shown.decode()
    assert page("modelversion_change", candidate.pk) in shown.decode()

    mark = {"case_key": "case-1", "repeat": "1", "prefers": "same"}
    staff.post(page("evaluationrun_mark", run.pk), mark)
    assert run.marks.get().prefers == "same"
    answer = staff.post(page("evaluationrun_cancel", run.pk), follow=True)
    assert b"has ended already" in answer.content


def test_a_tiny_cost_is_not_shown_as_none(
    staff: Client, suite: EvaluationSuite, candidate: ModelVersion
) -> None:
    suite.keep_outputs = False
    suite.save()
    staff.post(
        page("evaluationsuite_cases", suite.pk), {"content": ROWS, "form": "jsonl", "store": ""}
    )
    sent = {"to_version": candidate.pk, "budget_usd": "1", "start": ""}
    staff.post(page("evaluationsuite_run", suite.pk), sent)
    running.carry_out_open_runs(clock=lambda: NOW)
    EvaluationRun.objects.update(spent_usd=Decimal("0.00000371"))

    shown = staff.get(page("evaluationrun_change", EvaluationRun.objects.get().pk)).content

    assert b"$0.00000371 and " in shown
    assert b"so far" not in shown  # it has ended
    assert b"The answers were not kept." in shown


def test_a_result_that_a_newer_version_wrote_is_shown_as_it_is(
    staff: Client, suite: EvaluationSuite, candidate: ModelVersion
) -> None:
    staff.post(
        page("evaluationsuite_cases", suite.pk), {"content": ROWS, "form": "jsonl", "store": ""}
    )
    sent = {"to_version": candidate.pk, "budget_usd": "1", "start": ""}
    staff.post(page("evaluationsuite_run", suite.pk), sent)
    running.carry_out_open_runs(clock=lambda: NOW)
    EvaluationRun.objects.update(result={"schema_version": 99, "marvels": "many", "arms": 7})

    shown = staff.get(page("evaluationrun_change", EvaluationRun.objects.get().pk)).content

    assert b"written by a newer version of Hotswap: shown as it is." in shown
    assert b"marvels" in shown


def test_only_those_who_may_start_and_cancel_runs(
    client: Client, suite: EvaluationSuite, candidate: ModelVersion
) -> None:
    client.force_login(UserFactory(is_staff=True))
    assert client.get(page("evaluationsuite_run", suite.pk)).status_code == 403
    assert client.get(page("evaluationsuite_cases", suite.pk)).status_code == 403
    assert client.get(page("evaluationsuite_export", suite.pk)).status_code == 403


def test_scorers_that_can_not_be_used_are_said_by_the_field(staff: Client) -> None:
    address = reverse("admin:versioning_evaluationsuite_add")
    sent = {"name": "x", "scorers": '["nothing"]', "parameters": "{}", "max_tokens": 5}
    answer = staff.post(address, sent)
    assert b"There is no scorer &#x27;nothing&#x27;" in answer.content


def test_lists_ask_the_same_queries_for_any_number_of_rows(
    staff: Client, suite: EvaluationSuite, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        EvaluationSuite.objects.create(name=f"suite {number}", scorers=["exact"])
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        staff.get(reverse("admin:versioning_evaluationsuite_changelist"))
