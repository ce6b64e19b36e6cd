"""Cases: read from files, filled, written back, and named by a hash."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.evaluation.cases import (
    BadCase,
    fill,
    read_case,
    read_csv,
    read_jsonl,
    suite_hash,
    write_csv,
    write_jsonl,
)


def test_jsonl_with_good_and_bad_lines():
    text = "\n".join(
        [
            json.dumps({"prompt": "2 + 2?", "expected": 4, "tags": ["sum"], "weight": 2}),
            "not json",
            json.dumps({"key": "b", "messages": [{"role": "user", "content": "Hello"}]}),
            json.dumps({"key": "b", "prompt": "again"}),
            json.dumps({"prompt": "x", "wight": 2}),
            json.dumps({"expected": "x"}),
        ]
    )
    found = read_jsonl(text)
    assert [case.key for case in found.cases] == ["case-1", "b"]
    assert found.cases[0].expected == "4"
    assert [unread.row for unread in found.unread] == [2, 4, 5, 6]
    assert "'wight' that no case has" in found.unread[2].why
    assert found.unread[3].why == "Row 6 has neither messages nor a prompt."


def test_csv_columns_without_a_name_of_ours_are_variables():
    text = "\ufeffkey,prompt,expected,tags,city\nk,Where is {{ city }}?,Spain,geo; short,Madrid\n"
    (case,) = read_csv(text).cases
    assert case.filled() == [{"role": "user", "content": "Where is Madrid?"}]
    assert case.tags == ("geo", "short")
    assert case.expected == "Spain"


def test_a_template_of_the_suite_serves_rows_with_only_variables():
    (case,) = read_csv("text,expected\nA long story,short\n", template="Shorten: {{text}}").cases
    assert case.filled()[0]["content"] == "Shorten: A long story"


def test_a_csv_row_with_too_many_cells_is_named():
    found = read_csv("prompt,expected\na,b,c\nd,e\n")
    assert found.unread[0].why == "Row 1 has more cells than the header has names."
    assert len(found.cases) == 1


def test_a_missing_value_is_named():
    with pytest.raises(BadCase, match="no value for {{name}}"):
        read_case({"prompt": "Dear {{name}}"}, number=1)


def test_what_a_value_holds_is_never_read_as_a_variable():
    assert fill("{{a}}", {"a": "{{b}}", "b": "secret"}) == "{{b}}"


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=50)
rows = st.fixed_dictionaries(
    {"prompt": texts.map(lambda text: f"Q {text.replace('{', '(')}")},
    optional={
        "expected": texts,
        "task": st.sampled_from(["", "sum"]),
        "tags": st.lists(st.sampled_from(["a", "b", "c"]), max_size=3),
        "weight": st.floats(0.01, 1000),
        "scorers": st.sampled_from([[], ["exact"], [{"scorer": "number", "weight": 2}]]),
    },
)


@given(st.lists(rows, max_size=5))
def test_what_is_written_is_read_again(written):
    cases = read_jsonl("\n".join(json.dumps(row) for row in written)).cases
    assert len(cases) == len(written)
    assert read_jsonl(write_jsonl(cases)).cases == cases
    assert read_csv(write_csv(cases)).cases == cases


def test_the_hash_names_all_that_decides_a_score():
    case = read_case({"key": "a", "prompt": "x", "expected": "1"}, number=1)
    other = read_case({"key": "a", "prompt": "x", "expected": "2"}, number=1)
    hashes = {
        suite_hash(cases=[case], scorers=(), parameters={}),
        suite_hash(cases=[other], scorers=(), parameters={}),
        suite_hash(cases=[case], scorers=(), parameters={"temperature": 0}),
    }
    assert len(hashes) == 3
    assert suite_hash(cases=[case], scorers=(), parameters={}) in hashes
