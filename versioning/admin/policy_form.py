"""The form of a policy: rows, choices, per cent and times; presets that fill it in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldBooleanWidget

from providers.row_fields import FormWithRows, RowForm, RowsField, Unshowable
from versioning.admin.fields import (
    ClockField,
    HoursField,
    LimitField,
    NumberField,
    PercentField,
    WholeField,
    ZoneField,
    json_number,
    plain,
)
from versioning.admin.forms import ChosenField
from versioning.domain import calendar, canary
from versioning.domain.figure_kinds import Limit, Rises
from versioning.domain.figures import LIMITS
from versioning.domain.policy import BY_THEMSELVES
from versioning.domain.presets import PRESETS, PolicyPreset
from versioning.models import EvaluationSuite, Policy, UpgradeRecord

PRESET = "_preset"
"""The name of the buttons that fill the form in."""

_DAY_MINUTES = 24 * 60
_DAY_NAMES = [
    ("mon", gettext_lazy("Mon")),
    ("tue", gettext_lazy("Tue")),
    ("wed", gettext_lazy("Wed")),
    ("thu", gettext_lazy("Thu")),
    ("fri", gettext_lazy("Fri")),
    ("sat", gettext_lazy("Sat")),
    ("sun", gettext_lazy("Sun")),
]

if TYPE_CHECKING:
    _PolicyForm = forms.ModelForm[Policy]
else:
    _PolicyForm = forms.ModelForm


class CanaryStepForm(RowForm):
    """A step of a canary."""

    weight = NumberField(label=gettext_lazy("Share of the keys"), unit="%", max_value=100)
    hours = HoursField(label=gettext_lazy("For at least"), most=canary.MOST_HOURS)
    samples = WholeField(
        label=gettext_lazy("And for at least"),
        unit="samples",
        example="500",
        min_value=0,
        max_value=canary.MOST_SAMPLES,
    )
    deadline = HoursField(
        label=gettext_lazy("Pauses without a verdict after"),
        most=canary.MOST_HOURS,
        help_text=gettext_lazy("Empty is 14 days."),
    )
    approval = forms.BooleanField(
        label=gettext_lazy("And until a person approves"),
        required=False,
        widget=UnfoldBooleanWidget,
    )

    _NAMES: Mapping[str, str] = {
        "weight": "weight",
        "hours": "hours",
        "samples": "samples",
        "deadline": "deadline_hours",
        "approval": "approval",
    }

    @classmethod
    def shown(cls, item: Any) -> dict[str, Any]:
        if not isinstance(item, Mapping) or not set(item) <= set(cls._NAMES.values()):
            raise Unshowable
        found = {field: item[name] for field, name in cls._NAMES.items() if name in item}
        if "samples" in found:
            found["samples"] = plain(found["samples"])
        return found

    def clean_weight(self) -> Decimal:
        weight: Decimal | None = self.cleaned_data["weight"]
        if weight is None or weight <= 0:
            raise forms.ValidationError(_("Write a share over 0 and up to 100 %."))
        return weight

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        held, deadline = data.get("hours") or Decimal(0), data.get("deadline")
        latest = Decimal(canary.DEFAULT_DEADLINE_HOURS) if deadline is None else deadline
        if not self.errors.get("deadline") and latest <= held:
            self.add_error("deadline", _("It must be longer than the step is held for."))
        return data

    def item(self) -> dict[str, Any]:
        data = self.cleaned_data
        found: dict[str, Any] = {"weight": json_number(data["weight"])}
        for field in ("hours", "deadline"):
            if data[field] is not None:
                found[self._NAMES[field]] = json_number(data[field])
        if data["samples"] is not None:
            found["samples"] = data["samples"]
        if data["approval"]:
            found["approval"] = True
        return found

    @classmethod
    def check_together(cls, rows: Sequence["CanaryStepForm"]) -> None:
        for before, after in zip(rows, rows[1:], strict=False):
            least = before.cleaned_data["weight"]
            if after.cleaned_data["weight"] <= least:
                after.add_error(
                    "weight",
                    _("It must be more than the %(least)s %% before.") % {"least": plain(least)},
                )


class WindowRow(RowForm):
    """Hours of some days of the week."""

    days = forms.MultipleChoiceField(
        label=gettext_lazy("Days"),
        choices=_DAY_NAMES,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": gettext_lazy("Tick at least one day.")},
    )
    start = ClockField(label=gettext_lazy("From"))
    end = ClockField(
        label=gettext_lazy("To"),
        help_text=gettext_lazy(
            "At or before the start: on the next day. 22:00 to 06:00 is a night."
        ),
    )
    days.wide = True  # type: ignore[attr-defined]  # over the whole row

    @classmethod
    def shown(cls, item: Any) -> dict[str, Any]:
        found = calendar.Window.read(item)
        if found.start == _DAY_MINUTES:
            raise Unshowable
        return {
            "days": list(found.days),
            "start": _clock_time(found.start),
            "end": _clock_time(found.end % _DAY_MINUTES),
        }

    def item(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "days": data["days"],
            "from": f"{data['start']:%H:%M}",
            "to": f"{data['end']:%H:%M}",
        }


def _clock_time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _read_windows(value: Any) -> list[calendar.Window]:
    """Return what windows mean: 24:00 is the 00:00 of the next day."""
    found = [calendar.Window.read(item) for item in value]
    return [replace(each, end=each.end % _DAY_MINUTES) for each in found]


def _kinds_of_step() -> list[tuple[str, str]]:
    return [(str(step), str(UpgradeRecord.Step(step).label)) for step in BY_THEMSELVES]


def _suites() -> list[tuple[str, str]]:
    """Return all suites, and what policies name that isn't there any more: none falls silently."""
    there = list(EvaluationSuite.objects.order_by("name").values_list("name", flat=True))
    named = Policy.objects.exclude(required_suites=None).values_list("required_suites", flat=True)
    gone = sorted({str(name) for names in named for name in names or ()} - set(there))
    return [
        *((name, name) for name in there),
        *((name, _("%(name)s (not there)") % {"name": name}) for name in gone),
    ]


def _limit_field(limit: Limit, **kwargs: Any) -> forms.Field:
    match limit.rises:
        case Rises.POINTS:
            return PercentField(min_value=0, max_value=100, help_text=limit.asked, **kwargs)
        case Rises.TIMES:
            return LimitField(
                unit="times", factor=1, least=limit.least, help_text=limit.asked, **kwargs
            )
        case Rises.FRACTION:
            return LimitField(unit="%", help_text=limit.asked, **kwargs)


FIELDS: Mapping[str, Callable[..., forms.Field]] = {
    "steps_allowed": lambda **kwargs: ChosenField(
        known=_kinds_of_step,
        help_text=gettext_lazy(
            "The kinds of step that may go by themselves. Tick nothing to take what is set above."
        ),
        **kwargs,
    ),
    "required_suites": lambda **kwargs: ChosenField(
        known=_suites,
        help_text=gettext_lazy(
            "The suites that a version must pass before it moves. Tick nothing to take what "
            "is set above."
        ),
        **kwargs,
    ),
    "canary_steps": lambda **kwargs: RowsField(
        row=CanaryStepForm,
        one=gettext_lazy("step"),
        nullable=True,
        none=gettext_lazy("no canary"),
        these=gettext_lazy("these steps"),
        is_sorted=True,
        reads=canary.read_steps,
        help_text=gettext_lazy(
            "Each step gives the new version a larger share of the keys, and holds for its "
            "time, its samples of the new version and a person's approval. For example 5 % for a "
            "day, "
            "then 50 % for 500 samples."
        ),
        **kwargs,
    ),
    "windows": lambda **kwargs: RowsField(
        row=WindowRow,
        one=gettext_lazy("window"),
        nullable=True,
        none=gettext_lazy("at any time"),
        these=gettext_lazy("in these windows"),
        reads=_read_windows,
        help_text=gettext_lazy("When it may go by itself, such as Mon to Fri from 22:00 to 06:00."),
        **kwargs,
    ),
    "time_zone": lambda **kwargs: ZoneField(help_text=gettext_lazy("Of the windows."), **kwargs),
    "minimum_improvement": lambda **kwargs: PercentField(
        min_value=0,
        max_value=100,
        help_text=gettext_lazy(
            "How much better quality must be to go by itself: exactly 10 % is enough for 10; "
            "0 asks only for not worse."
        ),
        **kwargs,
    ),
    **{limit.setting: partial(_limit_field, limit) for limit in LIMITS},
}
"""Fields that people write otherwise than the model keeps them; each is given label, validators."""


class PolicyForm(FormWithRows, _PolicyForm):
    """What is set for a model, a provider or in general; a preset fills it in."""

    class Meta:
        model = Policy
        fields = "__all__"  # noqa: DJ007 - the page names them

    @property
    def preset(self) -> PolicyPreset | None:
        """The preset whose button was pressed."""
        return PRESETS.get(str(self.data.get(PRESET, ""))) if self.is_bound else None

    @property
    def is_only_changed(self) -> bool:
        return super().is_only_changed or bool(self.is_bound and PRESET in self.data)

    def __getitem__(self, name: str) -> forms.BoundField:
        """Return a field; with what the preset says where one was chosen, else what was typed."""
        if self.preset is not None and name in self.preset.settings:
            filled = type(self)(initial=dict(self.preset.settings), instance=self.instance)
            return filled[name]
        return super().__getitem__(name)
