"""One thing is no "1 things", a moment is written in one way, and nothing is called by its id."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client

from tests.versioning.admin.test_translation import Spoken
from tests.versioning.admin.walk import make_world, pages

SPOKEN_BY = ("versioning", "providers", "config", "sample_world")

NOUNS = {
    "approvals", "cases", "characters", "days", "files", "hours", "items", "kinds", "letters",
    "minutes", "models", "notices", "pairs", "periods", "requests", "rows", "samples",
    "scores", "seals", "seconds", "secrets", "spans", "steps", "tags", "tasks",
    "tokens", "upgrades", "versions",
}  # fmt: skip
"""What is counted somewhere; a noun that ``counted`` or ngettext is given comes along by itself."""

BOUNDS = {"most", "max", "least", "longest", "limit", "above", "each_s"}
"""Names of what is no count of things but a bound, and never one; as are constants."""

FILLED = re.compile(r"(%\(\w+\)[sd]|%[sd]|\{\w*\}) (?:(?:more|new|other|of) )?([a-z]+s)\b")
BEHIND = re.compile(r"^ (?:(?:more|new|other) )?([a-z]+s)\b")
COUNTED = re.compile(
    r"\{% blocktrans(?:late)?[^%]*\bcount\b.*?\{% endblocktrans(?:late)? %\}", re.S
)


def _named(node: ast.expr) -> str:
    """Return what a filled-in figure is called: ``most`` of ``self.most // 24``."""
    names = [
        getattr(each, "attr", getattr(each, "id", ""))
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute | ast.Name)
    ]
    return names[0] if names else ""


def _is_bound(name: str) -> bool:
    return name in BOUNDS or name.isupper()


def _said_well(tree: ast.AST) -> set[int]:
    """Return the texts that nobody reads with a 1: those that have both forms, and docstrings."""
    return (
        {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")).startswith("ngettext")
            for part in ast.walk(node)
        }
        | {
            id(part)  # "1 day" if days == 1 else f"{days} days"
            for node in ast.walk(tree)
            if isinstance(node, ast.IfExp) and "1" in ast.unparse(node.test)
            for part in ast.walk(node.orelse if "==" in ast.unparse(node.test) else node.body)
        }
        | {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    )  # docstrings


def in_python(text: str) -> Iterator[str]:
    """Return each count in the text of a module that stands before a plural alone."""
    tree = ast.parse(text)
    fine = _said_well(tree)
    for node in ast.walk(tree):
        if id(node) in fine:
            continue
        if isinstance(node, ast.JoinedStr):
            for figure, behind in zip(node.values, node.values[1:], strict=False):
                if isinstance(figure, ast.FormattedValue) and isinstance(behind, ast.Constant):
                    said = BEHIND.match(str(behind.value))
                    if said and said[1] in NOUNS and not _is_bound(_named(figure.value)):
                        yield f"{node.lineno}: {ast.unparse(figure.value)} {said[1]}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for said in FILLED.finditer(node.value):
                if said[2] in NOUNS and not _is_bound(said[1].strip("%(){}sd")):
                    yield f"{node.lineno}: {said[0]}"


def in_template(text: str) -> Iterator[str]:
    """Return each count of a template that stands before a plural, outside of a ``count`` block."""
    for said in re.finditer(
        r"\{\{[^}]*\}\} (?:(?:more|new|other) )?([a-z]+s)\b", COUNTED.sub("", text)
    ):
        if said[1] in NOUNS:
            yield said[0]


def _files(kind: str) -> list[Path]:
    folders = [settings.BASE_DIR / each for each in (*SPOKEN_BY, "templates")]
    return [
        file
        for folder in folders
        for file in sorted(folder.rglob(kind))
        if "migrations" not in file.parts
    ]


def test_no_count_stands_before_a_plural_alone() -> None:
    read = [(_files("*.py"), in_python), (_files("*.html"), in_template)]
    found = [
        f"{file.relative_to(settings.BASE_DIR)}:{each}"
        for files, look in read
        for file in files
        for each in look(file.read_text())
    ]
    assert all(files for files, _ in read)
    assert "\n".join(found) == ""


@pytest.mark.parametrize(
    "line",
    ['f"{count} samples"', '_("%(n)s new tags")', '"{} days"', 'f"{self.n:,} more pairs"'],
)
def test_a_count_before_a_plural_is_found(line: str) -> None:
    assert list(in_python(f"said = {line}"))


@pytest.mark.parametrize(
    "line",
    [
        'ngettext("%(n)s sample", "%(n)s samples", n)',
        'f"{MOST_TAGS} tags"',
        'f"{most:,} models"',
        '"1 day" if days == 1 else f"{days} days"',
        'f"{days} days" if days != 1 else "a day"',
    ],
)
def test_both_forms_and_bounds_are_fine(line: str) -> None:
    assert list(in_python(f"said = {line}")) == []


def test_one_row_of_a_table_is_called_otherwise_than_several() -> None:
    """Lists count their rows: "1 spans left out" was one."""
    same = {
        model.__name__
        for model in admin.site._registry
        if str(model._meta.verbose_name) == str(model._meta.verbose_name_plural)
    }
    # There is but one switch, and no list of it; the other is a package's.
    assert same == {"AutomationSwitch", "ClockedSchedule"}


WRONG = [
    re.compile(r"(?<![\w.,:/-])1 (?!(?:is|was|has|ms|pass)\b)[a-z]+s\b"),  # one of several
    re.compile(
        r"\b\d{4}-\d\d-\d\d[T ]\d\d:|(?<![\w'\"-])\d{4}-\d\d-\d\d(?![\w-])"
    ),  # as machines do
    re.compile(r"\(\s*\)|(?:^|: |\bby )None$|\bNaN\b|  by |\bby (?=\d+ \w+ ago)"),  # open
    re.compile(r"^-$"),  # the dash of what is empty is a long one
    re.compile(r"\b(?:event|sample|record|run|check) #?\d+\b"),  # called by its id
]


@pytest.mark.any_database
def test_no_page_says_what_people_don_t(boss: Client) -> None:
    make_world()
    found = {
        f"{page.address}: {said!r}"
        for page in pages(boss)
        for said in Spoken(page.html).read
        if any(wrong.search(said) for wrong in WRONG)
    }
    assert "\n".join(sorted(found)) == ""


@pytest.mark.parametrize(
    "said",
    ["1 spans left out", "2026-03-01 12:00:00+00:00", "On 2026-03-01.", "Asked by None",
     "qwen ()", "Set by 8 months ago", "sample 260", "event 19 to ada", "-"],
)  # fmt: skip
def test_what_people_don_t_say_is_found(said: str) -> None:
    assert any(wrong.search(said) for wrong in WRONG)
