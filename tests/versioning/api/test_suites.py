"""Suites, their cases, and what people say to a run's pairs, over HTTP."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW, ModelVersionFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.models import EvaluationCase, EvaluationRun, EvaluationSuite, FrozenSuite, Trial
from versioning.services.evaluation import suites

pytestmark = pytest.mark.django_db

SUITES = "/api/evaluation-suites"
SUITE = {"name": "sums", "scorers": ["number"]}
CASES = [{"key": f"c{n}", "prompt": f"What is {n} + 4?", "expected": str(n + 4)} for n in range(3)]


@pytest.fixture
def address(api: Api) -> str:
    where: str = api.post(SUITES, SUITE)["Location"]
    return where


class TestSuites:
    def test_one_is_made_with_its_limits_and_changed(self, api: Api) -> None:
        judge = tracked()

        made = api.post(SUITES, {**SUITE, "budget_usd": "1.5", "parameters": {"temperature": 0}})
        changed = api.patch(made["Location"], {"keep_outputs": True, "judge": judge.pk}).json()

        assert made.status_code == 201
        assert made.json()["max_tokens"] == 1024
        assert made.json()["cases"] == 0
        assert changed == {
            **made.json(),
            "keep_outputs": True,
            "judge": judge.pk,
        }
        assert changed == api.get(made["Location"]).json()
        assert EvaluationSuite.objects.get().history.first().history_change_reason

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"scorers": []}, "/scorers"),
            ({"scorers": ["magic"]}, "/scorers"),
            ({"parameters": [1]}, "/parameters"),
            ({"parameters": {"stop": "\0"}}, "/parameters"),
            ({"max_tokens": 0}, "/max_tokens"),
            ({"requests_per_minute": 2**31}, "/requests_per_minute"),
            ({"budget_tokens": 2**63}, "/budget_tokens"),
            ({"budget_usd": "-1"}, "/budget_usd"),
            ({"margin": "1.5"}, "/margin"),
            ({"name": ""}, "/name"),
            ({"judge": 0}, "/judge"),
            ({"case_count": 3}, "/case_count"),
        ],
    )
    def test_what_can_not_be_is_422_and_named(
        self, api: Api, address: str, change: dict[str, Any], pointer: str
    ) -> None:
        problem = assert_problem(api.patch(address, change), 422, "invalid")

        assert problem["errors"][0]["pointer"] == pointer

    def test_a_name_is_there_once(self, api: Api, address: str) -> None:
        other = api.post(SUITES, {**SUITE, "name": "other"})["Location"]

        for answer in (api.post(SUITES, SUITE), api.patch(other, {"name": "sums"})):
            problem = assert_problem(answer, 422, "invalid")
            assert problem["errors"][0]["pointer"] == "/name"

    def test_a_change_on_what_somebody_else_changed_is_412(self, api: Api, address: str) -> None:
        read = api.get(address)["ETag"]

        assert api.patch(address, {"repeats": 2}, If_Match=read).status_code == 200
        assert_problem(api.patch(address, {"repeats": 3}, If_Match=read), 412, "changed-since")
        assert EvaluationSuite.objects.get().repeats == 2


class TestCases:
    @pytest.fixture
    def filled(self, api: Api, address: str) -> str:
        assert api.post(f"{address}/cases", {"cases": CASES}).json()["new"] == 3
        return address

    def test_they_are_listed_found_changed_and_removed(self, api: Api, filled: str) -> None:
        rows = api.get(f"{filled}/cases").json()["results"]
        one = f"{filled}/cases/{rows[0]['id']}"

        content = {**rows[0]["content"], "expected": "5"}
        changed = api.patch(one, {"content": content, "key": "four"}).json()

        assert [row["key"] for row in rows] == ["c0", "c1", "c2"]
        assert (changed["key"], changed["content"]["expected"]) == ("four", "5")
        assert changed == api.get(one).json()
        (found,) = api.get(f"{filled}/cases?search=FOUR").json()["results"]
        assert found == changed
        assert api.delete(one).status_code == 204
        assert_problem(api.get(one), 404, "not-found")
        assert EvaluationCase.objects.count() == 2

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"content": {"expected": "x"}}, "/content"),
            ({"content": [1]}, "/content"),
            ({"content": {"prompt": "a\0"}}, "/content"),
            ({"key": ""}, "/key"),
            ({"key": "c1"}, ""),
        ],
    )
    def test_what_is_no_case_is_422(
        self, api: Api, filled: str, change: dict[str, Any], pointer: str
    ) -> None:
        row = api.get(f"{filled}/cases").json()["results"][0]

        answer = api.patch(f"{filled}/cases/{row['id']}", change)

        assert assert_problem(answer, 422, "invalid")["errors"][0]["pointer"] == pointer

    def test_a_case_of_another_suite_is_404(self, api: Api, filled: str) -> None:
        other = api.post(SUITES, {**SUITE, "name": "other"})["Location"]
        case = EvaluationCase.objects.first()
        assert case is not None

        for ask in (api.get, api.delete):
            assert_problem(ask(f"{other}/cases/{case.pk}"), 404, "not-found")

    @pytest.mark.parametrize("form", ["jsonl", "csv"])
    def test_a_file_that_is_handed_out_is_taken_in_again(
        self, api: Api, filled: str, form: str
    ) -> None:
        media = {"jsonl": "application/jsonl", "csv": "text/csv"}[form]
        file = api.get(f"{filled}/cases/file?form={form}")
        other = api.post(SUITES, {**SUITE, "name": "other"})["Location"]

        taken = api.post(f"{other}/cases/file", file.content, Content_Type=media)

        assert file["Content-Type"].startswith(media)
        assert file["Content-Disposition"].endswith(f'.{form}"')
        assert taken.json() == {
            "new": 3,
            "changed": 0,
            "unchanged": 0,
            "removed": 0,
            "not_removed": 0,
            "rejected": [],
        }
        again = api.post(f"{other}/cases/file", file.content, Content_Type=media).json()
        assert (again["new"], again["changed"], again["unchanged"]) == (0, 0, 3)
        first, second = (
            suites.cases_of(EvaluationSuite.objects.get(name=name)) for name in ("sums", "other")
        )
        assert first == second

    def test_rows_of_a_file_that_can_not_be_used_are_named(self, api: Api, filled: str) -> None:
        text = io.StringIO()
        csv.writer(text).writerows([["key", "prompt"], ["c0", "Again?"], ["c9", ""]])

        taken = api.post(
            f"{filled}/cases/file?replace=true", text.getvalue().encode(), Content_Type="text/csv"
        ).json()

        assert (taken["new"], taken["changed"], taken["removed"]) == (0, 1, 0)
        assert [row["row"] for row in taken["rejected"]] == [2]
        # The row that can't be used may be about any of the others: none of them is lost.
        assert taken["not_removed"] == 2
        assert EvaluationCase.objects.count() == 3

    def test_a_file_may_be_larger_than_a_body_of_json(self, api: Api, filled: str) -> None:
        line = json.dumps({"key": "long", "prompt": "x" * 100_000}).encode() + b"\n"
        lines = b"".join(line.replace(b"long", b"long-%d" % n) for n in range(15))

        taken = api.post(f"{filled}/cases/file", lines, Content_Type="application/jsonl")

        assert taken.json()["new"] == 15
        assert_problem(api.post(f"{filled}/cases", {"cases": ["x" * 2**20]}), 413, "too-large")

    @pytest.mark.parametrize(
        ("body", "media", "status", "code"),
        [
            (b"\xff\xfe", "text/csv", 422, "invalid"),
            (b'{"prompt": "\\u0000"}', "application/jsonl", 422, "invalid"),
            (b'{"prompt": "x", "tags": ["\\ud800"]}', "application/jsonl", 422, "invalid"),
            (b"{}", "application/json", 415, "unsupported-media-type"),
        ],
    )
    def test_what_is_no_file_of_cases_is_refused(
        self, api: Api, filled: str, body: bytes, media: str, status: int, code: str
    ) -> None:
        assert_problem(api.post(f"{filled}/cases/file", body, Content_Type=media), status, code)

    def test_the_same_file_sent_again_with_its_key_changes_nothing(
        self, api: Api, address: str
    ) -> None:
        line = json.dumps(CASES[0]).encode()
        headers = {"Content_Type": "application/jsonl", "Idempotency_Key": "k"}

        first = api.post(f"{address}/cases/file", line, **headers)
        again = api.post(f"{address}/cases/file", line, **headers)

        assert again["Idempotent-Replayed"] == "true"
        assert again.json() == first.json()


class TestPairs:
    @pytest.fixture
    def run(self, api: Api, address: str) -> EvaluationRun:
        suite = EvaluationSuite.objects.get()
        frozen = FrozenSuite.objects.create(
            suite=suite, digest="d", content={}, case_count=3, frozen_at=NOW
        )
        current = tracked().current_version
        assert current is not None
        run = EvaluationRun.objects.create(
            frozen=frozen,
            from_version=current,
            to_version=ModelVersionFactory(tracked_model=current.tracked_model),
            state="done",
            asked_by="x",
            created_at=NOW,
            total=6,
            estimated_tokens=1,
            estimated_seconds=1,
        )
        for n in range(3):
            for arm, score in (("current", 0.5), ("candidate", 1.0)):
                Trial.objects.create(
                    run=run, case_key=f"c{n}", repeat=1, arm=arm, done_at=NOW, score=score,
                    outcome="scored", output=f"{arm} {n}",
                )  # fmt: skip
        return run

    def test_they_are_read_page_by_page(self, api: Api, run: EvaluationRun) -> None:
        first = api.get(f"/api/evaluation-runs/{run.pk}/pairs?limit=2").json()
        second = api.get(first["next"]).json()

        keys = [pair["case_key"] for pair in first["results"] + second["results"]]
        assert keys == ["c0", "c1", "c2"]
        pair = first["results"][0]
        assert (pair["current_score"], pair["candidate_score"]) == (0.5, 1.0)
        assert pair["candidate"]["output"] == "candidate 0"
        assert second["next"] is None

    @pytest.mark.parametrize("limit", [1, 3])
    def test_a_page_takes_the_same_queries_for_any_number(
        self, api: Api, run: EvaluationRun, limit: int
    ) -> None:
        address = f"/api/evaluation-runs/{run.pk}/pairs?limit={limit}"
        api.get(address), api.get(address)

        with CaptureQueriesContext(connection) as queries:
            assert len(api.get(address).json()["results"]) == limit

        assert (
            len(queries) == 5
        )  # the key, whether there are teams, the run, the page, both sides of its pairs

    def test_a_mark_is_kept_and_a_later_one_takes_its_place(
        self, api: Api, run: EvaluationRun
    ) -> None:
        address = f"/api/evaluation-runs/{run.pk}/marks"

        api.post(address, {"case_key": "c0", "prefers": "current"})
        kept = api.post(address, {"case_key": "c0", "repeat": 1, "prefers": "candidate"}).json()

        assert kept["prefers"] == "candidate"
        assert api.get(address).json()["results"] == [kept]
        assert_problem(api.post(address, {"case_key": "x", "prefers": "same"}), 404, "not-found")
        assert_problem(api.post(address, {"case_key": "c0", "prefers": "x"}), 422, "invalid")


def test_who_may_only_read_makes_no_suite(with_scopes: Callable[..., Api]) -> None:
    assert_problem(with_scopes("read").post(SUITES, SUITE), 403, "permission-denied")


@pytest.mark.parametrize(
    ("accept", "query", "kind"),
    [
        ("text/csv", "", "text/csv"),
        ("application/jsonl", "", "application/jsonl"),
        ("*/*", "", "application/jsonl"),
        ("application/json", "?form=csv", "text/csv"),
    ],
)
def test_a_file_comes_in_the_form_that_was_asked_for(
    api: Api, accept: str, query: str, kind: str
) -> None:
    made = api.post("/api/evaluation-suites", {"name": "forms", "scorers": ["number"]})

    answer = api.get(f"{made['Location']}/cases/file{query}", Accept=accept)

    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith(kind)
