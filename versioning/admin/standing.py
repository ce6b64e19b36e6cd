"""What stands still now, for the top of every page."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from versioning.admin import words
from versioning.services import standing
from versioning.services.standing import Standstill


def on_every_page(request: HttpRequest) -> dict[str, Callable[[], list[dict[str, str]]]]:
    """Give templates a name that asks only where it is used: the context of every page."""

    def standstills() -> list[dict[str, str]]:
        user: Any = getattr(request, "user", None)
        if user is None or not user.has_perm("versioning.view_upgraderecord"):
            return []
        return [_said(each) for each in standing.standstills(now=timezone.now())]

    return {"standstills": standstills}


def _said(each: Standstill) -> dict[str, str]:
    if each.switch is not None:
        reason = f": {each.switch.reason}" if each.switch.reason else "."
        return {
            "what": "Automation is off.",
            "why": f"{each.switch.changed_by} switched it off on "
            f"{words.stamp(each.switch.changed_at)}{reason}",
            "link": reverse("admin:versioning_automationswitch_changelist"),
        }
    if each.freeze is not None:
        whose = f"of {each.freeze.provider}" if each.freeze.provider else "at all"
        return {
            "what": f"Frozen: {each.freeze.name}.",
            "why": f"Nothing {whose} moves by itself until {words.stamp(each.freeze.ends_at)}. "
            "People may still decide.",
            "link": reverse("admin:versioning_freeze_change", args=[each.freeze.pk]),
        }
    if each.notice is not None:
        return {
            "what": f"The {standing.GIVEN_UP[each.notice.subject]} was given up.",
            "why": each.notice.sentence,
            "link": reverse("admin:versioning_notice_changelist") + "?resolved_at__isempty=1",
        }
    since = words.stamp(each.silent_since) if each.silent_since else ""
    return {
        "what": "The scheduler is silent.",
        "why": f"Nothing was started since {since}: no check, no canary and no roll-back goes on. "
        "See whether the scheduler runs (docs/operations.md).",
        "link": reverse("admin:django_celery_beat_periodictask_changelist"),
    }
