"""Addresses of the API: each works with and without a slash at its end."""

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, re_path

from versioning.api import problems
from versioning.api.views import health


def both(route: str, view: Callable[..., HttpResponseBase], name: str) -> list[URLPattern]:
    """Return the address without and with a slash at its end; the first is the one we tell."""
    return [path(route, view, name=name), path(f"{route}/", view)]


urlpatterns: list[Any] = [
    *both("livez", health.livez, "livez"),
    *both("readyz", health.readyz, "readyz"),
    re_path("^api/", problems.unknown_address),
]
