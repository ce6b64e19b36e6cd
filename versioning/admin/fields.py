"""Fields for quantities: per cent, limits, times with their unit, hours of the day, time zones."""

from collections.abc import Sequence
from datetime import time
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from versioning.domain.policy_words import NO_LIMIT
from versioning.models.checks import check_time_zone

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def _messages(example: str, **others: "StrOrPromise") -> "dict[str, StrOrPromise]":
    """Return what a number says that can't be."""
    return {
        "invalid": format_lazy(gettext_lazy("Write a number, such as {example}."), example=example),
        "min_value": gettext_lazy("Write %(limit_value)s at least."),
        "max_value": gettext_lazy("Write %(limit_value)s at most."),
        "max_decimal_places": gettext_lazy("Write %(max)s digits after the point at most."),
        **others,
    }


class UnitInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]  # unfold is untyped
    """A number with its unit behind it. It is no number input: those lose what isn't a number."""

    def __init__(self, unit: "StrOrPromise", *, whole: bool = False) -> None:
        super().__init__(attrs={"inputmode": "numeric" if whole else "decimal"})
        self.unit = unit

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        number: SafeString = super().render(name, value, attrs, renderer)
        if not self.unit:
            return number
        return render_to_string("admin/unit.html", {"number": number, "unit": self.unit})


class NumberField(forms.DecimalField):
    """A number with its unit."""

    def __init__(self, *, unit: "StrOrPromise" = "", example: str = "5", **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(widget=UnitInput(unit), error_messages=_messages(example), **kwargs)
        self.unit = unit

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else plain(value)


class WholeField(forms.IntegerField):
    """A whole number with its unit."""

    def __init__(self, *, unit: "StrOrPromise" = "", example: str = "500", **kwargs: Any) -> None:
        super().__init__(
            required=False,
            widget=UnitInput(unit, whole=True),
            error_messages=_messages(
                example,
                invalid=format_lazy(
                    gettext_lazy("Write a whole number, such as {example}."), example=example
                ),
            ),
            **kwargs,
        )
        self.unit = unit


class PercentField(NumberField):
    """A fraction that is kept to four decimals, and written as per cent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(unit="%", example="10", max_digits=6, decimal_places=2, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        is_typed = value is None or isinstance(value, str)
        return value if is_typed else plain(Decimal(str(value)) * 100)

    def clean(self, value: Any) -> Any:
        percent = super().clean(value)
        return None if percent is None else percent / 100

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != initial)
        except forms.ValidationError:
            return True


class _LimitInput(forms.MultiWidget):
    template_name = "django/forms/widgets/multiwidget.html"

    def __init__(self, unit: str, factor: int) -> None:
        self.factor = factor
        super().__init__({"": UnitInput(unit), "none": UnfoldBooleanWidget()})

    def decompress(self, value: Any) -> list[Any]:
        if value is None:
            return [None, False]
        limit = Decimal(str(value))
        return [None, True] if limit >= NO_LIMIT else [plain(limit * self.factor), False]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        number, is_off = value if isinstance(value, list) else self.decompress(value)
        id_ = (attrs or {}).get("id", f"id_{name}")
        return render_to_string(
            "admin/limit.html",
            {
                "number": self.widgets[0].render(name, number, {**(attrs or {}), "id": id_}),
                "none": self.widgets[1].render(f"{name}_none", is_off, {"id": f"{id_}_none"}),
                "id": f"{id_}_none",
            },
        )

    def id_for_label(self, id_: str) -> str:
        return id_


class LimitField(forms.MultiValueField):
    """A limit, or none; ``factor`` makes what is kept into what is written: 100 for per cent."""

    keeps_unchanged = True

    def __init__(self, *, unit: str, factor: int = 100, least: int = 0, **kwargs: Any) -> None:
        number = forms.DecimalField(
            required=False, min_value=least, max_value=NO_LIMIT * factor,
            decimal_places=2 if factor == 100 else 4,
            error_messages=_messages(
                "20", max_value=gettext_lazy("This is no limit any more: tick “no limit”.")
            ),
        )  # fmt: skip
        self.factor = factor
        super().__init__(
            fields=(number, forms.BooleanField(required=False)),
            widget=_LimitInput(unit, factor),
            require_all_fields=False,
            required=False,
            **kwargs,
        )

    def compress(self, data_list: Sequence[Any]) -> Decimal | None:
        number, is_off = data_list or (None, False)
        if is_off and number is not None:
            raise forms.ValidationError(_("Write a limit or tick “no limit”, not both."))
        if is_off:
            return NO_LIMIT
        return None if number is None else Decimal(number) / self.factor

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            new = self.clean(data)
        except forms.ValidationError:
            return True
        if new is None or initial is None:
            return bool(new is not initial)
        return bool(new != min(Decimal(str(initial)), NO_LIMIT))


HOURS, DAYS = "hours", "days"


class _TimeInput(forms.MultiWidget):
    def __init__(self) -> None:
        units = UnfoldAdminSelectWidget(choices=[(HOURS, _("hours")), (DAYS, _("days"))])
        super().__init__({"": UnitInput(""), "unit": units})

    def decompress(self, value: Any) -> list[Any]:
        if value is None:
            return [None, HOURS]
        hours = Decimal(str(value))
        is_days = bool(hours) and hours % 24 == 0
        return [plain(hours / 24 if is_days else hours), DAYS if is_days else HOURS]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        number, unit = value if isinstance(value, list) else self.decompress(value)
        id_ = (attrs or {}).get("id", f"id_{name}")
        return render_to_string(
            "admin/time.html",
            {
                "number": self.widgets[0].render(name, number, {**(attrs or {}), "id": id_}),
                "unit": self.widgets[1].render(
                    f"{name}_unit", unit, {"id": f"{id_}_unit", "aria-label": "unit"}
                ),
            },
        )

    def id_for_label(self, id_: str) -> str:
        return id_


class HoursField(forms.MultiValueField):
    """A time, written in hours or days; it is kept in hours."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        self.most, self.unit = most, gettext_lazy("hours")
        number = forms.DecimalField(required=False, min_value=0, error_messages=_messages("24"))
        unit = forms.ChoiceField(
            choices=[(HOURS, _("hours")), (DAYS, _("days"))], required=False, initial=HOURS
        )
        super().__init__(
            fields=(number, unit),
            widget=_TimeInput(),
            require_all_fields=False,
            required=False,
            **kwargs,
        )

    def compress(self, data_list: Sequence[Any]) -> Decimal | None:
        number, unit = data_list or (None, HOURS)
        if number is None:
            return None
        hours = Decimal(number) * (24 if unit == DAYS else 1)
        if hours > self.most:
            raise forms.ValidationError(
                _("It may be %(most)s days at most.") % {"most": f"{self.most // 24:,}"}
            )
        return hours

    def has_changed(self, initial: Any, data: Any) -> bool:
        """A unit without a number is nothing that was typed."""
        typed = data[0] if isinstance(data, list) else None
        return bool(str(typed or "").strip()) or initial is not None


class ClockField(forms.TimeField):
    """A time of the day, on the clock of the wall."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=["%H:%M", "%H:%M:%S"],
            widget=UnfoldAdminTextInputWidget(attrs={"type": "time"}),
            error_messages={
                "invalid": _("Write a time such as 09:00; midnight is 00:00."),
                "required": _("Write a time such as 09:00; midnight is 00:00."),
            },
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        return f"{value:%H:%M}" if isinstance(value, time) else value


@cache
def _places() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the zones that places have, by region: read from hundreds of files."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for zone in sorted(available_timezones()):
        region, slash, place = zone.partition("/")
        if slash and region not in ("Etc", "SystemV", "posix", "right"):
            regions.setdefault(region, []).append((zone, place.replace("_", " ")))
    return [*regions.items()]


def _zones() -> list[tuple[str, Any]]:
    return [("", _("as set above")), ("UTC", "UTC"), *_places()]


class LongSelect(UnfoldAdminSelectWidget):  # type: ignore[misc]  # unfold is untyped
    """A choice of hundreds: with a template for each option they cost 0.1 s a page."""

    def optgroups(self, name: str, value: list[str], attrs: Any = None) -> list[Any]:
        groups = super().optgroups(name, value, attrs)
        return [(None, [{"template_name": "admin/long_select.html", "groups": groups}], 0)]


class ZoneField(forms.ChoiceField):
    """A time zone from the list; one that is stored and not in it is kept."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            choices=_zones,
            widget=LongSelect,
            validators=[check_time_zone],
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        if value and not super().valid_value(value):
            self.widget.choices = [(value, value), *self.widget.choices]
        return value

    def valid_value(self, value: str) -> bool:
        return True


def plain(number: Any) -> str:
    """Return a number as people write it: no exponent, no trailing zeros."""
    text = f"{Decimal(str(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def json_number(number: Decimal) -> int | float:
    """Return a number as JSON keeps it: whole where it is whole."""
    return int(number) if number % 1 == 0 else float(number)
