"""Rows for what requests, suites and versions are told: values with their kind, scorers, prices."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from providers.row_fields import NamedRow, ObjectField, PairsField, RowForm, RowsField, Unshowable
from versioning.admin.fields import NumberField, WholeField, json_number, plain
from versioning.admin.forms import LinesField
from versioning.domain.evaluation.parameters import read_map
from versioning.domain.pricing import Part, further_prices
from versioning.domain.scoring import SCORERS, Option, OptionKind, read_uses

YES, NO = "yes", "no"
_YES_OR_NO = [(YES, "yes"), (NO, "no")]


class TextField(forms.CharField):
    """A text as it is written, spaces and empty lines included; of any length it may have."""

    def __init__(self, *, long: bool = False, **kwargs: Any) -> None:
        widget = (
            UnfoldAdminTextareaWidget(attrs={"rows": 4})
            if long
            else UnfoldAdminExpandableTextareaWidget(attrs={"rows": 1})
        )
        super().__init__(strip=False, widget=widget, **kwargs)
        self.wide = long

    def to_python(self, value: Any) -> Any:
        return same_lines(super().to_python(value))


def same_lines(value: Any) -> Any:
    """Return a value whose texts end their lines as they do here: browsers send two characters."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, Mapping):
        return {name: same_lines(each) for name, each in value.items()}
    return [same_lines(each) for each in value] if isinstance(value, list) else value


def exactly(value: Any) -> str:
    """Return a value so that only what JSON tells apart differs: 1 is not true."""
    return json.dumps(same_lines(value), sort_keys=True)


class NameField(forms.CharField):
    """A name: one line, no spaces around it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}), **kwargs)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value or value != " ".join(value.split()):
        raise Unshowable
    return value


class ArgumentRow(RowForm):
    """A value of some kind, in its place."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"),
        choices=[
            ("number", gettext_lazy("a number")),
            ("text", gettext_lazy("a text")),
            (YES, gettext_lazy("yes or no")),
            ("json", gettext_lazy("as JSON")),
        ],
        required=False,
        initial="number",
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    value = TextField(label=gettext_lazy("Value"), required=False)

    @classmethod
    def shown(cls, item: Any) -> dict[str, Any]:
        return _shown_value(item)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        try:
            self.read = _read_value(data.get("kind") or "number", data.get("value", ""))
        except ValueError as error:
            self.add_error("value", str(error))
        return data

    def item(self) -> Any:
        return self.read


class ValueRow(NamedRow, ArgumentRow):
    """A name, and a value of some kind."""

    name = NameField(label=gettext_lazy("Name"), max_length=200)
    field_order = ("name", "kind", "value")

    @classmethod
    def shown(cls, item: Any) -> dict[str, Any]:
        name, value = item
        return {"name": _name(name), **_shown_value(value)}

    def item(self) -> Any:
        return self.cleaned_data["name"], self.read


def _shown_value(value: Any) -> dict[str, str]:
    if isinstance(value, bool):
        return {"kind": YES, "value": YES if value else NO}
    if isinstance(value, int | float):
        return {"kind": "number", "value": repr(value)}
    if isinstance(value, str):
        return {"kind": "text", "value": value}
    return {"kind": "json", "value": json.dumps(value, ensure_ascii=False)}


def _read_value(kind: str, text: str) -> Any:
    """Return the value that is written. Raises ValueError with a sentence."""
    if kind == "text":
        return text
    if kind == YES:
        if text.strip().lower() not in (YES, NO):
            raise ValueError(_("Write yes or no."))
        return text.strip().lower() == YES
    if kind == "json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(_("This is no JSON: %(error)s.") % {"error": error}) from error
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError(_("Write a number, such as 0.7, or choose another kind."))
    return int(text) if text.strip().lstrip("+-").isdecimal() else float(number)


class RenameRow(NamedRow):
    """A parameter's name, and what this version calls it."""

    name = NameField(max_length=200, label=gettext_lazy("Old name"))
    value = NameField(max_length=200, label=gettext_lazy("New name"))

    @classmethod
    def shown(cls, item: Any) -> dict[str, Any]:
        name, value = item
        return {"name": _name(name), "value": _name(value)}

    def item(self) -> Any:
        return self.cleaned_data["name"], self.cleaned_data["value"]

    @classmethod
    def check_together(cls, rows: Sequence[Self]) -> None:
        super().check_together(rows)
        seen: set[str] = set()
        for row in rows:
            new = row.cleaned_data.get("value", "")
            if new in seen:
                row.add_error(
                    "value", _("Another parameter is called “%(new)s” already.") % {"new": new}
                )
            seen.add(new)


class TextPairRow(NamedRow):
    """A name, and a text."""

    name = NameField(label=gettext_lazy("Name"), max_length=200)
    value = TextField(label=gettext_lazy("Value"), required=False)

    @classmethod
    def shown(cls, item: Any) -> dict[str, Any]:
        name, value = item
        if not isinstance(value, str):
            raise Unshowable
        return {"name": _name(name), "value": value}

    def item(self) -> Any:
        return self.cleaned_data["name"], self.cleaned_data["value"]


def text_pairs_field(**kwargs: Any) -> PairsField:
    return PairsField(row=TextPairRow, reads=exactly, **kwargs)


class MapRow(RowForm):
    """All that requests must say otherwise."""

    rename = PairsField(
        row=RenameRow, one=gettext_lazy("name"), label=gettext_lazy("Say by another name")
    )
    drop = LinesField(
        label=gettext_lazy("Leave out"),
        help_text=gettext_lazy("Names of parameters, one to a line."),
    )
    default = PairsField(
        row=ValueRow, one=gettext_lazy("value"), label=gettext_lazy("Say unless the request does"),
        help_text=gettext_lazy("For example temperature, a number, 1."),
    )  # fmt: skip
    rename.wide = drop.wide = default.wide = True  # type: ignore[attr-defined]

    @classmethod
    def shown(cls, item: Any) -> dict[str, Any]:
        found = read_map(item)
        for name in found.drop:
            _name(name)
        if len(set(found.drop)) != len(found.drop):
            raise Unshowable
        return {
            "rename": dict(found.rename), "drop": list(found.drop), "default": dict(found.default),
        }  # fmt: skip

    def item(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if value}


def parameter_map_field(**kwargs: Any) -> ObjectField:
    return ObjectField(
        row=MapRow,
        reads=lambda value: same_lines(read_map(value).as_dict()),
        help_text=gettext_lazy(
            "What requests must say otherwise to this version. Applications get it with "
            "current, and the earlier one again after a rollback."
        ),
        **kwargs,
    )


class PriceRow(RowForm):
    """A further price."""

    part = forms.ChoiceField(
        label=gettext_lazy("Of"),
        choices=[
            ("", gettext_lazy("choose")),
            *((part.value, part.value.replace("_", " ")) for part in Part),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    usd = NumberField(label=gettext_lazy("Price"), unit="USD", example="3.75", min_value=0)
    above = WholeField(
        label=gettext_lazy("Above"),
        unit=gettext_lazy("input tokens"),
        example="200000",
        min_value=0,
        help_text=gettext_lazy("Empty holds for every length."),
    )
    tier = NameField(
        label=gettext_lazy("Tier"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("Such as batch; empty is the usual tier."),
    )

    @classmethod
    def shown(cls, item: Any) -> dict[str, Any]:
        if not set(item) <= {"part", "usd", "above", "tier"}:
            raise Unshowable
        return {**item, "usd": plain(item["usd"])}

    def clean_usd(self) -> Decimal:
        usd: Decimal | None = self.cleaned_data["usd"]
        if usd is None:
            raise forms.ValidationError(_("Write a price, such as 3.75."))
        return usd

    def item(self) -> dict[str, Any]:
        data = self.cleaned_data
        found = {"part": data["part"], "usd": f"{data['usd']:f}"}
        rest = {"above": data["above"], "tier": data["tier"]}
        return {**found, **{name: value for name, value in rest.items() if value}}


def other_prices_field(**kwargs: Any) -> RowsField:
    return RowsField(
        row=PriceRow,
        one=gettext_lazy("price"),
        reads=further_prices,
        help_text=gettext_lazy(
            "Further prices, in USD per million tokens (per request for “request”). A "
            "request above a price step, or of a tier, whose price isn't told has no known cost."
        ),
        **kwargs,
    )


class ScorerRow(RowForm):
    """A scorer with its options; they follow the scorer that is chosen."""

    redraws = ("scorer",)
    scorer = forms.ChoiceField(
        label=gettext_lazy("Scorer"),
        choices=lambda: [("", _("choose")), *((name, name.replace("_", " ")) for name in SCORERS)],
        widget=UnfoldAdminSelectWidget,
    )
    weight = NumberField(
        label=gettext_lazy("Weight"),
        help_text=gettext_lazy("How much it counts beside the others; empty is 1."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = self.data.get(self.add_prefix("scorer")) if self.is_bound else None
        self.chosen = SCORERS.get(str(given or self.initial.get("scorer", "")))
        if self.chosen is not None:
            self.fields["scorer"].help_text = self.chosen.explanation
            for name, option in self.chosen.options.items():
                self.fields[f"option_{name}"] = _option_field(name, option)

    @classmethod
    def shown(cls, item: Any) -> dict[str, Any]:
        written: Any = {"scorer": item} if isinstance(item, str) else item
        scorer, options = SCORERS[written["scorer"]], written.get("options", {})
        if not set(written) <= {"scorer", "options", "weight"}:
            raise Unshowable
        found = {"scorer": scorer.name}
        if "weight" in written:
            found["weight"] = plain(written["weight"])
        kinds = {name: option.kind for name, option in scorer.options.items()}
        return found | {
            f"option_{name}": _shown_option(kinds[name], value) for name, value in options.items()
        }

    def clean_weight(self) -> Decimal | None:
        weight: Decimal | None = self.cleaned_data["weight"]
        if weight is not None and not 0 < weight <= 1000:
            raise forms.ValidationError(_("Write a weight above 0, up to 1000."))
        return weight

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.chosen is None or self.errors:
            return data
        self.options = {
            name: data[f"option_{name}"]
            for name in self.chosen.options
            if data.get(f"option_{name}") is not None and data[f"option_{name}"] != ""
        }
        try:
            self.chosen.check(self.options)
        except ValueError as error:
            named = [name for name in self.chosen.options if str(error).startswith(name)]
            self.add_error(f"option_{named[0]}" if named else None, str(error))
        return data

    def item(self) -> Any:
        weight = self.cleaned_data["weight"]
        if not self.options and weight is None:
            return self.cleaned_data["scorer"]
        found: dict[str, Any] = {"scorer": self.cleaned_data["scorer"]}
        if self.options:
            found["options"] = self.options
        return found if weight is None else {**found, "weight": json_number(weight)}


class _OptionNumber(NumberField):
    def clean(self, value: Any) -> Any:
        number = super().clean(value)
        return None if number is None else json_number(number)


class _OptionChoice(forms.TypedChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=[("", _("as usual")), *_YES_OR_NO],
            coerce=lambda text: text == YES,
            empty_value=None,
            widget=UnfoldAdminSelectWidget,
            **kwargs,
        )


class _OptionJSON(forms.JSONField):
    wide = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), **kwargs)


_OPTION_FIELDS: Mapping[OptionKind, type[forms.Field]] = {
    OptionKind.TEXT: TextField,
    OptionKind.NUMBER: _OptionNumber,
    OptionKind.YES_OR_NO: _OptionChoice,
    OptionKind.JSON: _OptionJSON,
}


def _option_field(name: str, option: Option) -> forms.Field:
    label = name.replace("_", " ").capitalize()
    help_text = option.meaning[:1].upper() + option.meaning[1:] + "."
    return _OPTION_FIELDS[option.kind](label=label, required=False, help_text=help_text)


def _shown_option(kind: OptionKind, value: Any) -> Any:
    is_fine = {
        OptionKind.TEXT: isinstance(value, str) and value != "",
        OptionKind.NUMBER: isinstance(value, int | float) and not isinstance(value, bool),
        OptionKind.YES_OR_NO: isinstance(value, bool),
        OptionKind.JSON: True,
    }
    if not is_fine[kind]:
        raise Unshowable
    if kind is OptionKind.YES_OR_NO:
        return YES if value else NO
    return plain(value) if kind is OptionKind.NUMBER else value


def scorers_field(**kwargs: Any) -> RowsField:
    kwargs.setdefault(
        "help_text",
        _(
            "How answers are scored, where a case doesn't say otherwise. Several make a weighted "
            "mean. "
            "May be empty where a judge compares."
        ),
    )
    return RowsField(
        row=ScorerRow,
        one=gettext_lazy("scorer"),
        reads=lambda value: [same_lines(use.as_dict()) for use in read_uses(value)],
        **kwargs,
    )


def parameters_field(**kwargs: Any) -> PairsField:
    return PairsField(
        row=ValueRow,
        one=gettext_lazy("parameter"),
        reads=exactly,
        help_text=gettext_lazy(
            "What every request says beside the messages, such as temperature, a number, 0."
        ),
        **kwargs,
    )
