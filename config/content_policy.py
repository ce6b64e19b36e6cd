"""What a page may load and run: Content-Security-Policy, by who is answered.

Nothing inline anywhere; the one nonce is for the styles and scripts of the API's documentation.
Alpine, which the admin's pages are built with, reads its expressions with eval: so that is allowed
there, and nowhere else. Programs get the strictest: an answer of the API is no page.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Policy = Mapping[str, Sequence[Any]]

PROGRAMS: Policy = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}
PAGES: Policy = {
    **PROGRAMS,
    "connect-src": [SELF],
    "font-src": [SELF],
    "form-action": [SELF],
    "img-src": [SELF, "data:"],
    "script-src": [SELF],
    "style-src": [SELF],
}
ADMIN: Policy = {**PAGES, "script-src": [SELF, UNSAFE_EVAL]}
DOCUMENTATION: Policy = {
    **PAGES,
    "script-src": [SELF, NONCE],
    "style-src": [SELF, NONCE],
    "worker-src": [SELF, "blob:"],
}


def policy_for(path: str) -> Policy:
    """Return the directives for an answer at a path."""
    if path.startswith("/admin/"):
        return ADMIN
    if path.rstrip("/").endswith(("/docs", "/redoc")) and path.startswith("/api/"):
        return DOCUMENTATION
    if path.startswith(("/api/", "/v1/", "/livez", "/readyz", "/metrics")):
        return PROGRAMS
    return PAGES


class ContentPolicyMiddleware(CSPMiddleware):
    """Put the policy into every answer."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        if report_only:
            return PolicyParts()
        nonce = getattr(request, "_csp_nonce", None)
        directives = {name: list(sources) for name, sources in policy_for(request.path).items()}
        return PolicyParts(config=directives, nonce=nonce)
