"""Keep what each look at a record's figures showed, so that no later look rewrites it.

A canary is looked at every few minutes for weeks, and its figures grow with every sample: a look
is kept where it leads to something or says otherwise than the one before, else at most one an
hour. So two weeks of a canary are some 340 rows, whatever its traffic.
"""

from datetime import datetime, timedelta
from typing import Any

from versioning.domain.evidence import Evidence, read
from versioning.models import Look, UpgradeRecord
from versioning.services import sample_settings, stopping
from versioning.services.transactions import one_transaction

EVERY = timedelta(hours=1)
"""How far looks that say the same lie apart at least: a day of them can be read on one page."""

STEP = 1_000
"""Looks dropped in one transaction: so no writer waits for long."""


def keep(
    *,
    record: UpgradeRecord,
    stage: Look.Stage,
    outcome: str,
    says: str,
    shown: Evidence,
    now: datetime,
    position: int | None = None,
    samples: int | None = None,
) -> None:
    """Write a look down if it is news, or if an hour has passed and its figures are others.

    Called in the transaction of what it leads to, with the record locked: both are there, or
    neither.
    """
    look = Look(
        record=record,
        stage=stage,
        at=now,
        outcome=outcome,
        says=says[:500],
        position=position,
        samples=samples,
        evidence=shown.as_dict(),
        evidence_hash=shown.digest,
    )
    last = Look.objects.filter(record=record, stage=stage).order_by("-at", "-pk").first()
    look.is_news = last is None or _gist(last) != _gist(look)
    is_due = last is None or now - last.at >= EVERY
    if look.is_news or (is_due and last is not None and last.evidence_hash != look.evidence_hash):
        look.save(force_insert=True)


def drop_old(*, now: datetime) -> int:
    """Drop the looks without news that are older than single samples get; return how many went.

    What they said, the one before them says: of those that stay, none is ever dropped.
    """
    old = Look.objects.filter(is_news=False, at__lt=now - sample_settings.retention())
    ids = old.order_by("pk").values_list("pk", flat=True)
    return stopping.in_parts(lambda: _drop_some(list(ids[:STEP])))


@one_transaction
def _drop_some(ids: list[int]) -> int:
    return Look.objects.filter(pk__in=ids).delete()[0]


def _gist(look: Look) -> tuple[Any, ...]:
    """Return what a look says and leads to, without its figures."""
    shown = read(look.evidence)
    return (
        look.outcome,
        look.position,
        shown.verdict,
        shown.decision,
        [(gate.name, gate.status) for gate in shown.gates],
        [caution.code for caution in shown.warnings],
        [(part.name, part.judgement.verdict) for part in (*shown.tasks, *shown.slices)],
        [(test.run, test.verdict, test.passes) for test in shown.tests or ()],
    )
