"""Which suites are offered for a model: its own, then nobody's, never those of another."""

import pytest
from django.test import Client

from tests.versioning.admin.conftest import open_run, recommend
from tests.versioning.admin.pages import address, text
from versioning.models import EvaluationSuite, Policy, UpgradeRecord
from versioning.services.evaluation import suites

pytestmark = pytest.mark.django_db


def suite(name: str, *, task: str = "", task_of_case: str = "") -> EvaluationSuite:
    made = EvaluationSuite.objects.create(name=name, task=task, scorers=["number"])
    content = {"prompt": "1 + 1?", "expected": "2", "task": task_of_case}
    made.cases.create(key="one", content=content)
    return made


def fitting(record: UpgradeRecord, *, required: tuple[str, ...] = (), task: str = "") -> list[str]:
    found = suites.fitting(
        tracked=record.tracked_model, required=required, tasks={task} if task else set()
    )
    return [each.name for each in found]


def test_a_model_s_own_come_first_and_another_s_never() -> None:
    record, other = recommend(), recommend(name="other")
    suite("a, for anybody")
    suite("b, its task", task="extract")
    suite("c, its task, case by case", task_of_case="extract")
    suite("d, another task", task="chat")
    suite("e, another task, case by case", task_of_case="chat")
    open_run(record, suite=suite("f, run on it"))
    open_run(other, suite=suite("g, run on another"))
    suite("h, required")
    suite("i, required of another")
    Policy.objects.create(
        tracked_model=other.tracked_model, required_suites=["i, required of another"]
    )

    named = fitting(record, required=("h, required",), task="extract")

    assert [name[0] for name in named] == ["b", "c", "f", "h", "a"]


def test_what_was_run_on_both_is_both_s() -> None:
    record, other = recommend(), recommend(name="other")
    shared = suite("shared", task="chat")
    for each in (record, other):
        open_run(each, suite=shared)
        shared.frozen.filter(digest="x").update(digest=f"of {each.pk}")
        assert fitting(each) == ["shared"]


def test_the_sheet_offers_no_other_s(admin_client: Client) -> None:
    record = recommend(evidence={"decision": "NOT ENOUGH EVIDENCE", "uncovered_tasks": ["extract"]})
    suite("for chat", task="chat")
    page = text(admin_client.get(address(record, "change")))
    assert "For evidence:" in page
    assert "run suite for chat" not in page
    assert "write tests" in page

    suite("for extract", task="extract")
    page = text(admin_client.get(address(record, "change")))
    assert "run suite for extract" in page
    assert "run suite for chat" not in page
