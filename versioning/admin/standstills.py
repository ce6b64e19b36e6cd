"""What stands still now, for the top of every page."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from providers.moments import stamp
from versioning.services import clock, standstills
from versioning.services.standstills import Standstill


def on_every_page(request: HttpRequest) -> dict[str, Callable[[], list[dict[str, str]]]]:
    """Give templates a name that asks only where it is used: the context of every page."""

    def shown() -> list[dict[str, str]]:
        user: Any = getattr(request, "user", None)
        if user is None or not user.has_perm("versioning.view_upgraderecord"):
            return []
        return [_said(each) for each in standstills.current(now=clock.now())]

    return {"standstills": shown}


def _said(each: Standstill) -> dict[str, str]:
    if each.switch is not None:
        reason = f": {each.switch.reason}" if each.switch.reason else "."
        return {
            "what": _("Automation is off."),
            "why": _("%(changed_by)s switched it off on %(changed_at)s%(reason)s")
            % {
                "changed_by": each.switch.changed_by,
                "changed_at": stamp(each.switch.changed_at),
                "reason": reason,
            },
            "link": reverse("admin:versioning_automationswitch_changelist"),
        }
    if each.freeze is not None:
        whose = f"of {each.freeze.provider}" if each.freeze.provider else _("at all")
        return {
            "what": _("Frozen: %(freeze_name)s.") % {"freeze_name": each.freeze.name},
            "why": _(
                "Nothing %(whose)s moves by itself until %(ends_at)s. People may still decide."
            )
            % {"whose": whose, "ends_at": stamp(each.freeze.ends_at)},
            "link": reverse("admin:versioning_freeze_change", args=[each.freeze.pk]),
        }
    if each.notice is not None:
        return {
            "what": _("The %(subject)s was given up.")
            % {"subject": standstills.GIVEN_UP[each.notice.subject]},
            "why": each.notice.sentence,
            "link": reverse("admin:versioning_notice_changelist") + "?resolved_at__isempty=1",
        }
    if each.free_bytes is not None:
        return {
            "what": _("The disk is nearly full."),
            "why": _(
                "%(left)s MB are left where the data folder is: soon nothing can be written. Make "
                "room, or keep single samples for fewer days (HOTSWAP_RETENTION_DAYS)."
            )
            % {"left": each.free_bytes // 1024**2},
            "link": reverse("admin:versioning_performancesample_changelist"),
        }
    if each.idle_since is not None:
        return {
            "what": _("No worker does anything."),
            "why": _(
                "Nothing was done since %(idle_since)s, although the scheduler goes on: the worker "
                "is dead, or the queue's server is away. Look at both; nothing is lost, and all is "
                "made up for (docs/operations.md)."
            )
            % {"idle_since": stamp(each.idle_since)},
            "link": reverse("admin:django_celery_beat_periodictask_changelist"),
        }
    since = stamp(each.silent_since) if each.silent_since else ""
    return {
        "what": _("The scheduler is silent."),
        "why": _(
            "Nothing was started since %(since)s: no check, no canary and no roll-back goes on. "
            "See whether the scheduler runs (docs/operations.md)."
        )
        % {"since": since},
        "link": reverse("admin:django_celery_beat_periodictask_changelist"),
    }
