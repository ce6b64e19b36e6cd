"""Lists of the admin at any size: counted up to a bound, read by key, searched table by table.

Counting, sorting and searching a million joined rows takes seconds; none of it is needed to show
fifty. An order that no index holds is no order to offer: tests/versioning/admin/test_lists.py.
"""

from collections.abc import Sequence
from functools import cached_property, reduce
from math import ceil, sqrt
from operator import or_
from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import (
    CharField,
    Exists,
    ForeignKey,
    Max,
    Model,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    UniqueConstraint,
)
from django.db.models.lookups import IContains
from django.utils.text import smart_split, unescape_string_literal

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList

    PlainPaginator = Paginator[Any]
else:
    from unfold.views import ChangeList

    PlainPaginator = Paginator

MOST_COUNTED = 1_000
"""Rows that a list counts; of more it says that there are more."""

MOST_LEFT = 1_000
"""Of so many rows that one word leaves, each is tested for the other words."""

FEW, MANY = 50, 5_000
"""Up to so many matches are always looked up by key, and never more than so many."""

COMMON = 0.1
"""A text in this share of a related table is met soon whichever rows are tested."""


@CharField.register_lookup
@TextField.register_lookup
class FoundByStatistics(IContains):
    """``icontains`` of which PostgreSQL tells beforehand how many rows have the text.

    Where rows are tested one by one the plan hangs on that: of UPPER(...) it expects next to none,
    and gathers a whole table for fifty rows. It costs twice as much for each row.
    """

    lookup_name = "found_by_statistics"

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, told = self.process_lhs(compiler, connection)
        text, said = self.process_rhs(compiler, connection)
        return f"{column} ILIKE {text}", (*told, *said)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return IContains(self.lhs, self.rhs).as_sql(compiler, connection)


@CharField.register_lookup
@TextField.register_lookup
class FoundByBytes(FoundByStatistics):
    """``icontains`` for a word of ASCII, with which no language's rules are needed.

    Where PostgreSQL reads a whole table, it takes half the time.
    """

    lookup_name = "found_by_bytes"

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, told = self.process_lhs(compiler, connection)
        text, said = self.process_rhs(compiler, connection)
        return f'UPPER({column} COLLATE "C") LIKE UPPER({text})', (*told, *said)


class BoundedPaginator(PlainPaginator):
    """Counts to a bound, and reads a page's keys before its rows: far pages join nothing."""

    object_list: QuerySet[Any]
    template_name = "admin/bounded_pagination.html"
    most_counted = MOST_COUNTED

    @cached_property
    def count(self) -> int:
        """How many rows there are; one more than ``MOST_COUNTED`` means more than that."""
        return int(self.object_list.order_by().values("pk")[: MOST_COUNTED + 1].count())

    @property
    def is_bounded(self) -> bool:
        """Whether there are more rows than were counted."""
        return self.count > MOST_COUNTED

    @property
    def num_pages(self) -> int:
        """The number of pages; a bounded list may have any."""
        return 10**9 if self.is_bounded else max(1, ceil(self.count / self.per_page))

    def page(self, number: Any) -> Page[Any]:
        """Return a page. Raises as Django's own does for one that isn't there."""
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        keys = list(self.object_list.values_list("pk", flat=True)[first : first + self.per_page])
        return Page(self.object_list.filter(pk__in=keys), number, self)


class BoundedChangeList(ChangeList):
    """Says no number that it doesn't know, and sorts by nothing that it doesn't offer."""

    def get_ordering_field(self, field_name: Any) -> Any:
        # Django takes any column of an address, also one whose sorting would take seconds.
        offered = self.sortable_by is None or field_name in self.sortable_by
        return super().get_ordering_field(field_name) if offered else None

    def get_results(self, request: Any) -> None:
        super().get_results(request)
        if not self.result_count:  # to find no row once more is to read all of them once more
            self.result_list = self.queryset.none()
        if self.paginator.is_bounded:
            # "Select all" and "n results" would name the bound as if it were the number.
            self.result_count = len(self.result_list)
        if self.paginator.is_bounded or not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count


def sorted_by_an_index(model: type[Model]) -> set[str]:
    """Return the columns of a table by which an index of all its rows is ordered first.

    Columns with choices are left out: their few values say little of an order, and sorting each
    value's rows takes as long as sorting all.
    """
    firsts = {"pk", "id"}
    firsts |= {index.fields[0].lstrip("-") for index in model._meta.indexes if not index.condition}
    firsts |= {
        constraint.fields[0]
        for constraint in model._meta.constraints
        if isinstance(constraint, UniqueConstraint) and not constraint.condition
    }
    choices = {field.name for field in model._meta.concrete_fields if field.choices}
    return firsts - choices


def search(rows: QuerySet[Any], *, fields: Sequence[str], text: str) -> QuerySet[Any]:
    """Return the rows of which each word of the text is found in one of the fields.

    Fields are lookups as in ``search_fields``. Each table is searched by itself: few matches are
    then looked up by key, many are tested row by row in the list's order, which meets fifty soon.
    Where one word leaves few rows, only those are tested for the others.
    """
    model, size = rows.model, _size(rows.model)
    are_few = False
    for number, word in enumerate(_words(text)):
        if number and not are_few:
            keys = list(rows.order_by().values_list("pk", flat=True)[: MOST_LEFT + 1])
            are_few = len(keys) <= MOST_LEFT
            rows = rows.filter(pk__in=keys) if are_few else rows
        rows = rows.filter(
            _row_by_row(model, fields, word) if are_few else _found(model, fields, word, size=size)
        )
    return rows


def _words(text: str) -> list[str]:
    """Return the words of a search, the longest first: they find the fewest rows."""
    words = [
        unescape_string_literal(word)
        if word.startswith(('"', "'")) and word[0] == word[-1]
        else word
        for word in smart_split(text)
    ]
    return sorted(words, key=len, reverse=True)


def _found(model: type[Model], fields: Sequence[str], word: str, *, size: int) -> Q:
    """Return what finds a word in a table's own columns and in those of its relations."""
    own, relations = _by_relation(fields)
    condition = Q(pk__in=[])
    if own:
        matches = _in_columns(own, word)
        keys = _few(model, matches, "pk", searched=size)
        condition = matches if keys is None else Q(pk__in=keys)
    for name, theirs in relations.items():
        condition |= _found_in_relation(model, name, theirs, word, size=size)
    return condition


def _by_relation(fields: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return own columns, and relations with their fields."""
    own: list[str] = []
    relations: dict[str, list[str]] = {}
    for field in fields:
        name, _, rest = field.partition("__")
        if rest:
            relations.setdefault(name, []).append(rest)
        else:
            own.append(name)
    return own, relations


def _in_columns(names: Sequence[str], word: str) -> Q:
    """Return what finds a word while a whole table is read."""
    lookup = "found_by_bytes" if word.isascii() else "found_by_statistics"
    return _any_of(names, lookup, word)


def _row_by_row(model: type[Model], fields: Sequence[str], word: str) -> Q:
    """Return what tests single rows for a word, with the rows that belong to them."""
    own, relations = _by_relation(fields)
    condition = _any_of(own, "found_by_statistics", word)
    for name, theirs in relations.items():
        other, here, there = _ends_of(model, name)
        related = other._default_manager.filter(
            _row_by_row(other, theirs, word), **{there: OuterRef(here)}
        )
        condition |= Q(Exists(related))
    return condition


def _any_of(names: Sequence[str], lookup: str, word: str) -> Q:
    return reduce(or_, (Q(**{f"{name}__{lookup}": word}) for name in names), Q(pk__in=[]))


def _ends_of(model: type[Model], name: str) -> tuple[type[Model], str, str]:
    """Return the related model, and the columns here and there that say what belongs together."""
    relation: Any = model._meta.get_field(name)
    if isinstance(relation, ForeignKey):
        return relation.related_model, name, "pk"
    return relation.related_model, "pk", relation.field.name


def _found_in_relation(
    model: type[Model], name: str, fields: Sequence[str], word: str, *, size: int
) -> Q:
    """Return what finds a word in a related table, all of whose columns are read at once."""
    other, own, theirs = _ends_of(model, name)
    columns, further = _by_relation(fields)
    beyond = Q(pk__in=[])
    for next_name, next_fields in further.items():
        beyond |= _found_in_relation(other, next_name, next_fields, word, size=_size(other))
    keys = _few(other, _in_columns(columns, word) | beyond, theirs, searched=size)
    if keys is not None:
        return Q(**{f"{own}__in": keys})
    matches = _any_of(columns, "found_by_statistics", word) | beyond
    related = other._default_manager.filter(matches, **{theirs: OuterRef(own)})
    return Q(Exists(related))


def _few(model: type[Model], matches: Q, column: str, *, searched: int) -> list[Any] | None:
    """Return the matches' keys, unless there are so many that testing rows in order is cheaper.

    With a share s of matches, keys lead to s * searched rows, while the list's order meets enough
    for a page and its count after MOST_COUNTED / s rows. PostgreSQL finds the cheaper way by itself
    as soon as it knows the keys; of a text's matches it expects far too few. Half of all keys lead
    to half of the rows: to send them takes longer than to test some rows.
    """
    size = _size(model)
    most = int(size * sqrt(MOST_COUNTED / max(searched, MOST_COUNTED)))
    most = MANY if connection.vendor == "postgresql" else min(max(FEW, most), MANY)
    most = min(most, max(FEW, (size if column == "pk" else searched) // 2))
    found = model._default_manager.filter(matches).order_by().values_list(column, flat=True)
    # Not distinct in the database: PostgreSQL would read all matches before it tells the first.
    read = most if column == "pk" else max(most, int(size * COMMON))
    rows = list(found[: read + 1])
    keys = list(dict.fromkeys(rows))
    return None if len(rows) > read or len(keys) > most else keys


def _size(model: type[Model]) -> int:
    """Return about how many rows a table has: its highest key, which costs nothing to ask."""
    highest = model._default_manager.aggregate(highest=Max("pk"))["highest"]
    return int(highest or 0)
