"""The inbox as one person sees it: what they narrow it to, and what is new since they looked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from versioning.admin import words
from versioning.domain.events import EventKind
from versioning.models import OwnInbox
from versioning.services import clock, inbox, own_inbox
from versioning.services import messages as event_messages
from versioning.services.inbox import Inbox
from versioning.services.own_inbox import MINE, VERDICTS, Narrowing, Urgency

SHOWN_NEW = 8
ALL = "all"
"""In the address: shows everything once, whatever a person keeps."""

URGENCIES = {
    Urgency.URGENT: gettext_lazy("retires within 30 days"),
    Urgency.DATED: gettext_lazy("has a retirement date"),
    Urgency.UNDATED: gettext_lazy("has no date"),
}
HAPPENED = {
    EventKind.RECOMMENDED: gettext_lazy("recommended"),
    EventKind.REOPENED: gettext_lazy("back for a decision"),
    EventKind.DECIDED: gettext_lazy("decided"),
    EventKind.MOVED: gettext_lazy("moved"),
    EventKind.ROLLED_BACK: gettext_lazy("rolled back"),
    EventKind.FAILED: gettext_lazy("failed in testing"),
    EventKind.CANARY_PAUSED: gettext_lazy("canaries paused"),
    EventKind.CANARY_ABORTED: gettext_lazy("canaries aborted"),
    EventKind.RETIREMENT_CHANGED: gettext_lazy("retirements changed"),
    EventKind.START_THIS_WEEK: gettext_lazy("to start this week"),
    EventKind.DRIFTED: gettext_lazy("drifted"),
    EventKind.SERVED_OTHERWISE: gettext_lazy("answered by another id"),
    EventKind.PROVIDER_FAILING: gettext_lazy("providers failing"),
    EventKind.KEY_REFUSED: gettext_lazy("keys refused"),
}
"""What the line names; whatever else happened counts as "more"."""


@dataclass(frozen=True, slots=True)
class PersonalInbox:
    """One person's inbox, before it is gathered."""

    kept: OwnInbox
    narrowing: Narrowing
    is_kept: bool
    """Whether what it is narrowed to is what they keep, and not what the address asks for."""
    since: datetime | None


def read(request: HttpRequest) -> PersonalInbox:
    """Read what the address asks for, else what the person keeps."""
    user: Any = request.user
    kept = own_inbox.of(user_id=user.pk)
    asked = Narrowing.read(request.GET)
    default = Narrowing.read(kept.narrowed_to)
    is_kept = default.is_on and not asked.is_on and ALL not in request.GET
    return PersonalInbox(
        kept=kept,
        narrowing=default if is_kept else asked,
        is_kept=is_kept,
        since=kept.seen_at or user.last_login,
    )


def context(
    own: PersonalInbox, found: Inbox, *, request: HttpRequest, now: datetime
) -> Mapping[str, Any]:
    """Return what the templates show of the filter and of what is new."""
    user: Any = request.user
    narrowing = asdict(own.narrowing)
    return {
        "narrowing": narrowing,
        "is_narrowed": own.narrowing.is_on,
        "is_kept": own.is_kept,
        "keeps": bool(Narrowing.read(own.kept.narrowed_to).is_on),
        "owns_nothing": own.narrowing.owner == MINE and not user.email,
        "urgencies": [(each.value, name) for each, name in URGENCIES.items()],
        "verdicts": [(code, words.code_words(code)) for code in VERDICTS],
        "filter_providers": [state.provider.slug for state in found.providers],
        "new": _new(own, found, now=now),
    }


def _new(own: PersonalInbox, found: Inbox, *, now: datetime) -> dict[str, Any] | None:
    """Say in a line what happened since they looked; None where nobody knows when that was."""
    if own.since is None or not found.happened:
        return None
    counts = Counter(HAPPENED.get(EventKind(each.kind), "") for each in found.happened)
    more = counts.pop("", 0)
    said = [f"{count} {name}" for name, count in counts.most_common()]
    said += [_("%(count)s more") % {"count": more}] if more else []
    if len(found.happened) == inbox.MOST_NEW:
        said.append(_("and what came before"))
    return {
        "since": words.ago(own.since, now=now),
        "said_so": own.kept.seen_at is not None,
        "line": ", ".join(said),
        "events": [
            {
                "event": each,
                "page": event_messages.page_of(each),
                "ago": words.ago(each.at, now=now),
            }
            for each in found.happened[:SHOWN_NEW]
        ],
        "more": max(0, len(found.happened) - SHOWN_NEW),
    }


def keep(request: HttpRequest) -> HttpResponse:
    """Keep what the inbox is narrowed to, or nothing, for whoever asks."""
    _need_inbox(request)
    narrowing = Narrowing.read(request.POST)
    own_inbox.keep(user_id=request.user.pk or 0, narrowing=narrowing)
    said = _("Kept: your inbox shows this first.") if narrowing.is_on else _("It shows all again.")
    messages.success(request, said)
    return HttpResponseRedirect(reverse("admin:index"))


def mark_seen(request: HttpRequest) -> HttpResponse:
    """Write down that the person has seen what is new."""
    _need_inbox(request)
    own_inbox.mark_seen(user_id=request.user.pk or 0, now=clock.now())
    asked = Narrowing.read(request.POST)
    query = {name: value for name, value in asdict(asked).items() if value}
    return HttpResponseRedirect(f"{reverse('admin:index')}?{urlencode(query)}".rstrip("?"))


def _need_inbox(request: HttpRequest) -> None:
    if not request.user.has_perm("versioning.view_upgraderecord"):
        raise PermissionDenied
