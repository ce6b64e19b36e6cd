"""Seal what is kept for good as it is written, chain the seals, and tell what was changed since.

A row is sealed in the transaction that writes it, so nothing is ever unsealed for a moment. The
chain is made a little later, by a sweep, in the order of the seals: were it made at once, all
decisions of all models would wait for one another.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.db.models import Exists, Model, OuterRef, QuerySet
from django.db.models.signals import post_save
from simple_history.models import registered_models

from versioning.domain import dates, sealing
from versioning.models import (
    Approval,
    Comment,
    EmergencyStep,
    Look,
    OutcomeReport,
    Seal,
    UpgradeStep,
)
from versioning.models.seals import hashes_of
from versioning.services import clock, locks, notices, stopping
from versioning.services.stopping import AskedToStop
from versioning.services.transactions import one_transaction

STEP = 1_000
"""Seals chained in one transaction, and rows read at once: a writer waits for no more."""

SUBJECT = "History"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain. Kept elsewhere, it shows later that nothing before it was rewritten."""

    number: int
    link: str

    def __str__(self) -> str:
        return f"{self.number}:{self.link}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the end that ``str`` wrote. Raises ValueError."""
        number, _, link = text.partition(":")
        if not number.isdecimal() or len(link) != len(sealing.START):
            raise ValueError("Write NUMBER:LINK, as verify_history printed it.")
        return cls(int(number), link)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at the whole history found."""

    seals: int
    head: Head
    fault: str = ""
    """The first thing that is not as it was written, in one sentence; empty if there is none."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """The seal of one row, and which of its fields are not as they were when it was written."""

    at: datetime
    number: int | None
    """Its place in the chain; None until the next sweep gives it one."""
    changed: list[str]


def of_rows(rows: Iterable[Model]) -> dict[Model, Sealed]:
    """Return the seal of each row that has one; a query for each table."""
    found: dict[Model, Sealed] = {}
    by_table: dict[str, dict[int, Model]] = defaultdict(dict)
    for row in rows:
        by_table[row._meta.db_table][row.pk] = row
    for table, held in by_table.items():
        for each in Seal.objects.filter(table=table, row__in=held):
            row = held[each.row]
            names = sealing.changed(sealed=each.fields, now=hashes_of(row))
            found[row] = Sealed(at=each.at, number=each.number, changed=names)
    return found


def tables() -> tuple[type[Model], ...]:
    """Return all that is append only: steps, approvals, looks, and the history of each row."""
    kept = [model.history.model for _, model in sorted(registered_models.items())]
    return (UpgradeStep, Approval, Comment, EmergencyStep, Look, OutcomeReport, *kept)


def kept_for_good(table: type[Model]) -> QuerySet[Model]:
    """Return the rows of a table that are sealed: of looks those that told something new.

    The others are dropped in time, which must not read as tampering.
    """
    rows = table._base_manager.all()
    return rows.filter(is_news=True) if table is Look else rows


def watch() -> None:
    """Have every row of the history sealed as it is written; called once a process."""
    for table in tables():
        post_save.connect(_seal_new, sender=table, dispatch_uid="seals")


def _seal_new(*, instance: Model, created: bool, **_: object) -> None:
    if created:
        seal_all([instance])


def seal_all(rows: Sequence[Model]) -> None:
    """Seal rows of one table that were just written: at once, which sends no signals."""
    if not rows:
        return
    # Read back: what counts is what the database holds, to the last digit.
    kept = kept_for_good(type(rows[0])).filter(pk__in=[row.pk for row in rows]).order_by("pk")
    Seal.objects.bulk_create(
        Seal(table=row._meta.db_table, row=row.pk, fields=hashes_of(row), at=clock.now())
        for row in kept
    )


def chain() -> int:
    """Put the seals that are in no chain yet at its end; return how many."""
    return stopping.in_parts(_chain_some)


def head() -> Head:
    """Return the end of the chain as it is now."""
    last = Seal.objects.chained().last()
    return Head(last.number or 0, last.link) if last else Head(0, sealing.START)


@one_transaction
def _chain_some() -> int:
    # Of two at once the second waits here, then finds these chained, and reads the end anew.
    loose = list(locks.hold(Seal.objects.loose())[:STEP])
    end = head()
    number, before = end.number, end.link
    for each in loose:
        number += 1
        before = each.link = sealing.link(
            before=before, number=number, table=each.table, row=each.row, fields=each.fields
        )
        each.number = number
    Seal.objects.bulk_update(loose, ["number", "link"])
    return len(loose)


def verify(*, since: Head | None = None) -> Verified:
    """Hold the whole history against its seals, and these against their chain.

    ``since`` is the end of the chain as it once was: a history that was written anew, seals and
    all, has another link there.
    """
    end, seals, fault = Head(0, sealing.START), 0, ""
    for part in _parts():
        seals += len(part)
        end, broken = _follow(end, part)
        fault = fault or broken or _first_changed(part)
        if since is not None and not fault:
            fault = _other_past(since, part)
    if since is not None and since.number > end.number:
        fault = fault or f"Seal {since.number} is gone: the chain ends at {end.number}."
    return Verified(seals=seals, head=end, fault=fault or _first_unsealed())


def verify_nightly(*, now: datetime) -> int:
    """Verify the history; raise a notice of what was changed. Return how many seals there are."""
    found = verify()
    if found.fault:
        sentence = (
            f"The history was changed behind Hotswap's back. {found.fault} Find out who can write "
            "to the database; hold it against a backup."
        )
        notices.raise_fault(subject=SUBJECT, sentence=sentence, now=now)
    else:
        notices.resolve_fault(subject=SUBJECT, by="the next look", now=now)
    return found.seals


def _parts() -> Iterator[list[Seal]]:
    """Yield all seals, those of the chain in its order, then the loose ones. Raises AskedToStop."""
    number = 0
    while part := list(Seal.objects.chained().filter(number__gt=number)[:STEP]):
        yield part
        if stopping.is_asked():
            raise AskedToStop
        number = part[-1].number or 0
    pk = 0
    while part := list(Seal.objects.loose().filter(pk__gt=pk).order_by("pk")[:STEP]):
        yield part
        if stopping.is_asked():
            raise AskedToStop
        pk = part[-1].pk


def _follow(end: Head, part: Iterable[Seal]) -> tuple[Head, str]:
    """Return the end of the chain after a part of it, and what is wrong with it first."""
    fault = ""
    for each in part:
        if each.number is None:
            continue
        link = sealing.link(
            before=end.link,
            number=end.number + 1,
            table=each.table,
            row=each.row,
            fields=each.fields,
        )
        if not fault and each.number != end.number + 1:
            fault = f"Seal {end.number + 1} is gone."
        elif not fault and each.link != link:
            fault = f"Seal {each.number} ({each.table} {each.row}) was changed."
        # From here on its own word is taken: the first fault is named, not all that follow.
        end = Head(each.number, each.link)
    return end, fault


def _other_past(since: Head, part: Iterable[Seal]) -> str:
    for each in part:
        if each.number == since.number and each.link != since.link:
            return f"The history up to seal {since.number} is another one than it was then."
    return ""


def _first_changed(part: list[Seal]) -> str:
    """Say which row of these is the first that is not as it was sealed."""
    models = {table._meta.db_table: table for table in tables()}
    rows: dict[tuple[str, int], Model] = {}
    for name in {each.table for each in part} & models.keys():
        ids = [each.row for each in part if each.table == name]
        for row in models[name]._base_manager.filter(pk__in=ids):
            rows[name, row.pk] = row
    for each in part:
        row_now = rows.get((each.table, each.row))
        if each.table not in models:
            continue  # a table that this release has no more
        if row_now is None:
            return f"{each.table} {each.row}, written {dates.moment(each.at)}, was removed."
        if names := sealing.changed(sealed=each.fields, now=hashes_of(row_now)):
            return (
                f"{each.table} {each.row}, written {dates.moment(each.at)}, was changed: "
                f"{', '.join(names)}."
            )
    return ""


def _first_unsealed() -> str:
    """Say which row was put in past Hotswap, and so has no seal."""
    for table in tables():
        name = table._meta.db_table
        sealed = Seal.objects.filter(table=name, row=OuterRef("pk"))
        first = kept_for_good(table).filter(~Exists(sealed)).order_by("pk").first()
        if first is not None:
            return f"{name} {first.pk} was put in past Hotswap: it has no seal."
    return ""
