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
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from versioning.admin import second_factor, words
from versioning.admin.base import Admin
from versioning.services import clock, second_factors
from versioning.services.second_factors import of as factor_of

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

    def get_urls(self) -> list[URLPattern]:
        return [
            self.further_page("second-factor/", self.second_factor, name="second_factor"),
            self.further_page(
                "<int:user_id>/reset-second-factor/",
                self.reset_second_factor,
                name="reset_second_factor",
            ),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show with each person whether they have a second factor, and to few how to reset it."""
        found = super().get_fieldsets(request, obj)
        if obj is None:
            return found
        may_reset = second_factor.may_reset(request, obj) and factor_of(obj) is not None
        shown = ("second_factor_since", *(("second_factor_lost",) if may_reset else ()))
        return [*found, (_("Second factor"), {"fields": shown})]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        shown = super().get_readonly_fields(request, obj)
        return (*shown, "second_factor_since", "second_factor_lost")

    @admin.display(description=gettext_lazy("switched on"), empty_value="–")
    def second_factor_since(self, user: User) -> str:
        factor = factor_of(user)
        return _("no") if factor is None else words.ago(factor.made_at, now=clock.now())

    @admin.display(description=gettext_lazy("lost"))
    def second_factor_lost(self, user: User) -> SafeString:
        where = reverse("admin:auth_user_reset_second_factor", args=[user.pk])
        return format_html('<a class="hs-link" href="{}">{}</a>', where, _("Reset it"))

    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """Ask whoever comes for their own, or let them set it up."""
        return second_factor.own(request, admin_site=self.admin_site)

    def reset_second_factor(self, request: HttpRequest, user_id: int) -> HttpResponse:
        return second_factor.reset(request, admin_site=self.admin_site, user_id=user_id)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Lead to the page for one's own: it asks for the old one, and for a code."""
        if id == str(request.user.pk):
            return HttpResponseRedirect(reverse("admin:password_change"))
        return super().user_change_password(request, id, form_url)


@admin.register(Group)
class GroupAdmin(PlainGroupAdmin, Admin):
    """What its members may do; viewer, reviewer and operator come with Hotswap."""


@receiver(user_logged_in)
def begin_by_half(request: HttpRequest, **more: Any) -> None:
    """Let each sign-in ask for the second factor, also one within a session that was there."""
    for known in (second_factors.PROVEN, second_factors.BY_SSO):
        request.session.pop(known, None)


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
