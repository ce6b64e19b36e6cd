"""Each request counts once: a span that only wraps another one's request is left out.

An agent's span without an operation, a framework's span and the vendor's SDK below it tell of the
same request. The innermost one counts. A child ends, and is sent, before its parent, often in
another export: so what was counted is remembered for a while, by span and by each ancestor that
is known of. Both sides claim the same rows, and the database lets one of them win: two exports at
the same moment can't both count.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple

from django.db import connection

from versioning.models import TracedSpan
from versioning.models.fields import to_ms
from versioning.services.samples.trace_format import Span
from versioning.services.samples.trace_names import TEXTS
from versioning.services.transactions import one_transaction

WINDOW = timedelta(minutes=15)
"""How long a span is remembered: a parent is sent seconds after its child, or after a retry."""

MOST_LEVELS = 50
"""How far up ancestors are looked for: a span's parents may form a circle."""

FORGOTTEN_AT_ONCE = 20_000
_TABLE = TracedSpan._meta.db_table


class _Claim(NamedTuple):
    """That a span asks a model itself (counted), or that another one below it does."""

    span: int
    model: int
    counted: bool


@one_transaction
def wrappers(spans: Sequence[Span], *, requests: Iterable[int], now: datetime) -> set[int]:
    """Return which of the ``requests`` (indexes of spans) only wrap a request told elsewhere.

    Remembers the others. Two or three statements, whatever the number of spans.
    """
    family = _Family(spans, requests)
    inner = family.wrap_in_export()
    kept = {index: models for index, models in family.models.items() if index not in inner}
    # First: who is known to have a request below must not claim to be one.
    claims = family.claims_of_others(_known(family.between()))
    claims += [claim for index in kept for claim in family.claims(index)]
    if not claims:
        return inner
    _insert(claims, now=now)
    known = _known({claim.span for claim in claims})
    return inner | {
        index
        for index in kept
        if any(not known.get(key, True) for key in family.own_keys(index))
        or any(known.get(key, False) for key in family.keys_above(index))
    }


def forget_old(*, now: datetime) -> int:
    """Drop what was remembered longer than the window ago; return how many rows went."""
    old = TracedSpan.objects.filter(at__lt=to_ms(now - WINDOW))
    return TracedSpan.objects.filter(
        pk__in=list(old.order_by("at").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
    ).delete()[0]


class _Family:
    """The spans of an export as children and parents."""

    def __init__(self, spans: Sequence[Span], requests: Iterable[int]) -> None:
        self.spans = spans
        self.by_name = {span.name: index for index, span in enumerate(spans) if span.name}
        self.models = {index: _models_of(spans[index]) for index in requests}

    def above(self, index: int) -> Iterator[tuple[str, int | None]]:
        """Yield the name of each ancestor, with its index where it is in the export."""
        span, seen = self.spans[index], {self.spans[index].name}
        while span.parent_id and span.trace_id and len(seen) <= MOST_LEVELS:
            name = f"{span.trace_id}:{span.parent_id}"
            if name in seen:
                return
            seen.add(name)
            found = self.by_name.get(name)
            yield name, found
            if found is None:
                return
            span = self.spans[found]

    def wrap_in_export(self) -> set[int]:
        """Return the requests that have a request to the same model below them."""
        return {
            above
            for index, models in self.models.items()
            for _, above in self.above(index)
            if above is not None and models & self.models.get(above, frozenset())
        }

    def between(self) -> set[int]:
        """Return the hashes of the spans that may have others above and below them."""
        return {_hash(span.name) for span in self.spans if span.parent_id and span.name}

    def claims(self, index: int) -> Iterator[_Claim]:
        for span, model in self.own_keys(index):
            yield _Claim(span, model, True)
        for span, model in self.keys_above(index):
            yield _Claim(span, model, False)

    def own_keys(self, index: int) -> Iterator[tuple[int, int]]:
        if name := self.spans[index].name:
            yield from ((_hash(name), _hash(model)) for model in self.models[index])

    def keys_above(self, index: int) -> Iterator[tuple[int, int]]:
        for name, _ in self.above(index):
            yield from ((_hash(name), _hash(model)) for model in self.models[index])

    def claims_of_others(self, known: Mapping[tuple[int, int], bool]) -> list[_Claim]:
        """Hand on to their ancestors what is known to lie below the spans between.

        What a request of its own asks is its own claim, on it and on what is above it.
        """
        below: defaultdict[int, list[int]] = defaultdict(list)
        for span, model in known:
            below[span].append(model)
        return [
            _Claim(_hash(name), model, False)
            for index, span in enumerate(self.spans)
            if below and span.name and (models := below.get(_hash(span.name)))
            for name, _ in self.above(index)
            for model in models
        ]


def _models_of(span: Span) -> frozenset[str]:
    """Return the names of the model that a span asked, without path: a gateway adds its own."""
    told = (span.attributes.get(name) for key in _MODELS for name in TEXTS[key])
    return frozenset(str(name).rpartition("/")[2].lower() for name in told if name)


_MODELS = ("upstream_id", "served_id")


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def _insert(claims: Iterable[_Claim], *, now: datetime) -> None:
    """Store the claims; who came first with a span and model stands.

    In one order, so that two exports with the same spans can't block each other. A claim that
    another transaction is storing at this moment is waited for.
    """
    first: dict[tuple[int, int], bool] = {}
    for claim in claims:
        first.setdefault(claim[:2], claim.counted)
    rows = [[*key, counted] for key, counted in sorted(first.items())]
    names = "span, model, counted, at"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            columns = [list(column) for column in zip(*rows, strict=True)]
            cursor.execute(
                f"INSERT INTO {_TABLE} ({names})"  # noqa: S608 (names of tables and columns only)
                " SELECT *, %s FROM unnest(%s::bigint[], %s::bigint[], %s::boolean[])"
                " ON CONFLICT DO NOTHING",
                [to_ms(now), *columns],
            )
        else:
            cursor.execute(
                f"INSERT OR IGNORE INTO {_TABLE} ({names})"  # noqa: S608
                " SELECT value ->> 0, value ->> 1, value ->> 2, %s FROM json_each(%s)",
                [to_ms(now), json.dumps(rows)],
            )


def _known(spans: Iterable[int]) -> dict[tuple[int, int], bool]:
    """Return what is remembered of the spans: by span and model, whether it was counted itself."""
    wanted: list[Any] = sorted(spans)
    if not wanted:
        return {}
    if connection.vendor == "postgresql":
        among, parameter = "= ANY(%s::bigint[])", f"{{{','.join(map(str, wanted))}}}"
    else:
        among, parameter = "IN (SELECT value FROM json_each(%s))", json.dumps(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT span, model, counted FROM {_TABLE} WHERE span {among}",  # noqa: S608
            [parameter],
        )
        return {(span, model): bool(counted) for span, model, counted in cursor.fetchall()}
