"""Fields for lists and objects: rows of fields for people, or JSON for those who choose it.

The model keeps JSON. A row is a small form; rows are added, removed, sorted and turned into JSON by
buttons that send the whole form (`ACTION`): nothing is stored then, and nothing that was typed is
lost. htmx only spares the page from being loaded anew.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict, pretty_name
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_ROW, _NONE, _THESE = _("row"), _("none"), _("these")

ACTION = "_rows"
"""The name of the buttons that change rows; their value is FIELD:WHAT:ROW."""

MOST_ROWS = 200
ABOVE, NONE, THESE = "", "none", "these"

if TYPE_CHECKING:
    _Form = forms.BaseForm
else:
    _Form = object


class Unshowable(ValueError):
    """A stored value holds something that no field of a row shows: it is shown as JSON."""


class RowForm(forms.Form):
    """One row: how it is shown, and what it stands for in the stored value."""

    use_required_attribute = False
    redraws: ClassVar[Sequence[str]] = ()
    """Fields that other fields of the row hang on: a change draws the row anew."""

    @classmethod
    def shown(cls, item: Any) -> dict[str, Any]:
        """Return what the fields show of an item. Raises Unshowable."""
        raise NotImplementedError

    def item(self) -> Any:
        """Return the item that a valid row stands for."""
        raise NotImplementedError

    @classmethod
    def check_together(cls, rows: Sequence[Self]) -> None:
        """Add errors to rows that don't fit each other; each is valid by itself."""


class NamedRow(RowForm):
    """A row with a name that no other row may have; ``unique`` is the field that holds it."""

    unique: ClassVar[str] = "name"

    @classmethod
    def check_together(cls, rows: Sequence[Self]) -> None:
        seen: set[str] = set()
        for row in rows:
            name = row.cleaned_data[cls.unique]
            if name in seen:
                row.add_error(
                    cls.unique, gettext("“%(name)s” stands above already.") % {"name": name}
                )
            seen.add(name)


@dataclass
class Typed:
    """What a field holds while it is in a form: rows, or a text that should be JSON."""

    rows: list[RowForm] = field(default_factory=list)
    chosen: str = THESE
    text: str | None = None
    focus: str = ""
    problem: str = ""
    known: tuple[Any] | None = None
    """The value, where the rows were just made of it."""
    is_checked: bool = False
    """Whether errors are to be shown."""


class RowsWidget(forms.Widget):
    """Draws rows, and reads them back as `Typed`."""

    template_name = "admin/rows.html"
    owner: "RowsField"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed:
        action = str(data.get(ACTION, ""))
        if data.get(f"{name}-as") == "json" or (name in data and f"{name}-row" not in data):
            typed = Typed(text=str(data.get(name, "")), is_checked=not action)
        else:
            rows = [self.owner.bound_row(data, name, number) for number in _numbers(data, name)]
            chosen = str(data.get(f"{name}-set", ABOVE)) if self.owner.nullable else THESE
            typed = Typed(rows=rows, chosen=chosen, is_checked=not action)
        field_name, _, what = action.partition(":")
        if field_name == name:
            self.owner.change(typed, name=name, what=what)
        return typed

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str | None) -> str:
        return id_ or "" if self.owner.nullable else ""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        typed = value if isinstance(value, Typed) else self.owner.prepare_value(value)
        id_ = (attrs or {}).get("id", f"id_{name}")
        for number, row in enumerate(typed.rows):
            row.prefix = row.prefix or f"{name}-{number}"
            for each in row.redraws:
                row.fields[each].widget.attrs.update(
                    {
                        "hx-post": "", "hx-trigger": "change", "hx-target": f"#{id_}_box",
                        "hx-select": f"#{id_}_box", "hx-swap": "outerHTML",
                        "hx-vals": json.dumps({ACTION: f"{name}:show"}),
                    }
                )  # fmt: skip
        if typed.is_checked and typed.text is None:
            self.owner.check(typed)
        return render_to_string(
            self.template_name,
            {
                "name": name,
                "id": id_,
                "typed": typed,
                "owner": self.owner,
                "label": self._label(name),
                "text": self._textarea(name, typed, id_) if typed.text is not None else "",
                "choice": self._choice(name, typed, id_),
                "rows": [(*_place(row), row) for row in typed.rows],
            },
        )

    def _label(self, name: str) -> str:
        """Return what the form calls the field; without a label of its own, its name in words."""
        return str(self.owner.label or pretty_name(name.rsplit("-", 1)[-1]))

    def _textarea(self, name: str, typed: Typed, id_: str) -> SafeString:
        attrs = {
            "id": id_,
            "rows": 6,
            "spellcheck": "false",
            "aria-label": gettext("%(owner_label)s, JSON") % {"owner_label": self._label(name)},
        }
        drawn: SafeString = UnfoldAdminTextareaWidget().render(name, typed.text, attrs)
        return drawn

    def _choice(self, name: str, typed: Typed, id_: str) -> SafeString | str:
        if not self.owner.nullable:
            return ""
        select = UnfoldAdminSelectWidget(choices=self.owner.choices)
        drawn: SafeString = select.render(f"{name}-set", typed.chosen, {"id": id_})
        return drawn


class RowsField(forms.Field):
    """A list, each item a row.

    ``nullable`` fields may be left to the level above (None), and may say "none of them" ([]).
    ``reads`` gives what a value means: two values that mean the same are not a change.
    """

    many = True
    keeps_unchanged = True
    empty: ClassVar[Any] = []

    def __init__(
        self,
        *,
        row: type[RowForm],
        one: "StrOrPromise" = _ROW,
        nullable: bool = False,
        none: "StrOrPromise" = _NONE,
        these: "StrOrPromise" = _THESE,
        is_sorted: bool = False,
        reads: Callable[[Any], Any] = lambda value: value,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("required", False)
        super().__init__(widget=RowsWidget(), **kwargs)
        self.row, self.one, self.none, self.nullable = row, one, none, nullable
        self.is_sorted, self.reads = is_sorted, reads
        self.choices = [(ABOVE, _("as set above")), (NONE, none), (THESE, these)]
        self.widget.owner = self

    def __deepcopy__(self, memo: Any) -> Any:
        copied = super().__deepcopy__(memo)
        copied.widget.owner = copied
        return copied

    def split(self, value: Any) -> list[Any]:
        """Return the items of a value. Raises Unshowable."""
        if not isinstance(value, list):
            raise Unshowable
        return value

    def join(self, items: list[Any]) -> Any:
        """Return the value that consists of the items."""
        return items

    def bound_row(self, data: Any, name: str, number: int) -> RowForm:
        return self.row(data, prefix=f"{name}-{number}", empty_permitted=self.many)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Typed):
            return value
        if value is None and self.nullable:
            return Typed(chosen=ABOVE, rows=self._blank())
        stored = self.empty if value is None else value
        try:
            items = self.split(stored)
            shown = [self.row.shown(item) for item in items]
        except (Unshowable, KeyError, TypeError, ValueError, ArithmeticError):
            return Typed(text=_dumped(stored))
        chosen = NONE if self.nullable and not items else THESE
        return Typed(
            chosen=chosen, rows=[self.row(initial=each) for each in shown] or self._blank()
        )

    def in_words(self, value: Any) -> list[str]:
        """Return a value for who may only read it, a line for each row."""
        if value is None and self.nullable:
            return [str(self.choices[0][1])]
        stored = self.empty if value is None else value
        try:
            shown = [self.row.shown(item) for item in self.split(stored)]
        except (Unshowable, KeyError, TypeError, ValueError, ArithmeticError):
            return [_dumped(stored)]
        if not shown:
            return [str(self.none)] if self.nullable else []
        return [_in_words(self.row(initial=each), each) for each in shown]

    def _blank(self) -> list[RowForm]:
        return [self.row()]

    def check(self, typed: Typed) -> list[RowForm]:
        """Let each row say what is wrong with it; return those that are filled in."""
        filled = [row for row in typed.rows if not self.many or row.has_changed()]
        if not [row for row in filled if not row.is_valid()]:
            self.row.check_together(filled)
        return filled

    def clean(self, value: Any) -> Any:
        found = self._read(value)
        self.run_validators(found)
        return found

    def _read(self, typed: Typed) -> Any:
        if typed.known is not None:
            return typed.known[0]
        if typed.text is not None:
            return self._parsed(typed.text)
        if typed.chosen == NONE and self.nullable:
            return []
        if typed.chosen != THESE:
            return None
        filled = self.check(typed)
        wrong = [str(typed.rows.index(row) + 1) for row in filled if row.errors]
        if wrong and self.many:
            raise ValidationError(
                gettext("Look at %(one)s %(join)s: it can't be kept like this.")
                % {"one": self.one, "join": ", ".join(wrong)}
            )
        if wrong:
            raise ValidationError(gettext("It can't be kept like this: see the fields."))
        if self.nullable and not filled:
            raise ValidationError(
                gettext("Fill in a %(one)s, or choose otherwise above.") % {"one": self.one}
            )
        return self.join([row.item() for row in filled])

    def _parsed(self, text: str) -> Any:
        if not text.strip():
            return None if self.nullable else type(self.empty)(self.empty)
        try:
            return json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise ValidationError(
                gettext("This is no JSON: %(error)s.") % {"error": error}
            ) from error

    def run_validators(self, value: Any) -> None:
        if value is not None:
            super().run_validators(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            new = self.clean(data)
            return bool(self._means(new) != self._means(initial))
        except (ValidationError, ValueError, TypeError):
            return True

    def _means(self, value: Any) -> Any:
        return None if value is None else self.reads(value)

    def change(self, typed: Typed, *, name: str, what: str) -> None:
        """Add, remove or move a row, or turn rows into JSON and back; what can't be stays."""
        verb, _, number = what.partition(":")
        if verb == "json" or verb == "fields":
            self._turn(typed, to_json=verb == "json")
        elif typed.text is None:
            self._change_rows(typed, name=name, verb=verb, number=number)

    def _turn(self, typed: Typed, *, to_json: bool) -> None:
        try:
            value = self._read(typed)
        except ValidationError as error:
            typed.is_checked, typed.problem = True, " ".join(error.messages)
            return
        if to_json:
            typed.text = "" if value is None else _dumped(value)
            typed.focus = "text"
            return
        shown = self.prepare_value(value)
        typed.rows, typed.chosen, typed.text = shown.rows, shown.chosen, shown.text
        typed.known = (value,)
        if shown.text is not None:
            typed.problem = gettext("There are no fields for all that it holds.")

    def _change_rows(self, typed: Typed, *, name: str, verb: str, number: str) -> None:
        if verb == "add" and len(typed.rows) < MOST_ROWS:
            taken = [int(_place(row)[0]) for row in typed.rows]
            new = max(taken, default=-1) + 1
            row = self.row(prefix=f"{name}-{new}")
            next(iter(row.fields.values())).widget.attrs["autofocus"] = True
            typed.rows.append(row)
            typed.chosen, typed.focus = THESE, str(new)
            return
        at = next((n for n, row in enumerate(typed.rows) if _place(row)[0] == number), None)
        if at is None or verb not in ("up", "down", "remove"):
            return
        moved = typed.rows.pop(at)
        if verb == "remove":
            typed.focus = "add"
            return
        typed.rows.insert(max(0, at - 1) if verb == "up" else at + 1, moved)
        typed.focus = f"{number}-{verb}"


class ObjectField(RowsField):
    """An object, all of it in one row."""

    many = False
    empty: ClassVar[Any] = {}

    def split(self, value: Any) -> list[Any]:
        return [value]

    def join(self, items: list[Any]) -> Any:
        return items[0] if items else {}


class PairsField(RowsField):
    """An object whose rows are its names and values; its row form has the fields name and value."""

    empty: ClassVar[Any] = {}

    def split(self, value: Any) -> list[Any]:
        if not isinstance(value, Mapping):
            raise Unshowable
        return list(value.items())

    def join(self, items: list[Any]) -> Any:
        return dict(items)


class FormWithRows(_Form):
    """A form with such fields: buttons that change rows store nothing and complain of nothing.

    What wasn't changed is kept exactly as it was stored.
    """

    @property
    def is_only_changed(self) -> bool:
        """Whether the form was sent by a button that changes the form itself."""
        return bool(self.is_bound and ACTION in self.data)

    @property
    def errors(self) -> Any:
        return ErrorDict() if self.is_only_changed else super().errors

    def is_valid(self) -> bool:
        return not self.is_only_changed and super().is_valid()

    def _clean_fields(self) -> None:
        super()._clean_fields()  # type: ignore[misc]
        for name, each in self.fields.items():
            if getattr(each, "keeps_unchanged", False) and name in self.cleaned_data:
                bound = self[name]
                if not each.has_changed(bound.initial, bound.data):
                    self.cleaned_data[name] = bound.initial


def _place(row: RowForm) -> tuple[str, str]:
    """Return a row's number and its prefix."""
    prefix = row.prefix or ""
    return prefix.rpartition("-")[2], prefix


def _numbers(data: Any, name: str) -> list[int]:
    """Return the numbers of the rows that were sent, in their order, each once."""
    sent = data.getlist(f"{name}-row") if hasattr(data, "getlist") else data.get(f"{name}-row", [])
    found = [int(each) for each in sent if str(each).isdecimal() and len(str(each)) < 6]
    return list(dict.fromkeys(found))[:MOST_ROWS]


def _dumped(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _no_constant(name: str) -> Any:
    raise ValueError(gettext("%(name)s is no JSON") % {"name": name})


def _in_words(row: RowForm, shown: Mapping[str, Any]) -> str:
    """Return what a row's fields show, each with its label: "For at least: 24 h"."""
    told = []
    for name, column in row.fields.items():
        value = shown.get(name)
        if value in (None, "", False) or value == []:
            continue
        label = str(column.label or name.replace("_", " ").capitalize())
        if value is True:
            told.append(label)
            continue
        if isinstance(column, RowsField):
            words = "; ".join(column.in_words(value))
        else:
            words = words_of(column, value)
        told.append(f"{label}: {words}")
    return ", ".join(told)


def words_of(column: forms.Field, value: Any) -> str:
    """Return what a field shows of a value: the words of a choice, a number with its unit."""
    choices = {str(key): str(words) for key, words in _flat(getattr(column, "choices", ()))}
    if isinstance(value, list | tuple):
        return ", ".join(choices.get(str(each), str(each)) for each in value)
    unit = str(getattr(column, "unit", ""))
    return choices.get(str(value), str(value)) + (f" {unit}" if unit else "")


def _flat(choices: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs of choices, those of groups, too."""
    for key, words in choices() if callable(choices) else choices:
        if isinstance(words, list | tuple):
            yield from words
        else:
            yield key, words
