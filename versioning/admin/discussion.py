"""What people say on an upgrade's page: comments, and requests for changes that hold it back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from versioning.admin import words
from versioning.admin.base import actor_of
from versioning.models import Comment, UpgradeRecord
from versioning.services import clock
from versioning.services.errors import ServiceError
from versioning.services.upgrades import discussion

DISCUSS = "versioning.reject_upgrade"
"""Who may say no may say less."""
OVERRIDE = "versioning.setup"
TONES = {
    Comment.Kind.COMMENT: "plain",
    Comment.Kind.CHANGES: "warn",
    Comment.Kind.WITHDRAWN: "plain",
    Comment.Kind.OVERRIDDEN: "warn",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentRow:
    """One thing that was said, in the upgrade's history."""

    comment: Comment
    at: datetime
    ago: SafeString
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """An open request for changes, and who may end it."""

    comment: Comment
    ago: SafeString
    is_own: bool


def rows(record: UpgradeRecord, *, now: datetime) -> list[CommentRow]:
    """Return all that was said of a record, the oldest first."""
    return [
        CommentRow(
            comment=comment,
            at=comment.at,
            ago=words.ago(comment.at, now=now),
            tone=TONES[Comment.Kind(comment.kind)],
        )
        for comment in discussion.of_record(record)
    ]


def context(
    request: HttpRequest, record: UpgradeRecord, said: Sequence[CommentRow], *, now: datetime
) -> dict[str, Any]:
    """Return what the page needs to show open requests, and the form to say something."""
    actor = actor_of(request)
    answered = {row.comment.answers_id for row in said}
    return {
        "requests": [
            RequestRow(
                comment=row.comment,
                ago=row.ago,
                is_own=row.comment.user_id is not None and row.comment.user_id == actor.user_id,
            )
            for row in said
            if row.comment.kind == Comment.Kind.CHANGES and row.comment.pk not in answered
        ],
        "may_discuss": request.user.has_perm(DISCUSS),
        "may_override": request.user.has_perm(OVERRIDE),
        "typed": request.GET.get("said", ""),
        "most_letters": discussion.MOST_LETTERS,
    }


def comment(request: HttpRequest, record_id: int) -> HttpResponse:
    """Write a comment down, or a request for changes where that button was pressed."""
    text, asks = request.POST.get("text", ""), "ask" in request.POST
    return _do(
        request,
        record_id,
        permission=DISCUSS,
        typed=text,
        done=_("You asked for changes: nobody can approve it until you withdraw that.")
        if asks
        else _("Your comment is kept."),
        act=lambda now: discussion.comment(
            record_id=record_id,
            text=text,
            asks_for_changes=asks,
            actor=actor_of(request),
            now=now,
        ),
    )


def withdraw(request: HttpRequest, record_id: int, comment_id: int) -> HttpResponse:
    return _do(
        request,
        record_id,
        permission=DISCUSS,
        done=_("You withdrew your request for changes."),
        act=lambda now: discussion.withdraw(
            comment_id=comment_id, record_id=record_id, actor=actor_of(request), now=now
        ),
    )


def override(request: HttpRequest, record_id: int, comment_id: int) -> HttpResponse:
    return _do(
        request,
        record_id,
        permission=OVERRIDE,
        done=_("You overrode the request for changes."),
        act=lambda now: discussion.override(
            comment_id=comment_id,
            record_id=record_id,
            reason=request.POST.get("reason", ""),
            actor=actor_of(request),
            now=now,
        ),
    )


def _do(
    request: HttpRequest,
    record_id: int,
    *,
    permission: str,
    done: str,
    act: Callable[[datetime], object],
    typed: str = "",
) -> HttpResponse:
    """Do it and say so; what is refused says why, and keeps what was typed."""
    if not request.user.has_perm(permission):
        raise PermissionDenied
    where = reverse("admin:versioning_upgraderecord_change", args=[record_id])
    try:
        act(clock.now())
    except ServiceError as error:
        messages.error(request, str(error))
        kept = f"?{urlencode({'said': typed})}" if typed else ""
        return HttpResponseRedirect(f"{where}{kept}#discussion")
    messages.success(request, done)
    return HttpResponseRedirect(f"{where}#discussion")
