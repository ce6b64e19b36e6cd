"""No form of the admin asks for JSON, except of those who choose "as JSON"."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import JSONField, Model
from django.test import Client
from django.urls import reverse

from providers.row_fields import RowForm, RowsField
from tests.versioning.admin.pages import text
from tests.versioning.admin.test_pages import make_rows
from tests.versioning.admin.typed import controls
from versioning.admin.forms import ChosenField, LinesField
from versioning.admin.value_rows import ScorerRow
from versioning.domain.scoring import SCORERS, OptionKind
from versioning.models import EvaluationCase, EvaluationSuite, ModelVersion, Policy

pytestmark = pytest.mark.any_database

FOR_PEOPLE = (RowsField, ChosenField, LinesField, forms.MultipleChoiceField)


@pytest.fixture
def rows(db: None) -> None:
    """One of everything, with something in each field that is kept as JSON."""
    make_rows(1)
    suite = EvaluationSuite.objects.create(
        name="sums",
        scorers=["exact", {"scorer": "number", "options": {"tolerance": 1}}],
        parameters={"temperature": 0},
    )
    EvaluationCase.objects.create(
        suite=suite, key="one", content={"messages": [{"role": "user", "content": "2 + 2?"}]}
    )
    ModelVersion.objects.update(
        parameter_map={"rename": {"a": "b"}, "default": {"c": 1}},
        other_prices=[{"part": "request", "usd": "1"}],
        added_improvements=["Faster"],
    )
    Policy.objects.update(
        canary_steps=[{"weight": 5}], windows=[{"days": ["mon"], "from": "09:00", "to": "10:00"}]
    )


def pages() -> Iterator[tuple[type[Model], str]]:
    """Return each form of the registry: of a new row, and of one that is there."""
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield model, reverse(f"{name}_add")
        row = model._default_manager.order_by("-pk").first()
        if row is not None:
            yield model, reverse(f"{name}_change", args=[row.pk])


def helps(fields: dict[str, forms.Field]) -> Iterator[str]:
    """Return the help texts of fields and of their rows."""
    for field in fields.values():
        yield str(field.help_text)
        if isinstance(field, RowsField):
            yield from helps(field.row.base_fields)


def asked(fields: dict[str, forms.Field]) -> Iterator[str]:
    """Return the names of fields that take JSON, those of rows included."""
    for name, field in fields.items():
        if isinstance(field, forms.JSONField):
            yield name
        if isinstance(field, RowsField):
            yield from asked(field.row.base_fields)


def test_no_form_asks_for_json(boss: Client, rows: None) -> None:
    seen = set()
    for model, address in pages():
        answer = boss.get(address)
        if answer.status_code != 200 or "adminform" not in (answer.context or {}):
            continue
        form = answer.context["adminform"].form
        kept = {field.name for field in model._meta.fields if isinstance(field, JSONField)}
        for name in kept & set(form.fields):
            assert isinstance(form.fields[name], FOR_PEOPLE), f"{address}: {name}"
            seen.add(name)
        assert list(asked(form.fields)) == [], address
        for help_text in helps(form.fields):
            assert not any(sign in help_text for sign in ('{"', '["', "[{", "[]")), (
                f"{address}: {help_text}"
            )
        sent: dict[str, Any] = controls(text(answer), f"{model._meta.model_name}_form")
        written = [n for n, found in sent.items() if "".join(found).strip()[:1] in ("[", "{")]
        assert written == [], f"{address} shows JSON in {written}"
    assert {"canary_steps", "windows", "scorers", "content", "parameter_map", "options"} <= seen


def test_who_may_only_read_sees_words_where_editors_see_fields(viewer: Client, rows: None) -> None:
    for model, address in pages():
        answer = viewer.get(address)
        if model._meta.app_label not in ("providers", "versioning") or answer.status_code != 200:
            continue
        shown = re.findall(r'<div class="readonly[^>]*>(.*?)</div>', text(answer), re.DOTALL)
        assert [each for each in shown if re.match(r"\s*(\[|\{|&#x27;)", each)] == [], address
    policy = text(viewer.get(f"/admin/versioning/policy/{Policy.objects.latest('pk').pk}/change/"))
    assert "Share of the keys: 5 %" in policy
    assert "Days: Mon, From: 09:00, To: 10:00" in policy


def test_only_an_option_that_is_json_by_itself_is_asked_as_json() -> None:
    """Who chooses the scorer json_schema has a schema at hand."""
    for name, scorer in SCORERS.items():
        row: RowForm = ScorerRow(initial={"scorer": name})
        taken = [
            option for option, found in scorer.options.items() if found.kind == OptionKind.JSON
        ]
        assert [each.removeprefix("option_") for each in asked(row.fields)] == taken
        assert taken in ([], ["schema"])


def test_every_textarea_begins_with_a_line_break_that_html_may_drop(
    boss: Client, rows: None
) -> None:
    seen = 0
    for _, address in pages():
        answer = boss.get(address)
        found = re.findall(r"<textarea[^>]*>(.?)", text(answer), re.DOTALL)
        assert set(found) <= {"\n"}, address
        seen += len(found)
    assert seen > 10


def test_no_template_writes_on_a_textarea_s_first_line() -> None:
    found = list((settings.BASE_DIR / "templates").rglob("*.html"))
    assert len(found) > 20
    for template in found:
        assert not re.search(r"<textarea.*>\{[{%]", template.read_text()), template
