"""The start page: what waits for a decision, and what is the matter."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from versioning.admin import (
    asked_checks,
    emergencies,
    first_steps,
    held_back,
    inbox_under_way,
    inbox_waiting,
    own_inbox,
    urgency,
    words,
)
from versioning.admin.base import caller_of
from versioning.models import Check, Notice, UpgradeStep
from versioning.services import clock
from versioning.services import inbox as inbox_service
from versioning.services.clock import local_day
from versioning.services.inbox import Inbox, ProviderState, RetiringVersion, Starting
from versioning.services.outbox import Backlog


def waiting_badge(request: HttpRequest) -> int:
    """Return the number beside "Inbox" in the sidebar; Unfold would write "None" for no number."""
    return inbox_service.waiting_count(caller_of(request))


def inbox(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the inbox to the start page, for whoever may see upgrades."""
    if not request.user.has_perm("versioning.view_upgraderecord"):
        return {**context, "title": _("Inbox"), "inbox": None}
    now = clock.now()
    person = own_inbox.read(request)
    found = inbox_service.gather(
        now=now,
        narrowing=person.narrowing,
        own_address=getattr(request.user, "email", ""),
        since=person.since,
        caller=caller_of(request),
    )
    return {
        **context,
        **own_inbox.context(person, found, request=request, now=now),
        **asked_checks.of(request, now=now),
        "title": _("Inbox"),
        "first_steps": first_steps.for_inbox(request),
        "inbox": found,
        "summary": _summary(found, is_narrowed=person.narrowing.is_on, now=now),
        "starting": [_starting(each, now=now) for each in found.starting],
        "more_starting": found.starting_count - len(found.starting),
        **emergencies.for_inbox(request, now=now),
        "notices": [_notice(notice, now=now) for notice in found.notices],
        "more_notices": found.notice_count - len(found.notices),
        "waiting": inbox_waiting.rows(
            found.waiting, requests=found.requests, request=request, now=now
        ),
        "more_waiting": max(0, found.waiting_count - len(found.waiting)),
        "maybes": [
            {"record": record, "question": words.question(record)} for record in found.maybes
        ],
        "under_way": inbox_under_way.rows(found.under_way, now=now),
        "held": held_back.rows(found.held, request=request, now=now),
        "more_held": found.held_count - len(found.held),
        "providers": [_provider(state, now=now) for state in found.providers],
        "retiring": [_retirement(each, now=now) for each in _not_starting(found)],
        "outbox": _outbox(found.outbox, now=now),
        "moves": [_news(step, now=now) for step in found.moves],
        "may_check": request.user.has_perm("versioning.run_check"),
    }


def _summary(found: Inbox, *, is_narrowed: bool, now: datetime) -> str:
    urgent = sum(words.is_urgent(record.urgent_on, now=now) for record in found.waiting)
    failed = sum(state.has_failed for state in found.providers)
    count = found.waiting_count
    said = [
        ngettext("%(count)s decision waits", "%(count)s decisions wait", count) % {"count": count}
        if count
        else ""
    ]
    said[0] += _(" of those you asked for") if count and is_narrowed else ""
    # The most urgent are shown: there may be more of them only where all of these are urgent.
    least = _("at least ") if urgent == len(found.waiting) < count else ""
    said.append(
        _("%(least)s%(urgent)s urgent") % {"least": least, "urgent": urgent} if urgent else ""
    )
    starts = found.starting_count
    said.append(
        ngettext(
            "%(starts)s move to start this week", "%(starts)s moves to start this week", starts
        )
        % {"starts": starts}
        if starts
        else ""
    )
    said.append(
        _("%(under_way_count)s under way") % {"under_way_count": found.under_way_count}
        if found.under_way
        else ""
    )
    said.append(
        ngettext(
            "%(failed)s provider could not be checked",
            "%(failed)s providers could not be checked",
            failed,
        )
        % {"failed": failed}
        if failed
        else ""
    )
    return " · ".join(part for part in said if part)


def _starting(each: Starting, *, now: datetime) -> dict[str, Any]:
    clock = each.clock
    is_late = clock.latest_start < local_day(now)
    return {
        "clock": clock,
        "record": each.record,
        "start": _("start by %(latest_start)s") % {"latest_start": words.day(clock.latest_start)},
        "left": words.until_day(clock.latest_start, now=now),
        "tone": "bad" if is_late else "warn",
        "retires": urgency.clock_date(clock, now=now),
        "needs": urgency.needs(clock.needs),
    }


def _notice(notice: Notice, *, now: datetime) -> dict[str, Any]:
    return {
        "notice": notice,
        "kind": urgency.notice_kind(notice),
        "ago": words.ago(notice.last_at or notice.raised_at, now=now),
    }


def _not_starting(found: Inbox) -> list[RetiringVersion]:
    """Return what retires, without what stands above as to be started this week."""
    above = {each.clock.version.pk for each in found.starting}
    return [each for each in found.retiring if each.version.pk not in above]


def _provider(state: ProviderState, *, now: datetime) -> dict[str, Any]:
    last = state.last
    return {
        "provider": state.provider,
        "check": last,
        "is_running": state.is_running,
        "has_failed": state.has_failed,
        "state": words.check_state(last) if last else words.badge(_("never checked"), "warn"),
        "news": words.check_news(last) if last else _("Check it to see what it lists."),
        "what_to_do": words.what_to_do(last) if last else "",
        "ago": words.ago(last.started_at, now=now) if last else "",
        "is_partly": last is not None and last.state == Check.State.PARTLY,
    }


def _retirement(each: RetiringVersion, *, now: datetime) -> dict[str, Any]:
    day = each.version.retires_on
    return {
        "version": each.version,
        "left": words.until_day(day, now=now) if day else "",
        "day": words.retirement(each.version, now=now),
        "tone": "bad" if words.is_urgent(day, now=now) else "warn",
        "has_recommendation": each.has_recommendation,
    }


def _outbox(backlog: Backlog, *, now: datetime) -> str:
    """Say what does not go out; empty where all is well."""
    if not backlog.is_stuck(now=now):
        return ""
    said = []
    if backlog.pending and backlog.oldest_at is not None:
        waits = f"{backlog.pending} {'wait' if backlog.pending > 1 else 'waits'}"
        said.append(
            _("%(waits)s to go out, the oldest for %(oldest_at)s.")
            % {"waits": waits, "oldest_at": timesince(backlog.oldest_at, now)}
        )
    if backlog.dead:
        given_up = _("%(dead)s %(was)s given up") % {
            "dead": backlog.dead,
            "was": "were" if backlog.dead > 1 else "was",
        }
        said.append(_("%(given_up)s after many tries.") % {"given_up": given_up})
    return " ".join(said)


def _news(step: UpgradeStep, *, now: datetime) -> dict[str, Any]:
    return {
        "step": step,
        "record": step.record,
        "name": f"{step.record.tracked_model.name} {words.labels(step.record)}",
        "verb": words.STEP_WORDS.get(step.after, step.get_after_display()),
        "tone": words.STATE_TONES[step.after],
        "ago": words.ago(step.at, now=now),
    }
