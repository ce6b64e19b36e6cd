"""What a person must know: told once, open until it is resolved."""

from datetime import datetime

from django.db.models import Case, F, IntegerField, QuerySet, Value, When

from versioning.models import Notice, UpgradeRecord
from versioning.services import lookups
from versioning.services.actors import Actor
from versioning.services.errors import ServiceError
from versioning.services.storable import UNSTORABLE

_MOST_URGENT = (
    Notice.Kind.WORSE,
    Notice.Kind.WAY_BACK,
    Notice.Kind.FAULT,
    Notice.Kind.CANARY_PAUSED,
    Notice.Kind.CANARY_ABORTED,
    Notice.Kind.ROLLED_BACK,
    Notice.Kind.TESTS_FAILED,
)


class AlreadyResolved(ServiceError):
    """Somebody resolved the notice first."""

    code = "already-resolved"


def raise_for(*, record: UpgradeRecord, kind: Notice.Kind, sentence: str, now: datetime) -> None:
    """Raise a notice, unless one of this kind is open for the record."""
    Notice.objects.get_or_create(
        record=record,
        kind=kind,
        resolved_at=None,
        defaults={"sentence": sentence[:500], "raised_at": now},
    )


def raise_fault(*, subject: str, sentence: str, now: datetime) -> None:
    """Tell of something that Hotswap itself could not do: what ``subject`` names went wrong.

    While one is open for the subject it is told again in the newest words, and counted.
    The sentence is for people: no key and no prompt may be in it.
    """
    subject, sentence = subject_of(subject), _storable(sentence)[:500]
    told = Notice.objects.open().filter(kind=Notice.Kind.FAULT, subject=subject)
    again = {"sentence": sentence, "last_at": now, "times": F("times") + 1}
    if told.update(**again):
        return
    _, is_new = Notice.objects.get_or_create(
        kind=Notice.Kind.FAULT,
        subject=subject,
        record=None,
        resolved_at=None,
        defaults={"sentence": sentence, "raised_at": now},
    )
    if not is_new:  # another process told it in between
        told.update(**again)


def resolve_fault(*, subject: str, by: str, now: datetime) -> None:
    """Close the open notice of a fault that is over, if there is one."""
    told = Notice.objects.open().filter(kind=Notice.Kind.FAULT, subject=subject_of(subject))
    told.update(resolved_at=now, resolved_by=by)


def subject_of(text: str) -> str:
    """Return a subject as it is kept."""
    return _storable(text)[:200]


def _storable(text: str) -> str:
    return UNSTORABLE.sub("?", text)


def resolve(*, record: UpgradeRecord, kind: Notice.Kind, by: str, now: datetime) -> None:
    """Close the open notice of a kind, if there is one."""
    Notice.objects.open().filter(record=record, kind=kind).update(resolved_at=now, resolved_by=by)


def resolve_one(*, notice_id: int, actor: Actor, now: datetime) -> Notice:
    """Close a notice that a person has dealt with: of several who do, one does.

    It changes nothing of the upgrade: what is paused stays paused. Raises NotFound and
    AlreadyResolved.
    """
    closed = (
        Notice.objects.open().filter(pk=notice_id).update(resolved_at=now, resolved_by=actor.name)
    )
    notice = notice_by_id(notice_id)
    if not closed:
        by = notice.resolved_by or "the scheduler"
        raise AlreadyResolved(f"This notice is resolved already by {by}. Nothing was changed.")
    return notice


def urgent_first() -> QuerySet[Notice]:
    """Return the open notices, those where requests suffer first, each with its upgrade."""
    rank = Case(
        *(When(kind=kind, then=Value(number)) for number, kind in enumerate(_MOST_URGENT)),
        default=Value(len(_MOST_URGENT)),
        output_field=IntegerField(),
    )
    return with_records().filter(resolved_at=None).order_by(rank, "-raised_at", "-pk")


def with_records() -> QuerySet[Notice]:
    """Return all notices, each with the upgrade that it is about."""
    return Notice.objects.select_related(
        "record__tracked_model__provider", "record__from_version", "record__to_version"
    )


def notice_by_id(notice_id: int) -> Notice:
    """Return a notice with the upgrade that it is about. Raises NotFound."""
    return lookups.one(
        with_records().filter(pk=notice_id), missing=f"There is no notice {notice_id}."
    )
