"""The forms of a suite and of a case: scorers, parameters, messages and variables in rows."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from providers.row_fields import FormWithRows, ObjectField, RowForm, RowsField, Unshowable
from versioning.admin.fields import NumberField, PercentField, json_number, plain
from versioning.admin.forms import LinesField
from versioning.admin.value_rows import (
    NameField,
    TextField,
    exactly,
    parameters_field,
    scorers_field,
    text_pairs_field,
)
from versioning.domain.evaluation.cases import ROLES
from versioning.domain.scoring import ScorerUse, read_uses
from versioning.models import EvaluationCase, EvaluationSuite

if TYPE_CHECKING:
    _SuiteForm = forms.ModelForm[EvaluationSuite]
    _CaseForm = forms.ModelForm[EvaluationCase]
else:
    _SuiteForm = _CaseForm = forms.ModelForm


class SuiteForm(FormWithRows, _SuiteForm):
    """What a suite asks, and how it scores."""

    scorers = scorers_field(label=gettext_lazy("Scorers"))
    parameters = parameters_field(label=gettext_lazy("Parameters"))
    margin = PercentField(
        label=gettext_lazy("Margin"),
        min_value=0,
        max_value=100,
        help_text=gettext_lazy(
            "How much lower the score may be and still count as not worse: 2 is 2 points of "
            "100. Empty is what fits the number of cases, from 2 to 10."
        ),
    )

    class Meta:
        model = EvaluationSuite
        fields = "__all__"  # noqa: DJ007 - the page names them


class MessageRow(RowForm):
    """One message of a conversation."""

    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=[(role, role) for role in sorted(ROLES)],
        initial="user",
        widget=UnfoldAdminSelectWidget,
    )
    content = TextField(long=True, label=gettext_lazy("Text"), required=False)

    @classmethod
    def shown(cls, item: Any) -> dict[str, Any]:
        if set(item) != {"role", "content"} or not item["content"]:
            raise Unshowable
        return dict(item)

    def item(self) -> dict[str, str]:
        return {"role": self.cleaned_data["role"], "content": self.cleaned_data["content"]}


class CaseRow(RowForm):
    """What a case asks and expects."""

    messages = RowsField(
        label=gettext_lazy("Messages"),
        row=MessageRow,
        one=gettext_lazy("message"),
        is_sorted=True,
        help_text=gettext_lazy(
            "A conversation, such as a user's “2 + 2?”. {{name}} is filled from variables."
        ),
    )
    system = TextField(
        label=gettext_lazy("System"),
        long=True,
        required=False,
        help_text=gettext_lazy("Before the prompt; may stay empty."),
    )
    prompt = TextField(
        label=gettext_lazy("Prompt"),
        long=True,
        required=False,
        help_text=gettext_lazy(
            "Instead of messages. Without either, the suite's template is asked."
        ),
    )
    variables = text_pairs_field(one=gettext_lazy("variable"))
    expected = TextField(
        label=gettext_lazy("Expected"),
        long=True,
        required=False,
        help_text=gettext_lazy("What scorers compare the answer with."),
    )
    task = NameField(
        label=gettext_lazy("Task"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("Such as summarise."),
    )
    weight = NumberField(
        label=gettext_lazy("Weight"),
        help_text=gettext_lazy("How much it counts beside the others; empty is 1."),
    )
    tags = LinesField(
        label=gettext_lazy("Tags"), help_text=gettext_lazy("One to a line, such as short.")
    )
    scorers = scorers_field(
        label=gettext_lazy("Its own scorers"), help_text=gettext_lazy("Instead of the suite's.")
    )
    messages.wide = variables.wide = tags.wide = scorers.wide = True  # type: ignore[attr-defined]

    @classmethod
    def shown(cls, item: Any) -> dict[str, Any]:
        if not isinstance(item, Mapping) or not set(item) <= set(cls.base_fields):
            raise Unshowable
        texts = [item.get(name, "") for name in ("system", "prompt", "expected", "task")]
        tags = item.get("tags", [])
        if not all(isinstance(text, str) for text in [*texts, *tags]) or tags != list(
            dict.fromkeys(tag.strip() for tag in tags if tag.strip())
        ):
            raise Unshowable
        weight = item.get("weight")
        return {**item, "weight": None if weight is None else plain(weight)}

    def item(self) -> dict[str, Any]:
        said = {**self.cleaned_data}
        if said["weight"] is not None:
            said["weight"] = json_number(said["weight"])
        return {name: value for name, value in said.items() if value not in (None, "", [], {})}


def _means(value: Any) -> str:
    """Return what a case's content means; what is empty says nothing."""
    said = {name: each for name, each in value.items() if each not in (None, "", [], {})}
    if "scorers" in said:
        said["scorers"] = [_use(use) for use in read_uses(said["scorers"])]
    if "weight" in said:
        said["weight"] = float(said["weight"])
    return exactly(said)


def _use(use: ScorerUse) -> dict[str, Any]:
    """Return a scorer as it is written, its numbers as forms write them: 0 is 0.0."""
    options = {
        name: json_number(Decimal(str(value))) if isinstance(value, float) else value
        for name, value in use.options.items()
    }
    return {**use.as_dict(), "options": options}


class CaseForm(FormWithRows, _CaseForm):
    """One case of a suite."""

    content = ObjectField(
        row=CaseRow, reads=_means, required=False, label=gettext_lazy("What it asks")
    )

    class Meta:
        model = EvaluationCase
        fields = ("suite", "key", "content")
