"""Take in samples: a batch is placed, stored and added up in one transaction."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, InterfaceError, OperationalError

from versioning.models import Tally
from versioning.services import constraints, tallies
from versioning.services.errors import Busy
from versioning.services.samples import (
    placement,
    request_uses,
    sightings,
    store,
    unknown_models,
    vocabulary,
)
from versioning.services.samples.batch import Batch, build
from versioning.services.samples.incoming import Rejected, SampleIn
from versioning.services.samples.rollup_sums import SampleRow, sums_by_cell
from versioning.services.transactions import one_transaction

# Each further one is owed to another transaction that came in between.
ATTEMPTS = 5

ACCEPTED, DUPLICATE = "accepted", "duplicate"
"""Results of samples that are counted; all others are the codes of refusals."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a batch; accepted + duplicates + rejected are all of its items."""

    accepted: int
    duplicates: int
    rejected: tuple[Rejected, ...]


def accept(
    items: Sequence[SampleIn | Rejected],
    *,
    api_key_id: int | None,
    traced: Set[int] = frozenset(),
    now: datetime,
) -> Accepted:
    """Store a batch of samples with its share of the roll-ups, all or nothing.

    A request id that the key has sent before is a duplicate and changes nothing. Items that
    can't be used are named in the answer, the others are stored. ``traced`` are the hashes of
    requests that another span may yet show to be none of their own. When it returns, the
    transaction is committed (unless the caller holds one open). Raises Busy when the database
    can't take it now: nothing is stored then.
    """
    try:
        batch = build(items, api_key_id=api_key_id, now=now)
        for attempt in range(ATTEMPTS):
            try:
                stored = _store(batch, ask_first=attempt > 0, traced=traced, now=now)
            except IntegrityError as error:
                if not (constraints.is_duplicate(error) or constraints.is_missing(error)):
                    raise
                if attempt == 0:
                    continue  # some of the requests are stored already: find out which
                # Another transaction stored one of them, or removed a row that this process
                # remembered, after we looked.
                _forget()
                batch = build(items, api_key_id=api_key_id, now=now)
                continue
            return Accepted(
                accepted=stored,
                duplicates=len(batch.rows) - stored,
                rejected=tuple(batch.rejected),
            )
    except (OperationalError, InterfaceError) as error:
        raise Busy("The database can't take samples now; send them again.") from error
    raise Busy("Others send the same requests at this moment; send them again.")


@one_transaction
def _store(batch: Batch, *, ask_first: bool, traced: Set[int], now: datetime) -> int:
    """Insert what is new and its sums; return how many that were.

    Nearly every batch is new throughout. So nobody asks which requests are stored until the
    database has refused one (IntegrityError): that is a fifth of the work.
    """
    rows = _new_rows(batch, ask_first=ask_first)
    store.insert_samples(rows)
    store.append_parts(sums_by_cell(rows, terms=batch.terms))
    request_uses.note(batch.uses, stored=rows, traced=traced, now=now)
    sightings.note(rows, foreign=batch.terms.foreign, served_by_route=batch.served_by_route)
    results = Counter(item.code for item in batch.rejected)
    results |= {ACCEPTED: len(rows), DUPLICATE: len(batch.rows) - len(rows)}
    tallies.note_all(Tally.Kind.SAMPLE, results, now=now)
    return len(rows)


def _new_rows(batch: Batch, *, ask_first: bool) -> list[SampleRow]:
    """Return the first row of each request, with the score that came before it."""
    first: dict[int, SampleRow] = {}
    new = []
    for row in batch.rows:
        if row.request_hash is None:
            new.append(row)
        else:
            first.setdefault(row.request_hash, row)
    if ask_first:
        for request_hash in store.stored_requests(list(first)):
            del first[request_hash]
    if first and batch.scores_wait:
        for request_hash, later in store.take_waiting_scores(list(first)):
            row = first[request_hash]
            quality, signals = later.on(
                row.scored, latency_ms=row.latency_ms, failed=row.error_id is not None
            )
            first[request_hash] = row._replace(quality=quality, signals=signals)
    return [*new, *first.values()]


def _forget() -> None:
    placement.forget()
    vocabulary.forget()
    unknown_models.forget()
