"""What all pages of this app share."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.admin import SETUP, SetUpPages, WithPanel, WithPast, raw
from providers.admin import Admin as PlainAdmin
from versioning.models import (
    CalendarFeed,
    EvaluationRun,
    ModelVersion,
    Policy,
    Team,
    TrackedModel,
    UpgradeRecord,
)
from versioning.models.emergencies import Emergency
from versioning.models.subscriptions import Subscription
from versioning.services import teams
from versioning.services.actors import Actor
from versioning.services.teams import Caller

if TYPE_CHECKING:
    from django.contrib.admin import TabularInline

    PlainInline = TabularInline[Any, Any]
else:
    from unfold.admin import TabularInline as PlainInline

__all__ = [
    "Admin",
    "HistoryAdmin",
    "HistoryInline",
    "PlainInline",
    "ReadingFirst",
    "SetUpPages",
    "WithPanel",
    "WithPast",
    "actor_of",
    "caller_of",
    "may_set_up",
    "raw",
]


def may_set_up(request: HttpRequest, permission: str, row: Model | None = None) -> bool:
    """Say whether the person may set up, and has the permission for this thing, too.

    Nothing of a team's that they are not in.
    """
    allowed = request.user.has_perm(SETUP) and request.user.has_perm(permission)
    return allowed and not (row is not None and _is_foreign(request, type(row), row.pk))


SUBJECTS: Mapping[str, type[Model] | None] = {
    "tracked_model_id": TrackedModel,
    "version_id": ModelVersion,
    "record_id": UpgradeRecord,
    "run_id": EvaluationRun,
    "emergency_id": Emergency,
    "comment_id": None,
    "policy_id": Policy,
    "suite_id": None,
    "unknown_id": None,
    "recipient_id": None,
    "webhook_id": None,
    "user_id": None,
}
"""Of which table an id in a further page's address is; None: it tells of no model, or of one that
another id names."""

_CALLER = "hotswap_caller"


class TeamPages(PlainAdmin):
    """Pages that show of other teams what a person may see, and let them change nothing of it."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return teams.visible(super().get_queryset(request), caller_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and not (obj is not None and _is_foreign(request, type(obj), obj.pk))

    def shows_deleted(self, request: HttpRequest, last: Model) -> bool:
        """Say whether the person may see what was a row, as it was last."""
        path = teams.PATHS.get(type(last))
        for part in path.split("__") if path else ():
            last = getattr(last, part, None)  # type: ignore[assignment]
        return path is None or getattr(last, "pk", None) not in teams.hidden(caller_of(request))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer of the models, and of who is told of them, only the person's own."""
        offered, caller = db_field.remote_field.model, caller_of(request)
        if offered is TrackedModel:
            kwargs.setdefault("queryset", teams.own(TrackedModel.objects.all(), caller))
        if offered is Team and issubclass(db_field.model, (Subscription, CalendarFeed)):
            mine = Team.objects.exclude(pk__in=teams.foreign(caller))
            kwargs.setdefault("queryset", mine)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def further_page(
        self, where: str, view: Callable[..., HttpResponse], *, name: str
    ) -> URLPattern:
        tables = {part: SUBJECTS[part] for part in re.findall(r"<int:(\w+)>", where)}

        @wraps(view)
        def for_members(request: HttpRequest, **parts: Any) -> HttpResponse:
            for part, table in tables.items():
                _let_in(request, table, parts[part])
            return view(request, **parts)

        return super().further_page(where, for_members, name=name)


def _let_in(request: HttpRequest, table: type[Model] | None, pk: int) -> None:
    """Raise Http404 for what the person doesn't see, PermissionDenied for a change to it."""
    if table is None or not _is_foreign(request, table, pk):
        return
    if teams.team_of(table, pk) in teams.hidden(caller_of(request)):
        raise Http404
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied


def _is_foreign(request: HttpRequest, table: type[Model], pk: Any) -> bool:
    others = teams.foreign(caller_of(request)) if table in teams.PATHS else frozenset()
    return bool(others) and teams.team_of(table, pk) in others


def caller_of(request: HttpRequest) -> Caller:
    """Return who asks, as far as teams go: the same for all of a request."""
    found: Caller | None = getattr(request, _CALLER, None)
    if found is None:
        found = Caller(user_id=request.user.pk)
        setattr(request, _CALLER, found)
    return found


Admin = TeamPages  # the base of all pages of this app, as `providers` has its own


class InWords:
    """Rows that say what they tell in a sentence."""

    @admin.display(description=gettext_lazy("in words"), ordering="sentence")
    def in_words(self, row: Any) -> str | None:
        return str(row.sentence) or None  # shown as a dash: it may be what leads to the row


class HistoryAdmin(InWords, Admin):
    """What was: to be read, never added to, changed or deleted here."""

    is_history = True

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        named = super().get_fields(request, obj)
        return ["in_words" if each == "sentence" else each for each in named]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


SETTINGS = "settings"


class ReadingFirst(WithPanel):
    """Pages to be read; what can be changed of a row has a tab of its own."""

    def shows_panel(self, request: HttpRequest) -> bool:
        return request.method != "POST" and SETTINGS not in request.GET

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        asked = {name: value for name, value in request.GET.items() if name != SETTINGS}
        context["is_settings"] = not self.shows_panel(request)
        if context["is_settings"] and context.get("original"):
            context["named"] = _("Settings of %(row)s") % {"row": context["original"]}
        context["reading_address"] = f"?{urlencode(asked)}"
        context["settings_address"] = f"?{urlencode({**asked, SETTINGS: 1})}"
        return super().render_change_form(request, context, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Return to the row's page: what was changed is read there, or is changed further."""
        answer = super().response_change(request, obj)
        leads_elsewhere = {"_addanother", "_popup"} & set(request.POST)
        if leads_elsewhere or not isinstance(answer, HttpResponseRedirect):
            return answer
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        more = f"?{SETTINGS}=1" if "_continue" in request.POST else ""
        return HttpResponseRedirect(reverse(page, args=[obj.pk]) + more)


class HistoryInline(InWords, PlainInline):
    """Rows to be read on the page of what they belong to."""

    template = "admin/edit_inline/history.html"
    extra = 0
    can_delete = False
    show_change_link = True
    per_page = 20
    related: Sequence[str] = ()
    """What the rows' names and fields read of other tables, to be read with them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = teams.visible(super().get_queryset(request), caller_of(request))
        return rows.select_related(*self.related) if self.related else rows

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def actor_of(request: HttpRequest) -> Actor:
    """Return the person who asks, as the history keeps them."""
    return Actor.of_user(cast(AbstractBaseUser, request.user))  # the admin lets nobody else in
