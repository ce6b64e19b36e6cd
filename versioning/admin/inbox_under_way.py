"""What is under way, as the inbox shows it: a piece of the page that is asked for again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from versioning.admin import fragments, words
from versioning.admin.base import caller_of
from versioning.domain.transitions import State
from versioning.models import UpgradeRecord
from versioning.services import clock, inbox
from versioning.services.upgrades import progress


def piece(request: HttpRequest) -> HttpResponse:
    """Return what is under way now; 304 where it is as it was."""
    if not request.user.has_perm("versioning.view_upgraderecord"):
        raise PermissionDenied
    shown = rows(inbox.under_way(caller_of(request)), now=clock.now())
    context = {"under_way": shown, "has_ended_meanwhile": not shown}
    return fragments.answer(request, "admin/versioning/inbox/under_way.html", context)


def rows(records: Sequence[UpgradeRecord], *, now: datetime) -> list[dict[str, Any]]:
    canaries = any(record.state == State.CANARY for record in records)
    every = progress.look_every() if canaries else None
    found = []
    for record in records:
        trial = getattr(record, "canary", None) if record.state == State.CANARY else None
        found.append(
            {
                "record": record,
                "state": words.state(record),
                "weight": _("%(weight)s of the keys, step %(step)s of %(steps)s")
                % {
                    "weight": f"{trial.weight:.0%}",
                    "step": trial.position + 1,
                    "steps": len(trial.plan),
                }
                if trial
                else "",
                "says": trial.says if trial else "",
                "next_look": progress.next_look(trial, every=every) if trial else None,
                "since": words.ago(record.changed_at, now=now),
            }
        )
    return found
