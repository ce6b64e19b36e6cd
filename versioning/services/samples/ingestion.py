"""Take in samples: a batch is placed, stored and added up in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, InterfaceError, OperationalError, transaction

from versioning.models import PendingScore
from versioning.services.errors import Busy
from versioning.services.samples import (
    sample_batch,
    sample_placement,
    sample_store,
    sample_words,
    seen_models,
    sightings,
)
from versioning.services.samples.rollup_sums import Row, sums_by_cell
from versioning.services.samples.sample_batch import Batch
from versioning.services.samples.sample_format import Rejected, SampleIn

ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a batch; accepted + duplicates + rejected are all of its items."""

    accepted: int
    duplicates: int
    rejected: tuple[Rejected, ...]


def accept(
    items: Sequence[SampleIn | Rejected], *, api_key_id: int | None, now: datetime
) -> Accepted:
    """Store a batch of samples with its share of the roll-ups, all or nothing.

    A request id that the key has sent before is a duplicate and changes nothing. Items that
    can't be used are named in the answer, the others are stored. When it returns, the
    transaction is committed (unless the caller holds one open). Raises Busy when the database
    can't take it now: nothing is stored then.
    """
    try:
        for _ in range(ATTEMPTS):
            batch = sample_batch.build(items, api_key_id=api_key_id, now=now)
            try:
                with transaction.atomic():
                    stored = _store(batch)
            except IntegrityError:
                # Another transaction stored one of the requests, or removed a row that this
                # process remembered, after we looked.
                _forget()
                continue
            return Accepted(
                accepted=stored,
                duplicates=len(batch.rows) - stored,
                rejected=tuple(batch.rejected),
            )
    except (OperationalError, InterfaceError) as error:
        raise Busy("The database can't take samples now; send them again.") from error
    raise Busy("Others send the same requests at this moment; send them again.")


def _store(batch: Batch) -> int:
    """Insert what is new and its sums; return how many that were."""
    rows = _new_rows(batch.rows)
    sample_store.insert_samples(rows)
    sample_store.append_parts(sums_by_cell(rows, terms=batch.terms))
    sightings.note(rows, foreign=batch.terms.foreign, served_by_route=batch.served_by_route)
    return len(rows)


def _new_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of requests not seen before, with the scores that came before them."""
    first: dict[int, Row] = {}
    new = []
    for row in rows:
        if row.request_hash is None:
            new.append(row)
        else:
            first.setdefault(row.request_hash, row)
    stored, scores = sample_store.known_requests(list(first))
    for request_hash, row in first.items():
        if request_hash not in stored:
            score = scores.get(request_hash)
            new.append(row if score is None else row._replace(quality=score))
    if scores:
        PendingScore.objects.filter(request_hash__in=scores).delete()
    return new


def _forget() -> None:
    sample_placement.forget()
    sample_words.forget()
    seen_models.forget()
