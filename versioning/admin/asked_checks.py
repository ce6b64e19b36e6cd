"""What somebody asked of providers just now: followed on the page until each has answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from providers.models import Provider
from versioning.admin import fragments, words
from versioning.models import Check
from versioning.services import clock

KEPT_AS = "asked_checks"
SHOWN_FOR = timedelta(minutes=10)
"""Who looks later finds the checks in their list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedProvider:
    """A provider that was asked: ``check`` is None until a worker has begun."""

    provider: Provider
    check: Check | None
    state: SafeString
    news: str

    @property
    def has_answered(self) -> bool:
        return self.check is not None and self.check.state != Check.State.RUNNING


def keep(request: HttpRequest, *, slug: str, now: datetime) -> None:
    """Remember for this person what was asked, and when; an empty slug is all enabled providers."""
    request.session[KEPT_AS] = [now.isoformat(), slug]


def of(request: HttpRequest, *, now: datetime) -> dict[str, Any]:
    """Return what this person asked for a short while ago; empty where that is nothing."""
    kept = request.session.get(KEPT_AS)
    if not kept or not request.user.has_perm("versioning.view_check"):
        return {}
    at, slug = datetime.fromisoformat(kept[0]), kept[1]
    if now - at > SHOWN_FOR:
        return {}
    rows = _rows(at=at, slug=slug)
    answered = sum(row.has_answered for row in rows)
    told = {"answered": answered, "all": len(rows)}
    return {
        "asked": rows,
        "asked_is_open": answered < len(rows),
        "asked_says": _("%(answered)s of %(all)s answered") % told,
    }


def piece(request: HttpRequest) -> HttpResponse:
    """Return how far it has come; 304 where it is as it was."""
    if not request.user.has_perm("versioning.view_check"):
        raise PermissionDenied
    context = of(request, now=clock.now())
    return fragments.answer(request, "admin/versioning/check/asked.html", context)


def _rows(*, at: datetime, slug: str) -> Sequence[AskedProvider]:
    named = Provider.objects.filter(slug=slug) if slug else Provider.objects.filter(enabled=True)
    providers = list(named.order_by("slug"))
    # One that was being asked already isn't asked twice: what it answers counts.
    recent = Q(started_at__gte=at) | Q(finished_at__gte=at) | Q(state=Check.State.RUNNING)
    checks = Check.objects.filter(recent, provider__in=providers).order_by("started_at", "pk")
    newest = {check.provider_id: check for check in checks}
    return [_row(provider, newest.get(provider.pk)) for provider in providers]


def _row(provider: Provider, check: Check | None) -> AskedProvider:
    return AskedProvider(
        provider=provider,
        check=check,
        state=words.check_state(check) if check else words.badge(_("waits for a worker"), "info"),
        news=words.check_news(check) if check else "",
    )
