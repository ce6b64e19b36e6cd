"""Test cases: read from JSONL or CSV, checked, written back, and named by a hash."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import regex

from versioning.domain.naming import problem_of_text
from versioning.domain.scoring import BadOptions, ScorerUse, read_uses

MOST_CASES = 10_000
LONGEST_TEXT = 200_000
MOST_TAGS = 20
ROLES: Final = frozenset({"system", "user", "assistant"})
_VARIABLE: Final = regex.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}")
_FIELDS: Final = (
    "key",
    "system",
    "prompt",
    "messages",
    "variables",
    "expected",
    "task",
    "tags",
    "weight",
    "scorers",
)


class BadCase(ValueError):
    """A case that can't be used; the sentence's end, such as "has no prompt"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case: what is asked, what is expected, and how the answer is scored.

    ``messages`` may hold ``{{name}}`` where a variable goes. Without scorers of its own the
    suite's are used. ``weight`` is above 0.
    """

    key: str
    messages: tuple[Mapping[str, str], ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    expected: str = ""
    task: str = ""
    tags: tuple[str, ...] = ()
    weight: float = 1.0
    scorers: tuple[ScorerUse, ...] = ()

    def filled(self) -> list[dict[str, str]]:
        """Return the messages with the variables in their places. Raises BadCase."""
        return [
            {"role": message["role"], "content": fill(message["content"], self.variables)}
            for message in self.messages
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return it as a line of JSONL says it; what is empty is left out."""
        said: dict[str, Any] = {
            "key": self.key,
            "messages": [dict(message) for message in self.messages],
            "variables": dict(self.variables),
            "expected": self.expected,
            "task": self.task,
            "tags": list(self.tags),
            "weight": self.weight,
            "scorers": [use.as_dict() for use in self.scorers],
        }
        return {name: value for name, value in said.items() if value not in ("", [], {})}


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """A row that can't be used: its number from 1 on, and why."""

    row: int
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds: the cases that can be used, and the rows that can't."""

    cases: tuple[Case, ...]
    unread: tuple[UnreadRow, ...]


def fill(text: str, variables: Mapping[str, str]) -> str:
    """Put each variable in its place, once: what a value holds is never read as a variable.

    Raises BadCase for a name without a value.
    """

    def value(found: "regex.Match[str]") -> str:
        name = found[1]
        if name not in variables:
            raise BadCase(f"has no value for {{{{{name}}}}}")
        return variables[name]

    return str(_VARIABLE.sub(value, text))


def read_case(row: Mapping[str, Any], *, number: int, template: str = "") -> Case:
    """Read one row. ``template`` is the suite's prompt, for rows that have only variables.

    Raises BadCase.
    """
    unknown = sorted(set(row) - set(_FIELDS))
    if unknown:
        raise BadCase(f"has a field {unknown[0]!r} that no case has")
    try:
        scorers = read_uses(row.get("scorers") or [])
    except BadOptions as error:
        raise BadCase(f"has a scorer that can't be used: {error}") from error
    case = Case(
        key=_key(row) or f"case-{number}",
        messages=_messages(row, template),
        variables=_variables(row.get("variables") or {}),
        expected=_text(row, "expected"),
        task=_text(row, "task", longest=100),
        tags=_tags(row.get("tags") or []),
        weight=_weight(row.get("weight")),
        scorers=scorers,
    )
    case.filled()
    return case


def read_rows(rows: Iterable[Any], *, template: str = "") -> Imported:
    """Read rows as cases, each apart: a bad one is named and the rest go on."""
    cases: dict[str, Case] = {}
    unread: list[UnreadRow] = []
    for number, row in enumerate(rows, start=1):
        try:
            if number > MOST_CASES:
                raise BadCase(f"is one too many: a suite has up to {MOST_CASES:,} cases")
            if isinstance(row, UnreadableLine):
                raise BadCase(row.why)
            if not isinstance(row, Mapping):
                raise BadCase("is no object")
            case = read_case(row, number=number, template=template)
            if case.key in cases:
                raise BadCase(f"has the key {case.key!r} of an earlier row")
        except BadCase as error:
            unread.append(UnreadRow(number, f"Row {number} {error}."))
            if number > MOST_CASES:
                break
            continue
        cases[case.key] = case
    return Imported(tuple(cases.values()), tuple(unread))


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A line that is no JSON."""

    why: str


def _key(row: Mapping[str, Any]) -> str:
    key = _text(row, "key", longest=100)
    if found := problem_of_text(key):
        raise BadCase(f"has a key that can't be used: {found}")
    return key


def read_jsonl(text: str, *, template: str = "") -> Imported:
    """Read a text of one JSON object a line; empty lines don't count."""
    return read_rows(
        (_parsed(line) for line in text.split("\n") if line.strip()), template=template
    )


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return UnreadableLine(f"is no JSON ({error})")


def read_csv(text: str, *, template: str = "") -> Imported:
    """Read a CSV with a header. Columns that no case has are variables of that name.

    Tags and scorer names are separated by semicolons; messages, variables and scorers may also
    be written as JSON.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    return read_rows(_csv_rows(reader), template=template)


def _csv_rows(reader: "csv.DictReader[str]") -> Iterable[Any]:
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield UnreadableLine(f"is no CSV ({error})")
            return
        try:
            yield _csv_row(row)
        except BadCase as error:
            yield UnreadableLine(str(error))


def _csv_row(row: Mapping[str | None, Any]) -> dict[str, Any]:
    if None in row:
        raise BadCase("has more cells than the header has names")
    cells = {str(name).strip(): _as_written(value or "") for name, value in row.items()}
    said: dict[str, Any] = {name: cells[name] for name in _FIELDS if cells.get(name)}
    for name in ("messages", "variables"):
        if name in said:
            said[name] = _cell_as_json(name, said[name])
    for name in ("tags", "scorers"):
        if name in said:
            said[name] = _cell_as_list(name, said[name])
    named = {name: value for name, value in cells.items() if name not in _FIELDS}
    said["variables"] = {**named, **said.get("variables", {})}
    return said


def _cell_as_json(name: str, cell: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError) as error:
        raise BadCase(f"has no JSON in {name} ({error})") from error


def _cell_as_list(name: str, cell: str) -> Any:
    if cell.lstrip().startswith("["):
        return _cell_as_json(name, cell)
    return [part.strip() for part in cell.split(";") if part.strip()]


def write_jsonl(cases: Sequence[Case]) -> str:
    """Write one case a line, as ``read_jsonl`` reads it."""
    return "".join(json.dumps(case.as_dict(), ensure_ascii=False) + "\n" for case in cases)


def write_csv(cases: Sequence[Case]) -> str:
    """Write a CSV as ``read_csv`` reads it."""
    out = io.StringIO(newline="")
    names = ("key", "messages", "variables", "expected", "task", "tags", "weight", "scorers")
    # With \r\n at the ends of lines the writer quotes cells that hold either of them.
    writer = csv.DictWriter(out, names, lineterminator="\r\n")
    writer.writeheader()
    for case in cases:
        row = case.as_dict()
        writer.writerow({name: as_plain_text(_cell(row.get(name, ""))) for name in names})
    return out.getvalue()


_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def as_plain_text(cell: str) -> str:
    """Return the cell so that no spreadsheet runs it: an apostrophe says that it is text.

    Numbers stay numbers. ``_as_written`` takes the apostrophe away again.
    """
    is_formula = _FORMULA.match(cell) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if is_formula else cell


def _as_written(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def suite_hash(
    *, cases: Sequence[Case], scorers: Sequence[ScorerUse], parameters: Mapping[str, Any]
) -> str:
    """Return the SHA-256 of all that decides a score: cases, scorers and request parameters."""
    content = {
        "cases": sorted((case.as_dict() for case in cases), key=lambda case: str(case["key"])),
        "scorers": [use.as_dict() for use in scorers],
        "parameters": dict(parameters),
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _text(row: Mapping[str, Any], name: str, *, longest: int = LONGEST_TEXT) -> str:
    value = row.get(name, "")
    if isinstance(value, bool | int | float):
        value = json.dumps(value)
    if not isinstance(value, str):
        raise BadCase(f"has a {name} that is no text")
    if len(value) > longest:
        raise BadCase(f"has a {name} longer than {longest:,} characters")
    return value


def _messages(row: Mapping[str, Any], template: str) -> tuple[Mapping[str, str], ...]:
    if row.get("messages"):
        if row.get("prompt") or row.get("system"):
            raise BadCase("has messages and a prompt; choose one")
        return _read_messages(row["messages"])
    prompt = _text(row, "prompt") or template
    if not prompt:
        raise BadCase("has neither messages nor a prompt")
    system = _text(row, "system")
    before = ({"role": "system", "content": system},) if system else ()
    return (*before, {"role": "user", "content": prompt})


def _read_messages(value: Any) -> tuple[Mapping[str, str], ...]:
    if not isinstance(value, list) or not value:
        raise BadCase("has messages that are no list")
    messages = []
    for item in value:
        if not isinstance(item, Mapping) or set(item) != {"role", "content"}:
            raise BadCase("has a message that isn't a role with a content")
        role, content = item["role"], item["content"]
        if role not in ROLES or not isinstance(content, str):
            raise BadCase("has a message whose role or content can't be used")
        if len(content) > LONGEST_TEXT:
            raise BadCase(f"has a message longer than {LONGEST_TEXT:,} characters")
        messages.append({"role": role, "content": content})
    return tuple(messages)


def _variables(value: Any) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise BadCase("has variables that are no object")
    return {
        str(name): text if isinstance(text, str) else json.dumps(text)
        for name, text in value.items()
    }


def _tags(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(
        isinstance(tag, str) and 0 < len(tag) <= 100 for tag in value
    ):
        raise BadCase("has tags that are no list of short texts")
    if len(value) > MOST_TAGS:
        raise BadCase(f"has more than {MOST_TAGS} tags")
    return tuple(dict.fromkeys(value))


def _weight(value: Any) -> float:
    if value in (None, ""):
        return 1.0
    try:
        weight = float(value)
    except (TypeError, ValueError) as error:
        raise BadCase("has a weight that is no number") from error
    if isinstance(value, bool) or not 0 < weight <= 1000:
        raise BadCase("has a weight that isn't above 0, up to 1000")
    return weight
