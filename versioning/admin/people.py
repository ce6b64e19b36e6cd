"""Users and groups, in the look of the rest."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.admin import GroupAdmin as PlainGroupAdmin
from django.contrib.auth.admin import UserAdmin as PlainUserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from versioning.admin.base import Admin

if TYPE_CHECKING:
    PlainUsers = PlainUserAdmin[User]
else:
    PlainUsers = PlainUserAdmin

logger = logging.getLogger(__name__)

admin.site.unregister(User)
admin.site.unregister(Group)
# What allauth keeps of sign-ins is no page: there a superuser could name another identity provider.
admin.site.unregister(
    [
        model
        for model in admin.site._registry
        if model._meta.app_label in {"account", "socialaccount"}
    ]
)


@admin.register(User)
class UserAdmin(PlainUsers, Admin):
    """Nobody is deleted, for the history names them: switch “active” off instead."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(PlainGroupAdmin, Admin):
    """What its members may do; viewer, reviewer and operator come with Hotswap."""


@receiver(user_logged_in)
def note_sign_in(user: User, **more: Any) -> None:
    """Keep who signed in when: it stands in the history of the user's page."""
    LogEntry.objects.log_actions(user.pk, [user], CHANGE, _("Signed in."), single_object=True)


@receiver(user_login_failed)
def log_failed_sign_in(credentials: dict[str, Any], **_: Any) -> None:
    """Say in the log that somebody could not sign in: no history, since nobody's name is sure."""
    logger.warning("Somebody could not sign in as %.150r.", credentials.get("username"))


def ways_to_sign_in(request: HttpRequest) -> dict[str, Any]:
    """Say on the sign-in page which ways there are."""
    return {
        "single_sign_on": settings.HOTSWAP["SINGLE_SIGN_ON"],
        "local_passwords": settings.HOTSWAP["LOCAL_PASSWORDS"],
    }


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: Mapping[str, Any] | None
) -> HttpResponse:
    """Say to somebody who has tried too many passwords how long to wait."""
    wait: timedelta = settings.AXES_COOLOFF_TIME
    told = {
        "username": (credentials or {}).get("username", ""),
        "minutes": int(wait.total_seconds() // 60),
    }
    answer = render(request, "429.html", told, status=429)
    answer["Retry-After"] = str(int(wait.total_seconds()))
    return answer
