"""Forms of evaluation: a file of cases, what to run, what a stopped run may spend."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanWidget,
)

from versioning.admin.picking import version_picker
from versioning.domain.evaluation.cases import Imported
from versioning.models import EvaluationSuite, ModelVersion
from versioning.services import teams
from versioning.services.errors import Invalid
from versioning.services.evaluation import suites
from versioning.services.teams import Caller


class CasesForm(forms.Form):
    """A file of cases, read before it is stored; ``content`` carries it to the second step."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=gettext_lazy(
            "JSONL with a case a line, or CSV with a header. See docs/evaluation.md."
        ),
    )
    form = forms.ChoiceField(
        label=gettext_lazy("Form"),
        choices=[("jsonl", "JSONL"), ("csv", "CSV")],
        widget=UnfoldAdminSelectWidget,
    )
    replace = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanWidget,
        label=gettext_lazy("Remove all other cases"),
        help_text=gettext_lazy("Otherwise they stay, and those with the same key are changed."),
    )
    content = forms.CharField(
        label=gettext_lazy("Content"), required=False, strip=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, suite: EvaluationSuite) -> None:
        super().__init__(*args)
        self.suite = suite

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        content = file.read() if file else cleaned.get("content", "").encode()
        if not content.strip():
            raise forms.ValidationError(_("Choose a file with cases."))
        try:
            self.imported = suites.read_file(
                suite=self.suite, content=content, form=cleaned.get("form", "jsonl")
            )
        except Invalid as error:
            raise forms.ValidationError(str(error)) from error
        self.text = content.decode("utf-8-sig")
        return cleaned

    def read(self) -> Imported:
        """Return what the file holds; call it on a valid form."""
        return self.imported


class RunForm(forms.Form):
    """Which version is tested against the one in use, and for how much at most."""

    to_version = forms.ModelChoiceField(
        label=gettext_lazy("Version to test"),
        queryset=ModelVersion.objects.none(),
        help_text=gettext_lazy("It is compared with the version that its model uses now."),
        error_messages={
            "invalid_choice": gettext_lazy(
                "Choose a version that is not gone, of a tracked model of yours that uses another "
                "one."
            )
        },
    )
    budget_usd = forms.DecimalField(
        label=gettext_lazy("Budget, USD"),
        required=False,
        min_value=Decimal(0),
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=gettext_lazy("The run stops before a request that could pass it."),
    )
    budget_tokens = forms.IntegerField(
        label=gettext_lazy("Budget, tokens"),
        required=False,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("Needed where a price is unknown."),
    )

    def __init__(self, *args: Any, caller: Caller, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to_version"]
        field.widget = version_picker()
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = (  # also names the chosen one in the field
                teams.own(ModelVersion.objects.filter(gone_at=None), caller)
                .filter(tracked_model__active=True, tracked_model__current_version__isnull=False)
                .exclude(pk__in=ModelVersion.objects.in_use())
                .select_related("tracked_model__current_version")
                .order_by("tracked_model__name", "-pk")
            )

    def arguments(self) -> dict[str, Any]:
        """Return what to plan; call it on a valid form."""
        version = self.cleaned_data["to_version"]
        return {
            "from_version": version.tracked_model.current_version,
            "to_version": version,
            "budget_usd": self.cleaned_data["budget_usd"],
            "budget_tokens": self.cleaned_data["budget_tokens"],
        }


class GoOnForm(forms.Form):
    """New budgets of a stopped run; empty ones stay as they are."""

    budget_usd = forms.DecimalField(
        label=gettext_lazy("Budget, USD"),
        required=False,
        min_value=Decimal(0),
        widget=UnfoldAdminDecimalFieldWidget,
    )
    budget_tokens = forms.IntegerField(
        label=gettext_lazy("Budget, tokens"),
        required=False,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget,
    )
