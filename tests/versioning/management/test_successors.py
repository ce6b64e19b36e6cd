"""The command that answers lines of JSON, as a shell would use it."""

import io
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from versioning.domain.lineage import LONGEST_LINE
from versioning.management.commands.successors import answer_of, sentence_of

ROOT = Path(__file__).resolve().parents[3]
TODAY = date(2026, 11, 28)
OLD, NEW = "zeta-2-mini-2026-01-10", "zeta-2-mini-2026-06-10"


def question(id: str = OLD, *listed: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"provider": "acme", "id": id, "listed": list(listed), **more}


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Any:
    def ask(*lines: object) -> list[dict[str, Any]]:
        text = b"".join(
            (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n"
            for line in lines
        )
        stdin = io.TextIOWrapper(io.BytesIO(text))
        monkeypatch.setattr(sys, "stdin", stdin)
        out = io.StringIO()
        call_command("successors", "--json", stdout=out)
        return [json.loads(line) for line in out.getvalue().splitlines()]

    return ask


def test_each_line_gets_its_answer_in_order(ask: Any) -> None:
    first, second = ask(
        question(OLD, {"id": OLD}, {"id": NEW}), question(NEW, {"id": OLD}, {"id": NEW})
    )

    assert set(first) == {"id", "successor", "step", "confidence", "reasons", "runners_up"}
    assert (first["id"], first["successor"], first["step"]) == (OLD, NEW, "snapshot")
    assert 0 < first["confidence"] <= 1
    assert first["reasons"]
    assert (second["id"], second["successor"], second["step"]) == (NEW, None, None)
    assert second["runners_up"][0]["id"] == OLD


@pytest.mark.parametrize(
    "line",
    [
        b"nope",
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[]",
        b"7",
        b'{"id": 5, "listed": []}',
        b'{"listed": []}',
        b'{"id": "a"}',
        b'{"id": "a", "listed": "b"}',
        b'{"id": "a", "listed": ["b"]}',
        b'{"id": "a", "listed": [{"name": "b"}]}',
        b'{"id": "", "listed": []}',
        b'{"id": "\\u0000", "listed": []}',
        b'{"id": "' + b"a" * 201 + b'", "listed": []}',
        b" " * (LONGEST_LINE + 5),
    ],
    ids=range(16),
)
def test_a_malformed_line_is_an_error_and_the_rest_goes_on(ask: Any, line: bytes) -> None:
    bad, good = ask(line, question(OLD, {"id": NEW}))

    assert bad["error"]
    assert "successor" not in bad
    assert good["successor"] == NEW


def test_an_error_names_the_model_where_the_line_does(ask: Any) -> None:
    assert ask({"id": "zeta-1", "listed": None})[0]["id"] == "zeta-1"


@pytest.mark.parametrize(
    "field",
    [
        "name",
        "released",
        "created",
        "status",
        "context",
        "output",
        "input_price",
        "output_price",
        "modalities",
        "reasoning",
        "tool_call",
        "structured_output",
        "open_weights",
        "capabilities",
        "aliases",
        "hugging_face_id",
        "revision",
        "deprecated",
        "deprecated_on",
        "retires_on",
        "replacement",
        "replacement_source",
        "replacement_dated",
    ],
)
@pytest.mark.parametrize(
    "value", [None, -1, 1e400, 10**400, "", "x" * 3000, [], [None, {}], {"input": 3}, {"a": []}]
)
def test_a_field_of_the_wrong_kind_counts_as_missing(ask: Any, field: str, value: object) -> None:
    answer = ask(question(OLD, {"id": OLD, field: value}, {"id": NEW, field: value}))[0]

    assert answer["successor"] == NEW


def test_an_unreadable_id_in_the_list_is_passed_over(ask: Any) -> None:
    assert ask(question(OLD, {"id": "\x00"}, {"id": ""}, {"id": NEW}))[0]["successor"] == NEW


def test_what_is_known_beside_the_id_is_used(ask: Any) -> None:
    settled, deprecated, older, ended = ask(
        question("zeta-2", {"id": "zeta-2"}, {"id": "zeta-3"}),
        question("zeta-2", {"id": "zeta-2"}, {"id": "zeta-3", "status": "deprecated"}),
        question(
            "zeta-2",
            {"id": "zeta-2", "released": "2026-05-01"},
            {"id": "zeta-3", "released": "2025-05-01"},
        ),
        question("zeta-2", {"id": "zeta-2"}, {"id": "zeta-3", "retires_on": "2020-01-01"}),
    )

    assert settled["successor"] == "zeta-3"
    assert [deprecated["successor"], older["successor"], ended["successor"]] == [None] * 3


def test_a_stated_replacement_is_quoted_with_its_source_and_date(ask: Any) -> None:
    said = {
        "status": "deprecated",
        "replacement": "omega-1",
        "replacement_source": "https://acme.example/deprecations",
        "replacement_dated": "2026-03-04",
    }
    listed = {"id": "zeta-2", **said}, {"id": "omega-1"}

    in_list, in_question = ask(
        question("zeta-2", *listed), question("zeta-2", {"id": "omega-1"}, **said)
    )

    assert (in_list["successor"], in_list["step"]) == ("omega-1", "replacement")
    assert "4 Mar 2026" in in_list["reasons"][0]
    assert "acme.example" in in_list["reasons"][0]
    assert in_question["step"] == "replacement"


def test_the_family_label_is_not_needed_and_not_believed(ask: Any) -> None:
    answer = ask(
        question("zeta-2", {"id": "zeta-2", "family": "z"}, {"id": "eta-3", "family": "z"})
    )

    assert answer[0]["successor"] is None


def run(text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (our own command)
        [sys.executable, "manage.py", "successors", "--json"],
        cwd=ROOT,
        env={**os.environ, **environment},
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_no_database_is_needed() -> None:
    done = run(
        json.dumps(question(OLD, {"id": NEW})) + "\n",
        DJANGO_SETTINGS_MODULE="config.settings",
        DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing",
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["successor"] == NEW
    assert done.stderr == ""


def test_an_answer_comes_before_the_next_question() -> None:
    with subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, "manage.py", "successors", "--json"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        for _ in range(2):
            running.stdin.write(json.dumps(question(OLD, {"id": NEW})) + "\n")
            running.stdin.flush()
            assert json.loads(running.stdout.readline())["successor"] == NEW
        running.stdin.close()
        assert running.wait(timeout=30) == 0


def test_a_maybe_is_a_step_of_its_own(ask: Any) -> None:
    one, several = ask(
        question("orbit-2", {"id": "orbit-2"}, {"id": "orbit-2-0905"}),
        question("orbit-3", {"id": "orbit-3"}, {"id": "orbit-4-pro"}, {"id": "orbit-4-flash"}),
    )

    assert (one["successor"], one["step"], one["maybes"]) == (
        "orbit-2-0905",
        "maybe",
        ["orbit-2-0905"],
    )
    assert one["confidence"] < 0.3
    assert one["doubt"] in one["reasons"]
    assert (several["successor"], several["step"]) == (None, "maybe")
    assert set(several["maybes"]) == {"orbit-4-pro", "orbit-4-flash"}


def test_a_reader_is_told_of_a_maybe() -> None:
    answer = answer_of(
        json.dumps(question("orbit-2", {"id": "orbit-2"}, {"id": "orbit-2-0905"})).encode(),
        today=TODAY,
    )

    said = sentence_of(answer)

    assert said.startswith("orbit-2: no sure successor. Maybe orbit-2-0905.")


@pytest.mark.parametrize(
    ("facts", "other"),
    [
        ({"input_price": 0.5}, {"input_price": "0.15"}),
        ({"context": 1000}, {"context_length": 9000}),
        ({"parameters": ["a"]}, {"supported_parameters": ["a", "b"]}),
        ({"hf": "acme/orbit-2"}, {"hugging_face_id": "acme/orbit-2-0905"}),
    ],
)
def test_facts_of_the_rows_tell_a_name_from_its_snapshot(
    ask: Any, facts: dict[str, Any], other: dict[str, Any]
) -> None:
    (answer,) = ask(
        question(
            "orbit-2",
            {"id": "orbit-2", "released": "2025-03-14", **facts},
            {"id": "orbit-2-0905", "released": "2025-09-05", **other},
        )
    )

    assert (answer["successor"], answer["step"]) == ("orbit-2-0905", "snapshot")


@pytest.mark.parametrize(
    "said",
    [
        {"status": "deprecated"},
        {"status": "Deprecating"},
        {"status": "LEGACY"},
        {"status": "end-of-life"},
        {"lifecycle_status": "retired"},
        {"deprecated": True},
        {"status": "beta"},
        {"status": "preview"},
    ],
)
def test_what_its_provider_calls_out_is_no_successor(ask: Any, said: dict[str, Any]) -> None:
    sure, maybe = ask(
        question("orbit-2", {"id": "orbit-2"}, {"id": "orbit-3", **said}),
        question("orbit-2", {"id": "orbit-2"}, {"id": "orbit-2-0905", **said}),
    )

    assert (sure["successor"], maybe["successor"]) == (None, None)


def test_the_answer_names_the_id_as_it_was_asked(ask: Any) -> None:
    (answer,) = ask(question("ORBIT-2", {"id": "orbit-2"}, {"id": "orbit-3"}))

    assert (answer["id"], answer["successor"]) == ("ORBIT-2", "orbit-3")
