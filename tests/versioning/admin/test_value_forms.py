"""Suites, cases, versions, providers and schedules: rows of fields for all that is kept as JSON."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import ModelVersionFactory, ProviderFactory
from tests.versioning.admin.pages import text
from tests.versioning.admin.typed import controls
from tests.versioning.admin.walk import SETTINGS
from versioning.models import EvaluationCase, EvaluationSuite, ModelVersion

pytestmark = pytest.mark.any_database

few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))

written = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\r\t<>&\"' "), max_size=20
)
name = st.text(st.sampled_from("abcXYZ_-.09é"), min_size=1, max_size=12)
number = st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False)
value = st.recursive(
    st.none() | st.booleans() | number | written,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(name, inner, max_size=2),
    max_leaves=4,
)
values = st.dictionaries(name, value, max_size=3)
scorer = (
    st.sampled_from(["exact", "normalised", "json"])
    | st.fixed_dictionaries({"scorer": st.just("exact")}, optional={"weight": st.just(2.5)})
    | st.builds(
        lambda o: {"scorer": "number", "options": o},
        st.fixed_dictionaries(
            {}, optional={"tolerance": st.floats(0, 1e6), "relative": st.integers(0, 10)}
        ),
    )
    | st.builds(lambda p: {"scorer": "regular_expression", "options": {"pattern": p}}, name)
    | st.builds(
        lambda b: {"scorer": "contains", "options": {"case_sensitive": b}, "weight": 3},
        st.booleans(),
    )
    | st.builds(lambda b: {"scorer": "json_schema", "options": {"schema": b}}, st.booleans())
    | st.just({"scorer": "json_schema", "options": {"schema": {"type": "object"}}, "weight": 1})
)
message = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "system", "assistant"]), "content": written}
)
case = st.fixed_dictionaries(
    {"messages": st.lists(message, min_size=1, max_size=3)},
    optional={
        "expected": written | st.just(4),
        "task": name,
        "tags": st.lists(name, max_size=3),
        "weight": st.floats(0.01, 100),
        "variables": st.dictionaries(st.sampled_from(["a", "b"]), written, max_size=2),
        "scorers": st.lists(scorer, max_size=2),
    },
).filter(lambda found: "{{" not in json.dumps(found))
prices = st.lists(
    st.fixed_dictionaries(
        {
            "part": st.sampled_from(["cache_write", "reasoning", "request"]),
            "usd": st.sampled_from(["3.75", "0.10", "6", 2, 0.5]),
        },
        optional={"above": st.integers(0, 10**6), "tier": st.sampled_from(["batch", "priority"])},
    ),
    max_size=3,
    unique_by=lambda row: (row["part"], row.get("above", 0), row.get("tier", "")),
)
parameter_map = st.fixed_dictionaries(
    {},
    optional={
        "rename": st.dictionaries(name, name, max_size=2).filter(
            lambda found: len(set(found.values())) == len(found)
        ),
        "drop": st.lists(name, max_size=3),
        "default": values,
    },
)
options = st.dictionaries(st.sampled_from(["deployment", "author", "search"]), name, max_size=3)


def page_of(row: Model) -> str:
    kind = f"{row._meta.app_label}_{row._meta.model_name}"
    return reverse(f"admin:{kind}_change", args=[row.pk]) + SETTINGS


def shown(client: Client, row: Model) -> dict[str, Any]:
    return controls(text(client.get(page_of(row))), f"{row._meta.model_name}_form")


def saved_unchanged(client: Client, row: Model, field: str) -> None:
    row.full_clean()
    row.save()
    row.refresh_from_db()
    before = getattr(row, field)
    answer = client.post(page_of(row), shown(client, row))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row.refresh_from_db()
    assert getattr(row, field) == before


@pytest.fixture
def suite(db: None) -> EvaluationSuite:
    return EvaluationSuite.objects.create(name="sums", scorers=["number"])


@few
@given(parameters=values)
def test_parameters_of_a_suite(boss: Client, suite: EvaluationSuite, parameters: Any) -> None:
    suite.parameters = parameters
    saved_unchanged(boss, suite, "parameters")


@few
@given(scorers=st.lists(scorer, min_size=1, max_size=4))
def test_scorers_of_a_suite(boss: Client, suite: EvaluationSuite, scorers: Any) -> None:
    suite.scorers = scorers
    saved_unchanged(boss, suite, "scorers")


@few
@given(content=case)
def test_a_case(boss: Client, suite: EvaluationSuite, content: Any) -> None:
    suite.cases.all().delete()
    saved_unchanged(boss, EvaluationCase(suite=suite, key="one", content=content), "content")


@pytest.mark.parametrize("tolerance", [0.0, 2.0, 1e6, 0.25, 5e-324, 1e-10, 3])
@pytest.mark.parametrize("nothing", [{"expected": ""}, {"tags": []}, {"variables": {}}, {}])
def test_a_case_left_alone_keeps_numbers_and_what_is_empty(
    boss: Client, suite: EvaluationSuite, tolerance: float, nothing: dict[str, Any]
) -> None:
    scorer = {"scorer": "number", "options": {"tolerance": tolerance}, "weight": 2.0}
    content = {"messages": [{"role": "user", "content": "?"}], "scorers": [scorer], **nothing}
    saved_unchanged(boss, EvaluationCase(suite=suite, key="one", content=content), "content")


@pytest.mark.parametrize("content", ["\n", "\n\n", "\nbelow", "\r\nbelow", " \n x \n"])
def test_a_text_keeps_its_first_line_break(
    boss: Client, suite: EvaluationSuite, content: str
) -> None:
    said = {"messages": [{"role": "user", "content": content}], "expected": content}
    saved_unchanged(boss, EvaluationCase(suite=suite, key="one", content=said), "content")


@pytest.fixture
def version(db: None) -> ModelVersion:
    version: ModelVersion = ModelVersionFactory()
    return version


@few
@given(found=parameter_map)
def test_a_parameter_map(boss: Client, version: ModelVersion, found: Any) -> None:
    version.parameter_map = found
    saved_unchanged(boss, version, "parameter_map")


@few
@given(found=prices)
def test_further_prices(boss: Client, version: ModelVersion, found: Any) -> None:
    version.other_prices = found
    saved_unchanged(boss, version, "other_prices")


@few
@given(found=options)
def test_options_of_a_provider(boss: Client, db: None, found: Any) -> None:
    provider = ProviderFactory(options=found)
    saved_unchanged(boss, provider, "options")
    provider.delete()


@few
@given(args=st.lists(value, max_size=3), kwargs=values)
def test_arguments_of_a_schedule(boss: Client, db: None, args: Any, kwargs: Any) -> None:
    PeriodicTask.objects.filter(name="mine").delete()
    task = PeriodicTask.objects.create(
        name="mine",
        task="versioning.tasks.check_providers",
        interval=IntervalSchedule.objects.get_or_create(every=5, period="minutes")[0],
        args=json.dumps(args),
        kwargs=json.dumps(kwargs),
    )
    saved_unchanged(boss, task, "args")
    saved_unchanged(boss, task, "kwargs")


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "suite",
        {"scorers-0-scorer": "", "scorers-0-weight": "2"},
        "scorers",
        "This field is required",
    ),
    ("suite", {"scorers-0-weight": "-1"}, "scorers", "above 0, up to 1000"),
    ("suite", {"scorers-0-option_tolerance": "x"}, "scorers", "Write a number, such as 5."),
    ("suite", {"scorers-0-option_tolerance": "-5"}, "scorers", "tolerance must be from 0"),
    (
        "suite",
        {"parameters-row": "0", "parameters-0-name": "temperature", "parameters-0-value": "warm"},
        "parameters",
        "Write a number, such as 0.7",
    ),
    (
        "suite",
        {"parameters-row": ["0", "1"], "parameters-0-name": "a", "parameters-0-value": "1",
         "parameters-1-name": "a", "parameters-1-value": "2"},
        "parameters",
        "“a” stands above already",
    ),
    ("version", {"other_prices-0-part": "request"}, "other_prices", "Write a price"),
    (
        "version",
        {"parameter_map-0-rename-0-name": "max_tokens"},
        "parameter_map",
        "This field is required",
    ),
    ("provider", {"options-0-value": "eu"}, "options", "This field is required"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "typed", "field", "says"), WRONG)
def test_a_wrong_value_is_told_at_its_field_and_kept(
    boss: Client,
    suite: EvaluationSuite,
    version: ModelVersion,
    what: str,
    typed: dict[str, Any],
    field: str,
    says: str,
) -> None:
    row = {"suite": suite, "version": version, "provider": version.tracked_model.provider}[what]
    answer = boss.post(page_of(row), {**shown(boss, row), **typed})
    assert list(answer.context["adminform"].form.errors) == [field]
    page = text(answer)
    assert says in page
    again = controls(page, f"{row._meta.model_name}_form")
    for key, sent in typed.items():
        assert again[key] == (sent if isinstance(sent, list) else [sent])


def test_the_options_of_a_scorer_follow_it(boss: Client, suite: EvaluationSuite) -> None:
    sent = {**shown(boss, suite), "scorers-0-scorer": "latency", "_rows": "scorers:show"}
    page = text(boss.post(page_of(suite), sent))
    assert "The time in milliseconds." in page
    assert "scorers-0-option_limit_ms" in controls(page, "evaluationsuite_form")


@pytest.mark.parametrize(
    "make",
    [
        lambda: EvaluationSuite(name="x", scorers=["exact"], parameters={"": 1}),
        lambda: EvaluationSuite(name="y", scorers=["exact"], parameters={" a ": 1}),
    ],
)
def test_what_no_field_shows_is_json_and_stays(
    boss: Client, db: None, make: Callable[[], EvaluationSuite]
) -> None:
    suite = make()
    saved_unchanged(boss, suite, "parameters")
    assert shown(boss, suite)["parameters-as"] == ["json"]
