"""What a person must know: told once, open until it is resolved."""

from datetime import datetime

from versioning.models import Notice, UpgradeRecord


def tell(*, record: UpgradeRecord, kind: Notice.Kind, sentence: str, now: datetime) -> None:
    """Raise a notice, unless one of this kind is open for the record."""
    Notice.objects.get_or_create(
        record=record,
        kind=kind,
        resolved_at=None,
        defaults={"sentence": sentence[:500], "raised_at": now},
    )


def resolve(*, record: UpgradeRecord, kind: Notice.Kind, by: str, now: datetime) -> None:
    """Close the open notice of a kind, if there is one."""
    Notice.objects.open().filter(record=record, kind=kind).update(resolved_at=now, resolved_by=by)
