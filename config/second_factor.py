"""Whoever has signed in by half is nobody, on all pages but those where the other half is given."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode

from versioning.admin.second_factor import PAGE
from versioning.services import second_factors

OWN = (PAGE, "admin:logout")
"""The pages that know whoever has signed in by half."""


class SecondFactorMiddleware:
    """Take who asks for a stranger until they have given their second factor.

    So nothing needs to know of it: each page and each address answers as to somebody who has not
    signed in. Programs with a key have no session, and are asked nothing.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Without a session nobody has signed in: programs, which ask most, are kept waiting least.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        if request.path in {reverse(name) for name in OWN}:
            return self.get_response(request)
        person: Any = request.user
        request.user = SimpleLazyObject(lambda: _known(person, request))  # type: ignore[assignment]
        # Looked at here alone at once: elsewhere a session is read where somebody asks.
        is_on_the_way = request.method == "GET" and request.path == reverse("admin:login")
        if is_on_the_way and second_factors.is_missing(person, request.session):
            asked = urlencode({"next": request.GET.get("next", "")})
            return HttpResponseRedirect(f"{reverse(PAGE)}?{asked}")
        return self.get_response(request)


def _known(person: Any, request: HttpRequest) -> Any:
    return AnonymousUser() if second_factors.is_missing(person, request.session) else person
