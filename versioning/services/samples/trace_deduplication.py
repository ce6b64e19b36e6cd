"""Each request counts once: a span that only wraps another one's request is left out.

An agent's span without an operation, a framework's span and the vendor's SDK below it tell of the
same request. The innermost one counts. A child ends, and is sent, before its parent, often in
another export, and sometimes the other way round: so what was counted, and which span belongs to
which, is remembered for a while. Whoever learns last that one request lies below another takes the
outer one back, so that any order of any exports ends the same. Both sides claim the same rows, and
the database lets one of them win: two exports at the same moment can't both count.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple

from django.db import connection

from versioning.models import SpanLink, TracedSpan
from versioning.models.fields import to_ms
from versioning.models.traces import WINDOW
from versioning.services.samples.store import one_of
from versioning.services.samples.trace_format import Span
from versioning.services.samples.trace_names import reading_of
from versioning.services.transactions import one_transaction

MOST_LEVELS = 50
"""How far up ancestors are looked for: a span's parents may form a circle."""

FORGOTTEN_AT_ONCE = 20_000
_UNCOUNTED = "NOT counted"
_TABLE, _LINKS = TracedSpan._meta.db_table, SpanLink._meta.db_table

Key = tuple[int, int]
"""A span and a model that it asks, or that is asked below it, by their hashes."""


class _Claim(NamedTuple):
    """That a span asks a model itself (counted), or that another one below it does."""

    counted: bool
    request_hash: int | None = None


_BELOW = _Claim(counted=False)


@dataclass(frozen=True, slots=True)
class SortedOut:
    """Which requests of an export only wrap others, and what it showed of earlier ones.

    ``wrapping`` are indexes of spans. ``taken_back`` are the hashes of requests whose samples were
    counted before anybody knew of the request below. ``keys`` are those of what counts.
    """

    wrapping: frozenset[int]
    taken_back: frozenset[int]
    keys: frozenset[Key]


@one_transaction
def sort_out(
    spans: Sequence[Span], *, requests: Mapping[int, int | None], now: datetime
) -> SortedOut:
    """Tell requests from what only wraps them, and remember it.

    ``requests`` are the indexes of spans that ask a model, with the hash of their request. A
    handful of statements, whatever the number of spans.
    """
    family = _Family(spans, requests)
    _insert_links(family, now=now)
    inner = family.wrap_in_export()
    kept = [index for index in requests if index not in inner]
    own = {index: family.own_keys(index) for index in kept}
    # First: who is known to have a request below must not claim to be one.
    claims = dict.fromkeys(family.above_others(_known(family.between())), _BELOW)
    claims |= dict.fromkeys(family.above_all(kept), _BELOW)
    above = set(claims)
    for index, keys in own.items():
        claim = _Claim(True, requests[index])
        for key in keys:
            claims.setdefault(key, claim)
    _insert(claims, now=now)
    lost = _known({span for keys in own.values() for span, _ in keys}, _UNCOUNTED)
    wrapping = inner | {index for index, keys in own.items() if not lost.keys().isdisjoint(keys)}
    return SortedOut(
        wrapping=frozenset(wrapping),
        taken_back=_taken_back(above),
        keys=frozenset(key for index, keys in own.items() if index not in wrapping for key in keys),
    )


def overtaken(keys: Collection[Key]) -> frozenset[int]:
    """Return the requests among what was counted that others have shown to be wrappers since.

    Asked once their samples are stored: another export may have looked for them before that.
    """
    known = _known({span for span, _ in keys}, f"{_UNCOUNTED} AND request_hash IS NOT NULL")
    found = (told.request_hash for key, told in known.items() if key in keys)
    return frozenset(hash_ for hash_ in found if hash_ is not None)


def forget_old(*, now: datetime) -> int:
    """Drop what was remembered longer than the window ago; return how many rows went."""
    gone = 0
    for table in (TracedSpan, SpanLink):
        rows = table._default_manager.filter(at__lt=to_ms(now - WINDOW)).order_by("at")
        some = list(rows.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
        gone += table._default_manager.filter(pk__in=some).delete()[0]
    return gone


class _Family:
    """The spans of an export as children and parents, with what earlier exports told of them."""

    def __init__(self, spans: Sequence[Span], requests: Iterable[int]) -> None:
        hashes = _Hashes()
        self.names = [hashes[span.name] if span.name else None for span in spans]
        self.parents = [
            hashes[f"{span.trace_id}:{span.parent_id}"]
            if span.trace_id and span.parent_id
            else None
            for span in spans
        ]
        # Of two that each call the other their parent nobody knows which wraps: both count.
        circle = _in_circles(dict(zip(self.names, self.parents, strict=True)))
        self.parents = [
            None if name in circle else parent
            for name, parent in zip(self.names, self.parents, strict=True)
        ]
        self.by_name = {name: index for index, name in enumerate(self.names) if name is not None}
        self.models = {
            index: frozenset(hashes[name] for name in _models_of(spans[index]))
            for index in requests
        }

    def in_export(self, index: int) -> Iterator[tuple[int, int | None]]:
        """Yield the hash of each ancestor, with its index; the first that isn't here ends it."""
        seen = {self.names[index]}
        above = self.parents[index]
        while above is not None and above not in seen and len(seen) <= MOST_LEVELS:
            seen.add(above)
            found = self.by_name.get(above)
            yield above, found
            if found is None:
                return
            above = self.parents[found]

    def above(self, index: int) -> list[int]:
        """Return the hashes of all ancestors that are known of, also from earlier exports."""
        found = list(self.in_export(index))
        here = [name for name, _ in found]
        is_open = bool(found) and found[-1][1] is None
        further = self.further_up.get(here[-1], ()) if is_open else ()
        # A circle over several exports says as little of who wraps whom as one within an export.
        return [] if self.names[index] in further else [*here, *further]

    @cached_property
    def further_up(self) -> Mapping[int, Sequence[int]]:
        """The ancestors, from earlier exports, of the parents that aren't in this one."""
        parents = {name for name in self.parents if name is not None}
        return _ancestors(parents - self.by_name.keys())

    def wrap_in_export(self) -> set[int]:
        """Return the requests that have a request to the same model below them."""
        return {
            above
            for index, models in self.models.items()
            for _, above in self.in_export(index)
            if above is not None and not models.isdisjoint(self.models.get(above, ()))
        }

    def between(self) -> set[int]:
        """Return the hashes of the spans that may have others above and below them."""
        pairs = zip(self.names, self.parents, strict=True)
        return {name for name, parent in pairs if name is not None and parent is not None}

    def own_keys(self, index: int) -> list[Key]:
        name = self.names[index]
        return [] if name is None else [(name, model) for model in self.models[index]]

    def above_all(self, requests: Iterable[int]) -> Iterator[Key]:
        """Yield who is above the requests, with the models that these ask."""
        for index in requests:
            models = self.models[index]
            yield from ((span, model) for span in self.above(index) for model in models)

    def above_others(self, known: Iterable[Key]) -> Iterator[Key]:
        """Yield who is above the spans between, with what is known to lie at or below these."""
        below: defaultdict[int, list[int]] = defaultdict(list)
        for span, model in known:
            below[span].append(model)
        for index, name in enumerate(self.names if below else ()):
            if name is not None and (models := below.get(name)):
                yield from ((above, model) for above in self.above(index) for model in models)


def _in_circles(parents: Mapping[int | None, int | None]) -> set[int]:
    """Return the spans that are above themselves; each is looked at once."""
    found: set[int] = set()
    done: set[int] = set()
    for first in parents:
        path: dict[int, int] = {}
        at = first
        while at is not None and at not in done and at not in path:
            path[at] = len(path)
            at = parents.get(at)
        if at is not None and at in path:
            found.update(list(path)[path[at] :])
        done.update(path)
    return found


def _models_of(span: Span) -> frozenset[str]:
    """Return the names of the model that a span asked, without path: a gateway adds its own."""
    told = (span.attributes[name] for name in reading_of(span.attributes).models)
    return frozenset(str(name).rpartition("/")[2].lower() for name in told if name)


class _Hashes(dict[str, int]):
    """The hash of each text: most spans of an export name the same models and each other."""

    def __missing__(self, text: str) -> int:
        digest = blake2b(text.encode(), digest_size=8).digest()
        self[text] = made = int.from_bytes(digest, "big", signed=True)
        return made


def _taken_back(above: Collection[Key]) -> frozenset[int]:
    """Let none of the spans count any more; return the requests that did.

    Those that an earlier export took back, and whose samples it could not, are among them.
    """
    known = _known({span for span, _ in above}, "(counted OR request_hash IS NOT NULL)")
    told = {key: each for key, each in known.items() if key in above}
    # With every name that it asks: one that answered as another model is no request to that either.
    outer = {span for span, _ in told}
    counted = sorted(key for key, each in known.items() if each.counted and key[0] in outer)
    if counted:
        _uncount(counted)
    return frozenset(each.request_hash for each in told.values() if each.request_hash is not None)


def _insert_links(family: _Family, *, now: datetime) -> None:
    pairs = zip(family.names, family.parents, strict=True)
    rows = {name: parent for name, parent in pairs if name is not None and parent is not None}
    _add(_LINKS, {"span": "bigint", "parent": "bigint"}, sorted(rows.items()), now=now)


def _insert(claims: Mapping[Key, _Claim], *, now: datetime) -> None:
    """Store the claims; who came first with a span and model stands.

    In one order, so that two exports with the same spans can't block each other. A claim that
    another transaction is storing at this moment is waited for.
    """
    columns = {"span": "bigint", "model": "bigint", "counted": "boolean", "request_hash": "bigint"}
    _add(_TABLE, columns, [(*key, *claims[key]) for key in sorted(claims)], now=now)


def _add(
    table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]], *, now: datetime
) -> None:
    """Store rows of these columns in one statement; what is there already stays."""
    if not rows:
        return
    names = ", ".join((*columns, "at"))
    if connection.vendor == "postgresql":
        source = ", ".join(f"%s::{type_}[]" for type_ in columns.values())
        statement = (
            f"INSERT INTO {table} ({names}) SELECT *, %s FROM unnest({source})"  # noqa: S608
            " ON CONFLICT DO NOTHING"
        )
        parameters: list[Any] = [to_ms(now), *map(list, zip(*rows, strict=True))]
    else:
        told = ", ".join(f"value ->> {place}" for place in range(len(columns)))
        statement = (
            f"INSERT OR IGNORE INTO {table} ({names})"  # noqa: S608 (names only)
            f" SELECT {told}, %s FROM json_each(%s)"
        )
        parameters = [to_ms(now), json.dumps(rows)]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def _known(spans: Iterable[int], condition: str = "") -> dict[Key, _Claim]:
    """Return what is remembered of the spans, by span and model."""
    where = f"{condition} AND span" if condition else "span"
    rows = _select(f"SELECT span, model, counted, request_hash FROM {_TABLE} WHERE {where}", spans)  # noqa: S608
    return {(span, model): _Claim(bool(counted), told) for span, model, counted, told in rows}


def _ancestors(spans: Iterable[int]) -> dict[int, list[int]]:
    """Return the spans that earlier exports told to be above each of these."""
    rows = _select(
        "WITH RECURSIVE up (start, parent, level) AS"  # noqa: S608 (names only)
        f" (SELECT span, parent, 1 FROM {_LINKS} WHERE span",
        spans,
        " UNION SELECT up.start, further.parent, up.level + 1 FROM up"  # noqa: S608
        f" JOIN {_LINKS} further ON further.span = up.parent WHERE up.level < {MOST_LEVELS})"
        " SELECT DISTINCT start, parent FROM up",
    )
    found: defaultdict[int, list[int]] = defaultdict(list)
    for start, parent in rows:
        found[start].append(parent)
    return found


def _uncount(keys: Sequence[Key]) -> None:
    if connection.vendor == "postgresql":
        among = "(SELECT * FROM unnest(%s::bigint[], %s::bigint[]))"
        parameters: list[Any] = [list(column) for column in zip(*keys, strict=True)]
    else:
        among = "(SELECT value ->> 0, value ->> 1 FROM json_each(%s))"
        parameters = [json.dumps(keys)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_TABLE} SET counted = %s WHERE counted AND (span, model) IN {among}",  # noqa: S608
            [False, *parameters],
        )


def _select(before: str, among: Iterable[int], after: str = "") -> list[Any]:
    """Return the rows of a query for a set of numbers."""
    wanted = sorted(among)
    if not wanted:
        return []
    condition, parameter = one_of(wanted)
    with connection.cursor() as cursor:
        cursor.execute(f"{before} {condition}{after}", [parameter])
        return list(cursor.fetchall())
