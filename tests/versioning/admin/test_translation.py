"""All text for people can be translated: in a language of other letters no page shows ours."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from tests.versioning.admin.walk import make_world, pages
from versioning.domain.scoring import SCORERS

pytestmark = pytest.mark.any_database

FILLED_IN = re.compile(r"(%(?:\(\w+\))?[-0-9.]*[sdrf]|%%|\{\w*\}|<[^>]*>|&\w+;)")
TO_FULL_WIDTH = {n: n + 0xFEE0 for n in (*range(ord("a"), 123), *range(ord("A"), 91))}
FULL_WIDTH = re.compile("[\uff21-\uff5a]")
LATIN = re.compile(r"[A-Za-z]{2,}")

SPOKEN = ("aria-label", "title", "placeholder", "alt", "data-label", "data-countdown", "data-over")
UNREAD = ("script", "style", "template", "pre", "code", "kbd", "textarea")
MACHINES = ("material-symbols", "hs-code", "hs-raw", "hs-secret")

NAMES = re.compile(
    r"Hotswap|team@example\.com|\b(CSV|JSONL?|USD|UTC|HTTPS?|API|URL|ms|CET|CEST)\b"
    r"|\bhistorical\b[a-z ]*"  # django-simple-history leaves it unmarked where tables are made
    r"|\b(Task Name|Periodic task|Human readable)\b"  # django-celery-beat's
    r"|\(m/h/dM/MY/d\)|\b(Every|At) [\w ,:]+"
    r"|: (md5|dy\*+|pbkdf2\S*|\S*\*\*+)"  # how a password is kept
)
"""What is the same in every language, or not ours."""

TASK = re.compile(r"\bversioning\.\w+")
"""What beat calls a task of ours."""


def full_width(message: str) -> str:
    """Return a message in letters of full width, with what is filled in left alone."""
    parts = FILLED_IN.split(message)
    return "".join(
        part if FILLED_IN.fullmatch(part) else part.translate(TO_FULL_WIDTH) for part in parts
    )


class FullWidthLanguage:
    """A language in which every marked text is the same, in letters of full width."""

    def gettext(self, message: str) -> str:
        return full_width(message)

    def ngettext(self, one: str, many: str, number: int) -> str:
        return full_width(one if number == 1 else many)

    def language(self) -> str:
        return "de"

    def to_language(self) -> str:
        return "de"


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Speak that language, with numbers and dates as German has them: a comma in a number."""
    monkeypatch.setitem(trans_real._translations, "de", FullWidthLanguage())
    monkeypatch.setattr(settings, "LANGUAGE_CODE", "de")
    with translation.override("de"):
        yield


class Spoken(HTMLParser):
    """What a person reads or hears of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.read: list[str] = []
        self._passed_by: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._passed_by:
            self._passed_by += [tag] if tag == self._passed_by[-1] else []
            return
        self.read += [given[name] for name in SPOKEN if given.get(name)]
        of_machines = any(name in given.get("class", "") for name in MACHINES)
        # Zones, and whatever tasks this process has registered: names that nobody translates.
        of_names = tag == "select" and re.search("zone|task", given.get("name", ""))
        if (tag in UNREAD or of_machines or of_names) and tag != "input":
            self._passed_by.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._passed_by and tag == self._passed_by[-1]:
            self._passed_by.pop()

    def handle_data(self, data: str) -> None:
        if not self._passed_by and data.strip():
            self.read.append(data.strip())


def strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield str(key)
            yield from strings_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from strings_in(each)
    elif isinstance(value, str):
        yield value


def kept() -> set[str]:
    """Return every text that the database holds."""
    return {
        found
        for model in apps.get_models()
        for row in model._default_manager.values()
        for value in row.values()
        for found in strings_in(value)
    }


@cache
def written_below() -> frozenset[str]:
    """Return what rules, services and adapters say: docs/translating.md tells why it stays."""
    folders = ("versioning/domain", "versioning/services", "providers/kinds")
    return frozenset(
        part
        for folder in folders
        for path in (settings.BASE_DIR / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for part in (node.value.strip(), *node.value.strip().split("\n"))
    )


def words_of(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for each in texts for word in LATIN.findall(each.lower()))


def unmarked(said: str, known: list[str], vocabulary: frozenset[str]) -> str:
    """Return what of a text is ours, and neither marked nor a row's nor the rules'.

    A sentence all of whose words rows and rules have is one of theirs, put together.
    """
    rest = TASK.sub("", said)
    is_sentence = rest.count(" ") > 3 and not FULL_WIDTH.search(rest)
    if is_sentence and set(LATIN.findall(rest.lower())) <= vocabulary:
        return ""
    for each in known:
        if not LATIN.search(NAMES.sub("", rest)):
            return ""
        if each.lower() in rest.lower():
            rest = re.sub(rf"(?<![A-Za-z]){re.escape(each)}(?![A-Za-z])", "", rest, flags=re.I)
    rest = NAMES.sub("", rest)
    return rest if LATIN.search(rest) else ""


def test_every_page_is_in_the_language_of_its_reader(boss: Client, foreign: None) -> None:
    make_world()
    said: dict[str, str] = {}
    for page in pages(boss):
        for each in Spoken(page.html).read:
            said.setdefault(each, page.address)
    texts = kept() | written_below() | set(SCORERS)
    texts |= {each.replace("_", " ") for each in texts if each.isidentifier()}
    known, vocabulary = sorted(texts - {""}, key=len, reverse=True), words_of(texts)

    found = [
        f"{address}: {each!r}: {left!r}"
        for each, address in said.items()
        if (left := unmarked(each, known, vocabulary))
    ]

    assert "\n".join(found) == ""


WORDS_IN_SCRIPTS = re.compile(
    r"""(?:textContent|innerText|title|placeholder)\s*=\s*["'`][^"'`]*[A-Za-z]{2}"""
    r"""|"(?:aria-label|title|placeholder)",[^;\n]*["'`][^"'`;\n]*[A-Z][a-z]"""
)


def test_no_script_has_words_for_people_of_its_own() -> None:
    """They come from the page, where they are marked: ``data-`` attributes of templates."""
    scripts = sorted((settings.BASE_DIR / "static" / "hotswap").glob("*.js"))

    found = {
        f"{script.name}: {line.strip()}"
        for script in scripts
        for line in script.read_text().splitlines()
        if WORDS_IN_SCRIPTS.search(line)
    }

    assert scripts
    assert found == set()


@pytest.mark.parametrize(
    "line",
    [
        'name.textContent = "More";',
        'part.setAttribute("aria-label", index ? "Table " + (index + 1) : "Table");',
    ],
)
def test_words_in_a_script_are_found(line: str) -> None:
    assert WORDS_IN_SCRIPTS.search(line)
