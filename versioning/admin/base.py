"""What all pages of this app share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from providers.admin import SETUP, Admin, SetUpPages, WithPanel
from versioning.services.actors import Actor

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
    "SetUpPages",
    "WithPanel",
    "actor_of",
    "may_set_up",
]


def may_set_up(request: HttpRequest, permission: str) -> bool:
    """Say whether the person may set up, and has the permission for this thing, too."""
    return request.user.has_perm(SETUP) and request.user.has_perm(permission)


class HistoryAdmin(Admin):
    """What was: to be read, never added to, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class HistoryInline(PlainInline):
    """Rows to be read on the page of what they belong to."""

    template = "admin/edit_inline/history.html"
    extra = 0
    can_delete = False
    show_change_link = True
    per_page = 20
    related: Sequence[str] = ()
    """What the rows' names and fields read of other tables, to be read with them."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related(*self.related) if self.related else rows

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def actor_of(request: HttpRequest) -> Actor:
    """Return the person who asks, as the history keeps them."""
    return Actor.of_user(cast(AbstractBaseUser, request.user))  # the admin lets nobody else in
