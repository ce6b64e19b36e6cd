"""Forms of pages that call a service, and fields that read better than JSON."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from providers.models import Provider
from versioning.domain.memory import Wake, WakeKind
from versioning.models import ApiKey, Team, TrackedModel
from versioning.services import clock, teams
from versioning.services.errors import Invalid
from versioning.services.teams import Caller

OWN = "own"
DAY_ATTRS = {"type": "date"}
SNOOZE_DAYS = 14
WHY_AGAINST = gettext_lazy(
    "The evidence doesn't speak for it: say why you go on. Kept with the step."
)


def add_errors(
    form: forms.Form,
    error: Invalid,
    *,
    otherwise: str = "",
    renamed: Mapping[str, str] | None = None,
) -> None:
    """Show what a service found wrong by the field that it is about.

    ``renamed`` are fields that the form calls otherwise; ``otherwise`` is the field for an error
    that names none.
    """
    for problem in error.errors:
        field = problem.pointer.strip("/").split("/")[0]
        field = (renamed or {}).get(field, field)
        form.add_error(field if field in form.fields else None, problem.detail)
    if not error.errors:
        form.add_error(otherwise or None, str(error))


if TYPE_CHECKING:
    _TrackedModelForm = forms.ModelForm[TrackedModel]
else:
    _TrackedModelForm = forms.ModelForm


class LinesField(forms.CharField):
    """A list of texts, one to a line."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self, *, most: int = 500, **kwargs: Any) -> None:
        self.most = most
        super().__init__(required=False, **kwargs)
        self.widget.attrs.setdefault("rows", 4)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(item) for item in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = [line.strip() for line in str(value or "").splitlines()]
        return list(dict.fromkeys(line for line in lines if line))

    def validate(self, value: Any) -> None:
        too_long = [line for line in value if len(line) > self.most]
        if too_long:
            raise forms.ValidationError(
                _("One line is longer than %(most)s characters: %(too_long)s…")
                % {"most": self.most, "too_long": too_long[0][:40]}
            )

    def run_validators(self, value: Any) -> None:
        """Text validators don't apply to a list."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


class DecisionForm(forms.Form):
    """A decision that may carry a reason."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=gettext_lazy("Kept with the step, for whoever asks later. May stay empty."),
    )
    field_of_errors = "reason"

    def require_reason(self) -> None:
        """Take no empty reason: the evidence doesn't speak for the decision."""
        reason = self.fields["reason"]
        reason.required = True
        reason.help_text = WHY_AGAINST
        reason.error_messages["required"] = _(
            "Say why: the evidence doesn't speak for it, and whoever asks later reads this."
        )


class ReasonForm(DecisionForm):
    """A decision that needs a reason."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why: the reason stays with the record.")},
        help_text=gettext_lazy("Kept with the step, for whoever asks later."),
    )


class RejectForm(ReasonForm):
    """A rejection, and what must happen before the version is offered again."""

    wake = forms.ChoiceField(
        label=gettext_lazy("Offer it again"),
        required=False,
        choices=[
            (WakeKind.NEVER.value, gettext_lazy("never")),
            (WakeKind.UNTIL.value, gettext_lazy("from a day on")),
            (WakeKind.PRICE.value, gettext_lazy("when it gets cheaper")),
            (WakeKind.RETIREMENT.value, gettext_lazy("before the version in use retires")),
            (WakeKind.NEXT_SNAPSHOT.value, gettext_lazy("only as its next snapshot")),
        ],
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Never, unless you choose what has to happen first."),
    )
    wake_until = forms.DateField(
        label=gettext_lazy("From this day on"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs=DAY_ATTRS),
    )
    wake_percent = forms.DecimalField(
        label=gettext_lazy("Cheaper by, per cent"),
        required=False,
        min_value=1,
        max_value=100,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text=gettext_lazy(
            "Of its price now, input and output together: 20 is a fall by a fifth."
        ),
    )
    wake_days = forms.IntegerField(
        label=gettext_lazy("Days before the retirement"),
        required=False,
        min_value=1,
        max_value=3650,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )
    field_order: Sequence[str] = ("reason", "wake", "wake_until", "wake_percent", "wake_days")

    FIELDS: Mapping[str, str] = {
        WakeKind.UNTIL.value: "wake_until",
        WakeKind.PRICE.value: "wake_percent",
        WakeKind.RETIREMENT.value: "wake_days",
    }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        wanted = self.FIELDS.get(data.get("wake") or "")
        if wanted and wanted not in self.errors and data.get(wanted) is None:
            self.add_error(wanted, _("Needed for what you chose above."))
        for name in self.FIELDS.values():
            if name != wanted and data.get(name) is not None:
                self.add_error(name, _("Leave it empty, or choose what it belongs to above."))
        return data

    def rule(self) -> Wake | None:
        """Return when it may be offered again; None is never."""
        data = self.cleaned_data
        kind = WakeKind(data["wake"] or WakeKind.NEVER)
        if kind is WakeKind.NEVER:
            return None
        fall = data["wake_percent"]
        return Wake(
            kind=kind,
            until=data["wake_until"],
            price_falls_by=None if fall is None else fall / 100,
            days=data["wake_days"],
        )


class SwitchForm(DecisionForm):
    """Why automation goes off or on."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=gettext_lazy("Needed to switch it off: whoever finds it off reads this."),
    )


class ChosenField(forms.MultipleChoiceField):
    """Some of what is known, to tick; nothing ticked is left to the level above (None).

    NONE is an empty list: none of them, whatever the level above says.
    """

    NONE = "__none__"
    keeps_unchanged = True
    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def __init__(self, *, known: Callable[[], Iterable[tuple[str, str]]], **kwargs: Any) -> None:
        def choices() -> list[tuple[str, str]]:
            return [*known(), (self.NONE, _("none of them, whatever is set above"))]

        super().__init__(required=False, choices=choices, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return [self.NONE] if value == [] else value

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Nothing ticked is nothing, not "none of them"."""
        return data or None

    def clean(self, value: Any) -> Any:
        chosen = super().clean(value)
        if self.NONE not in chosen:
            return chosen or None
        if len(chosen) > 1:
            raise forms.ValidationError(_("Tick some, or “none of them”, not both."))
        return []

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class SnoozeForm(DecisionForm):
    """Until when to put a recommendation off."""

    until = forms.DateField(
        label=gettext_lazy("Until"),
        widget=UnfoldAdminTextInputWidget(attrs=DAY_ATTRS),
        error_messages={
            "required": gettext_lazy("Choose the day on which it should come back."),
            "invalid": gettext_lazy("Write a day such as 2026-05-31."),
        },
        help_text=gettext_lazy("It comes back to the inbox at the start of this day."),
    )
    field_order: Sequence[str] = ("until", "reason")
    field_of_errors = "until"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = clock.local_day(clock.now())
        self.fields["until"].initial = (today + timedelta(days=SNOOZE_DAYS)).isoformat()
        self.fields["until"].widget.attrs["min"] = (today + timedelta(days=1)).isoformat()

    def clean_until(self) -> datetime:
        return clock.start_of(self.cleaned_data["until"])


class TrackForm(forms.Form):
    """Which model to track, and under which name."""

    provider = forms.ModelChoiceField(
        Provider.objects.none(),
        empty_label=gettext_lazy("Choose a provider"),
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("The service that lists and serves the model."),
    )
    upstream_id = forms.CharField(
        label=gettext_lazy("Model"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(
            attrs={
                "autocomplete": "off",
                "placeholder": gettext_lazy("Type to search the provider's list"),
            }
        ),
        help_text=gettext_lazy(
            "The id that the provider's API takes. Pick it from the list below, or write it "
            "if the provider has not been checked yet."
        ),
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy(
            "The stable name your applications ask for; it stays the same through every "
            "upgrade. Leave it empty to use the last part of the id."
        ),
    )
    owner = forms.EmailField(
        label=gettext_lazy("Owner"),
        required=False,
        widget=UnfoldAdminEmailInputWidget,
        help_text=gettext_lazy("Who hears of retirement dates. Leave empty if nobody needs to."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        providers = Provider.objects.filter(enabled=True).order_by("name")
        cast("forms.ModelChoiceField[Provider]", self.fields["provider"]).queryset = providers

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("name"):
            data["name"] = str(data.get("upstream_id", "")).rsplit("/", 1)[-1]
        return data


class ApiKeyForm(forms.Form):
    """A new key of an application."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Which application uses it, such as checkout-service."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes"),
        choices=ApiKey.Scope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"required": gettext_lazy("Choose at least one.")},
        help_text=gettext_lazy("Give as few as it needs."),
    )
    whose = forms.ChoiceField(
        label=gettext_lazy("Whose"),
        choices=[
            ("service", gettext_lazy("a service's")),
            (OWN, gettext_lazy("my own: what it approves, I approve")),
        ],
        initial="service",
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy(
            "Where several people must approve, a service's key counts for nobody."
        ),
    )
    team = forms.ModelChoiceField(
        Team.objects.order_by("name"),
        label=gettext_lazy("Team"),
        required=False,
        empty_label=gettext_lazy("none"),
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("It decides on this team's models, and sees them."),
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Expires on"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs=DAY_ATTRS),
        help_text=gettext_lazy("Leave empty for a key that doesn't expire."),
    )

    def __init__(self, *args: Any, caller: Caller, **kwargs: Any) -> None:
        """Offer the caller's own teams: a key of another would let them in."""
        super().__init__(*args, **kwargs)
        mine = Team.objects.exclude(pk__in=teams.foreign(caller)).order_by("name")
        cast("forms.ModelChoiceField[Team]", self.fields["team"]).queryset = mine

    def clean_expires_on(self) -> datetime | None:
        day = self.cleaned_data["expires_on"]
        return None if day is None else clock.start_of(day)


class TrackedModelForm(_TrackedModelForm):
    """What staff may change of a tracked model."""

    class Meta:
        model = TrackedModel
        fields = ("team", "owner", "notes", "active", "allow_previews")
