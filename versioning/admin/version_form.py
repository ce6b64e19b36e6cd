"""The form of a version: what staff say of it."""

from typing import TYPE_CHECKING

from django import forms
from django.utils.translation import gettext_lazy

from providers.row_fields import FormWithRows
from versioning.admin.forms import LinesField
from versioning.admin.value_rows import other_prices_field, parameter_map_field
from versioning.models import ModelVersion

if TYPE_CHECKING:
    _VersionForm = forms.ModelForm[ModelVersion]
else:
    _VersionForm = forms.ModelForm


class VersionForm(FormWithRows, _VersionForm):
    """What staff may say of a version; lists are written one to a line."""

    added_improvements = LinesField(
        label=gettext_lazy("Improvements added by staff"),
        help_text=gettext_lazy(
            "What you know is better, one sentence to a line. Checks never change it."
        ),
    )
    added_breaking_changes = LinesField(
        label=gettext_lazy("Breaking changes added by staff"),
        help_text=gettext_lazy(
            "What you know breaks, one sentence to a line. Checks never change it."
        ),
    )
    input_modalities = LinesField(
        label=gettext_lazy("Input"), help_text=gettext_lazy("One to a line, such as text.")
    )
    output_modalities = LinesField(
        label=gettext_lazy("Output"), help_text=gettext_lazy("One to a line, such as text.")
    )
    parameter_map = parameter_map_field(label=gettext_lazy("Parameter map"))
    other_prices = other_prices_field(label=gettext_lazy("Other prices"))
    parameters = LinesField(
        label=gettext_lazy("Parameters"),
        help_text=gettext_lazy("Request parameters that it accepts, one to a line."),
    )
    capabilities = LinesField(
        label=gettext_lazy("Capabilities"),
        help_text=gettext_lazy("One to a line, such as tools or structured_outputs."),
    )

    class Meta:
        model = ModelVersion
        fields = (
            "label",
            "added_improvements",
            "added_breaking_changes",
            "migration_notes",
            "parameter_map",
            "released_on",
            "deprecated_on",
            "retires_on",
            "retires_precision",
            "retires_source",
            "replacement",
            "replacement_source",
            "input_price",
            "output_price",
            "cached_input_price",
            "other_prices",
            "context_tokens",
            "output_tokens",
            "input_modalities",
            "output_modalities",
            "parameters",
            "capabilities",
        )
