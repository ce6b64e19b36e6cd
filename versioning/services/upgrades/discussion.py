"""Talk about an upgrade where it is decided; a request for changes holds its approval back.

Nothing that was said is changed: what ends a request is said after it, by the one who asked, or by
somebody who sets things up, with a reason.
"""

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from versioning.domain.events import EventKind
from versioning.models import Comment, UpgradeRecord
from versioning.services import events, lookups
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, FieldError, Invalid, NotAllowed, ServiceError
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import moves

MOST_LETTERS = 2000


class ChangesAsked(ServiceError):
    """Somebody asks for changes: nobody may approve it until that is withdrawn or overridden."""

    code = "changes-asked"


def of_record(record: UpgradeRecord) -> QuerySet[Comment]:
    """Return what was said of an upgrade, the oldest first."""
    return record.comments.select_related("answered_by").order_by("pk")


def open_requests(records: Collection[UpgradeRecord]) -> dict[int, list[Comment]]:
    """Return the open requests for changes by the records' ids, in one query."""
    found: dict[int, list[Comment]] = {}
    for request in Comment.objects.open_requests().filter(record__in=records).order_by("pk"):
        found.setdefault(request.record_id, []).append(request)
    return found


def refuse_if_changes_are_asked(record: UpgradeRecord) -> None:
    """Raise ChangesAsked where a request for changes is open. The record is locked."""
    request = Comment.objects.open_requests().filter(record=record).order_by("pk").first()
    if request is not None:
        raise ChangesAsked(
            f"{request.actor_name} asks for changes: {request.text} It can be approved once they "
            "withdraw that, or somebody who sets things up overrides it with a reason."
        )


@one_transaction
def comment(
    *, record_id: int, text: str, asks_for_changes: bool = False, actor: Actor, now: datetime
) -> Comment:
    """Say something about an upgrade, or ask for changes before it is approved.

    Raises NotFound, Invalid (no text, or more than 2,000 letters), and AlreadyMoved where changes
    are asked of what waits for no approval.
    """
    said = _checked(text, "Say something: an empty comment helps nobody.")
    record = moves.locked(record_id)
    if asks_for_changes and not record.is_waiting:
        raise AlreadyMoved(
            f"It is {record.get_state_display()} already: no approval can be held back."
        )
    kind = Comment.Kind.CHANGES if asks_for_changes else Comment.Kind.COMMENT
    return _write(record, kind=kind, text=said, actor=actor, now=now)


@one_transaction
def withdraw(*, comment_id: int, record_id: int, actor: Actor, now: datetime) -> Comment:
    """Take one's own request for changes back.

    Raises NotFound, NotAllowed (somebody else's) and AlreadyMoved (it is no open request).
    """
    request = _open_request(comment_id, record_id=record_id)
    is_own = (request.actor_kind, request.actor_name) == (actor.kind, actor.name)
    if not is_own and (actor.user_id is None or actor.user_id != request.user_id):
        raise NotAllowed(f"Only {request.actor_name} can withdraw it; it can be overridden.")
    return _write(
        request.record, kind=Comment.Kind.WITHDRAWN, answers=request, actor=actor, now=now
    )


@one_transaction
def override(
    *, comment_id: int, record_id: int, reason: str, actor: Actor, now: datetime
) -> Comment:
    """End somebody's request for changes against their will; the reason is kept.

    Raises NotFound, Invalid (no reason) and AlreadyMoved (it is no open request).
    """
    said = _checked(reason, "Say why: whoever asked will read it.", pointer="/reason")
    request = _open_request(comment_id, record_id=record_id)
    return _write(
        request.record,
        kind=Comment.Kind.OVERRIDDEN,
        text=said,
        answers=request,
        actor=actor,
        now=now,
    )


def _open_request(comment_id: int, *, record_id: int) -> Comment:
    """Return an open request, its upgrade locked. Raises NotFound and AlreadyMoved."""
    record = moves.locked(record_id)
    request = lookups.one(
        record.comments.filter(pk=comment_id),
        missing=f"Nobody said {comment_id} of this upgrade.",
    )
    request.record = record
    if not Comment.objects.open_requests().filter(pk=request.pk).exists():
        raise AlreadyMoved("This is no open request for changes.")
    return request


def _write(
    record: UpgradeRecord,
    *,
    kind: Comment.Kind,
    text: str = "",
    answers: Comment | None = None,
    actor: Actor,
    now: datetime,
) -> Comment:
    made = Comment.objects.create(
        record=record,
        kind=kind,
        text=text,
        answers=answers,
        actor_kind=actor.kind,
        actor_name=actor.name,
        user_id=actor.user_id,
        at=now,
    )
    said = f": {text}" if text else "."
    events.write(
        _EVENTS[kind],
        tracked=record.tracked_model,
        record=record,
        sentence=f"{record}: {actor.name} {_WORDS[kind]}{said}",
        actor=actor,
        now=now,
        details={"comment_id": made.pk, "answers": answers.pk if answers else None},
    )
    return made


_EVENTS = {
    Comment.Kind.COMMENT: EventKind.COMMENTED,
    Comment.Kind.CHANGES: EventKind.CHANGES_ASKED,
    Comment.Kind.WITHDRAWN: EventKind.CHANGES_WITHDRAWN,
    Comment.Kind.OVERRIDDEN: EventKind.CHANGES_OVERRIDDEN,
}
_WORDS = {
    Comment.Kind.COMMENT: "says",
    Comment.Kind.CHANGES: "asks for changes",
    Comment.Kind.WITHDRAWN: "withdrew the request for changes",
    Comment.Kind.OVERRIDDEN: "overrode a request for changes",
}


def _checked(text: str, sentence: str, *, pointer: str = "/text") -> str:
    said = text.strip()
    if not said:
        raise Invalid(sentence, [FieldError(pointer, "missing", sentence)])
    if len(said) > MOST_LETTERS:
        message = f"At most {MOST_LETTERS:,} letters."
        raise Invalid(message, [FieldError(pointer, "too-long", message)])
    return said
