"""Single sign-on by OpenID Connect: who comes in, and in which groups. Only there where it is on.

Whoever signs in comes with claims; one of them names groups, and ``HOTSWAP_OIDC_GROUPS`` says
which of Hotswap's each is. Whoever has none of them stays outside. At each sign-in the groups that
the mapping names are set anew; others, which staff gave beside it, stay.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, re_path, reverse
from django.utils.translation import gettext as _

from providers import calls
from providers.http import deadline
from providers.http.lent import LentSession, Unusable
from versioning.services import second_factors

logger = logging.getLogger(__name__)

NAME = "sso"
"""Of the one identity provider, in addresses: /accounts/oidc/sso/login/."""

TOTAL_S = 10.0
"""So long all that is asked of the identity provider may take, for a page that somebody waits for:
its description, then the token, and what it says of the person."""


def groups_of(claims: Mapping[str, Any]) -> set[str]:
    """Return the names of Hotswap's groups that the claims stand for; empty for a stranger."""
    claim = claims.get(settings.HOTSWAP["OIDC_GROUPS_CLAIM"])
    theirs: Iterable[Any] = [claim] if isinstance(claim, str) else claim or ()
    mapping: Mapping[str, Iterable[str]] = settings.HOTSWAP["OIDC_GROUPS"]
    return {ours for each in theirs for ours in mapping.get(str(each), ())}


def claims_of(login: Any) -> dict[str, Any]:
    """Return what the identity provider says of a person; its userinfo wins over the token."""
    told = login.account.extra_data
    return {**(told.get("id_token") or {}), **(told.get("userinfo") or {})}


def let_in(user: User, *, groups: set[str]) -> None:
    """Make a person staff, in these groups of the mapping and in no other of it."""
    if not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    mapped = {ours for each in settings.HOTSWAP["OIDC_GROUPS"].values() for ours in each}
    user.groups.remove(*Group.objects.filter(name__in=mapped - groups))
    user.groups.add(*[Group.objects.get_or_create(name=name)[0] for name in sorted(groups)])


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is an extra
    """Nobody signs up by themselves, and a session belongs to the backend of the settings."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def login(self, request: HttpRequest, user: Any) -> None:
        user.backend = settings.AUTHENTICATION_BACKENDS[-1]
        super().login(request, user)
        request.session[second_factors.BY_SSO] = True

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        return _refused(request, _("Your account is switched off."))

    def add_message(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Greet nobody: the start page opens."""


class SocialAccounts(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Lets in whoever has a group, known already or new."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        groups = groups_of(claims_of(sociallogin))
        if not groups:
            if sociallogin.is_existing:
                _put_out(sociallogin.user)
            raise ImmediateHttpResponse(
                _refused(
                    request,
                    _(
                        "You are in no group that may use Hotswap. Ask whoever looks after it, or "
                        "your identity provider."
                    ),
                )
            )
        if sociallogin.is_existing:
            let_in(sociallogin.user, groups=groups)

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        user = super().save_user(request, sociallogin, form)
        let_in(user, groups=groups_of(claims_of(sociallogin)))
        return user

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, **more: Any
    ) -> None:
        raise ImmediateHttpResponse(
            _refused(request, _("The identity provider did not let you in. Try again."))
        )

    def get_requests_session(self) -> LentSession:
        """Ask within the limits of all that leaves, and follow no redirect."""
        return LentSession(total_s=TOTAL_S)


def _put_out(user: User) -> None:
    """Take from a person what the mapping had given; whoever was made staff by hand stays it."""
    mapped = {ours for each in settings.HOTSWAP["OIDC_GROUPS"].values() for ours in each}
    user.groups.remove(*Group.objects.filter(name__in=mapped))


def _refused(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.error(request, sentence)
    return HttpResponseRedirect(reverse("admin:login"))


def back_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Stand in for the pages of allauth that Hotswap has not: all of them begin anew."""
    return HttpResponseRedirect(reverse("admin:login"))


# allauth leads to these by name; its own pages would be a second way to sign in, past the limits.
_ELSEWHERE = (
    "account_login",
    "account_inactive",
    "account_signup",
    "account_reauthenticate",
    "socialaccount_login_cancelled",
    "socialaccount_login_error",
    "socialaccount_signup",
    "socialaccount_connections",
)
View = Callable[..., HttpResponse]
_NOT_AS_PROMISED = (OAuth2Error, ArithmeticError, AttributeError, LookupError, RecursionError,
                    TypeError, ValueError)  # fmt: skip
"""What allauth meets where an answer has another shape than it takes on trust."""


def _bounded(view: View) -> View:
    """Let a view ask the identity provider for so long, with few others, and say what is wrong."""

    def answer(request: HttpRequest, provider_id: str) -> HttpResponse:
        try:
            with calls.slot(), deadline.ends_within(TOTAL_S):
                return view(request, provider_id=provider_id)
        except calls.NoRoom:
            return _refused(request, _("Others are signing in: try again in a moment."))
        except Unusable as error:
            logger.warning("The identity provider could not be asked: %s", error)
            return _refused(
                request,
                _(
                    "The identity provider can't be reached, or does not answer as it should. Try "
                    "again later."
                ),
            )
        except _NOT_AS_PROMISED:
            logger.exception("What the identity provider says can't be read.")
            return _refused(request, _("What the identity provider says can't be read."))

    return answer


_OURS = f"oidc/(?P<provider_id>{NAME})/login"
urlpatterns = [
    re_path(f"^{_OURS}/$", _bounded(views.login), name="openid_connect_login"),
    re_path(f"^{_OURS}/callback/$", _bounded(views.callback), name="openid_connect_callback"),
    *(path(f"{name}/", back_to_sign_in, name=name) for name in _ELSEWHERE),
]
