"""Texts that many samples share, as small numbers: tasks, error classes, tag sets, routes."""

from collections.abc import Iterable, Mapping

from django.db import connection

from versioning.models import Route, SliceTag, Word
from versioning.models.samples import TAGS_LENGTH
from versioning.services import process_cache

RouteKey = tuple[str, str, str]
OTHER = "…"
"""Stands for every text beyond the limit of a kind: a table of words must not grow like samples."""

# Far more than anybody names by hand; whoever passes one sends ids in place of words. Tasks
# and slices multiply the sums.
LIMITS = {Word.Kind.TASK: 1_000, Word.Kind.ERROR: 500, Word.Kind.TAGS: 5_000, Word.Kind.SLICE: 300}
MOST_ROUTES = 20_000

_words: dict[tuple[int, str], int] = {}
_routes: dict[RouteKey, int] = {}


def forget() -> None:
    """Empty what this process remembers."""
    _words.clear()
    _routes.clear()


process_cache.forget_after_migration(forget)


def ids_of(kind: Word.Kind, texts: Iterable[str]) -> dict[str, int]:
    """Return the number of each text; new ones are added, up to the limit of their kind.

    No query when all are remembered, at most five whatever the number of new ones.
    """
    wanted = set(texts)
    keep = process_cache.may_keep()
    known = {text: _words[kind, text] for text in wanted if (kind, text) in _words} if keep else {}
    missing = wanted - known.keys()
    if not missing:
        return known
    found = _stored_words(kind, missing)
    if len(found) < len(missing):
        room = max(LIMITS[kind] - Word.objects.filter(kind=kind).count(), 0)
        # Sorted: two transactions that add the same words insert them in one order, and can't
        # wait for each other.
        new = sorted(missing - found.keys())
        added = new if len(new) <= room else [*new[:room], OTHER]
        Word.objects.bulk_create(
            [Word(kind=kind, text=text) for text in added], ignore_conflicts=True
        )
        # Read back: whoever was first with a word gave it its number.
        found = _stored_words(kind, {*missing, OTHER})
    if keep:
        _words.update({(kind, text): number for text, number in found.items()})
    return known | {text: found.get(text) or found[OTHER] for text in missing}


def routes_of(routes: Iterable[RouteKey]) -> dict[RouteKey, int]:
    """Return the number of each (requested, resolved, served); otherwise as ids_of."""
    wanted = set(routes)
    keep = process_cache.may_keep()
    known = {route: _routes[route] for route in wanted if route in _routes} if keep else {}
    missing = wanted - known.keys()
    if not missing:
        return known
    found = _stored_routes(missing)
    if len(found) < len(missing):
        room = max(MOST_ROUTES - Route.objects.count(), 0)
        new = sorted(missing - found.keys())
        added = new if len(new) <= room else [*new[:room], _OTHER_ROUTE]
        Route.objects.bulk_create(
            [Route(requested=ids[0], resolved=ids[1], served=ids[2]) for ids in added],
            ignore_conflicts=True,
        )
        found = _stored_routes({*missing, _OTHER_ROUTE})
    if keep:
        _routes.update(found)
    return known | {route: found.get(route) or found[_OTHER_ROUTE] for route in missing}


_OTHER_ROUTE: RouteKey = (OTHER, OTHER, OTHER)


def _stored_words(kind: Word.Kind, texts: set[str]) -> dict[str, int]:
    return dict(Word.objects.filter(kind=kind, text__in=texts).values_list("text", "id"))


def _stored_routes(routes: set[RouteKey]) -> dict[RouteKey, int]:
    served = {ids[2] for ids in routes}
    rows = Route.objects.filter(served__in=served).values_list(
        "requested", "resolved", "served", "id"
    )
    found = {(a, b, c): number for a, b, c, number in rows}
    return {route: found[route] for route in routes if route in found}


def declared_sql() -> str:
    """Return the SQL that gives the names of the declared tags as one text, for ``tag_names``."""
    aggregate = "string_agg" if connection.vendor == "postgresql" else "group_concat"
    return f"SELECT {aggregate}(name, ',') FROM {SliceTag._meta.db_table}"  # noqa: S608


def tag_names(text: str | None) -> frozenset[str]:
    """Return the names in a text of names with commas between; a tag's name holds none."""
    return frozenset(text.split(",")) if text else frozenset()


def declared_tags() -> frozenset[str]:
    """The names of the tags whose values are compared apart."""
    return frozenset(SliceTag.objects.values_list("name", flat=True))


def slices_of(tags: Mapping[str, int], *, declared: frozenset[str]) -> dict[int, int]:
    """Return the number of each tag text's slice: the part of it whose names are declared."""
    texts = {number: slice_text(text, declared=declared) for text, number in tags.items()}
    numbers = ids_of(Word.Kind.SLICE, texts.values())
    return {number: numbers[text] for number, text in texts.items()}


def tag_text(tags: Mapping[str, str]) -> str:
    """Return tags as one text, in one order, whole pairs only: language=de,tier=pro."""
    text = ",".join(f"{name}={value}" for name, value in sorted(tags.items()))
    return text if len(text) <= TAGS_LENGTH else text[:TAGS_LENGTH].rpartition(",")[0]


def slice_text(tags: str, *, declared: frozenset[str]) -> str:
    """Return the part of a tag text whose names are declared."""
    return ",".join(part for part in tags.split(",") if part.partition("=")[0] in declared)
