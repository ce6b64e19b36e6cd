"""The inbox as one person sees it: narrowed to what is theirs, and what is new to them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from versioning.domain.statistics.decision import Decision
from versioning.models import OwnInbox
from versioning.models.upgrades import UpgradeRecordQuerySet
from versioning.services import clock

URGENT_WITHIN = timedelta(days=30)
MINE = "mine"
"""Stands for the address of whoever looks: so that a shared link shows each their own."""

VERDICTS: Mapping[str, Decision] = {each.value.lower().replace(" ", "_"): each for each in Decision}


class Urgency(StrEnum):
    """By the retirement of the version in use."""

    URGENT = "urgent"
    """Within thirty days, or past."""
    DATED = "dated"
    UNDATED = "undated"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What the waiting list is narrowed to; an empty part asks for nothing."""

    urgency: str = ""
    provider: str = ""
    owner: str = ""
    verdict: str = ""

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Read an address or what was kept; what isn't known counts as not asked for."""
        said = {name: str(raw.get(name, ""))[:254].strip() for name in cls.__slots__}
        if said["urgency"] not in set(Urgency):
            said["urgency"] = ""
        if said["verdict"] not in VERDICTS:
            said["verdict"] = ""
        return cls(**said)

    @property
    def is_on(self) -> bool:
        return self != type(self)()

    def of(
        self, records: UpgradeRecordQuerySet, *, own_address: str, now: datetime
    ) -> UpgradeRecordQuerySet:
        """Return those of the records that are asked for. Whoever has no address owns nothing."""
        if self.urgency == Urgency.URGENT:
            records = records.filter(urgent_on__lte=clock.local_day(now) + URGENT_WITHIN)
        elif self.urgency:
            records = records.filter(urgent_on__isnull=self.urgency == Urgency.UNDATED)
        if self.provider:
            records = records.filter(tracked_model__provider__slug=self.provider)
        if self.owner:
            owner = own_address if self.owner == MINE else self.owner
            records = (
                records.filter(tracked_model__owner__iexact=owner) if owner else records.none()
            )
        if self.verdict:
            records = records.filter(evidence__decision=VERDICTS[self.verdict].value)
        return records


def of(*, user_id: int) -> OwnInbox:
    """Return what a person keeps; nothing is written for one who keeps nothing."""
    return OwnInbox.objects.filter(user=user_id).first() or OwnInbox(user_id=user_id)


def keep(*, user_id: int, narrowing: Narrowing) -> None:
    """Show a person this part of the inbox from now on, where the address asks for nothing."""
    _write(OwnInbox(user_id=user_id, narrowed_to=asdict(narrowing)), "narrowed_to")


def mark_seen(*, user_id: int, now: datetime) -> None:
    """Write down that a person has seen what happened until now."""
    _write(OwnInbox(user_id=user_id, seen_at=now), "seen_at")


def _write(row: OwnInbox, field: str) -> None:
    """Store one field of a person's row in one statement, whether there is a row or not."""
    OwnInbox.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["user"], update_fields=[field]
    )
