"""Every error of the API as RFC 9457 problem details."""

import logging
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import DataError, InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views import csrf, defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.request import Request

from versioning.api.middleware import request_id_of
from versioning.services.errors import Busy, FieldError, Invalid, ServiceError, TooMany

CONTENT_TYPE = "application/problem+json"
ADDRESSES = ("/api/", "/v1/", "/livez", "/readyz", "/metrics")
"""Where programs ask: errors there are problems, elsewhere pages."""

_ADDRESSES_WHOLE = ("/api", "/v1")
_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")
logger = logging.getLogger(__name__)

READ_ONLY = "25006"
"""PostgreSQL's SQLSTATE for a write where only reading is allowed, such as on a replica."""


class Problem(Exception):
    """The request can't be answered, for a reason that lies in HTTP and not in a service."""

    def __init__(
        self, status: int, code: str, detail: str, errors: Iterable[FieldError] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.errors = tuple(errors)


def problem(
    request: HttpRequest,
    *,
    status: int,
    code: str,
    detail: str,
    errors: Iterable[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> JsonResponse:
    """Return one problem; ``code`` ends its type, ``members`` are more facts about it."""
    body = {
        "type": f"/api/problems/{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "errors": [
            {"pointer": error.pointer, "code": error.code, "detail": error.detail}
            for error in errors
        ],
        "request_id": request_id_of(request),
        **members,
    }
    answer = JsonResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)
    answer["Content-Length"] = str(len(answer.content))  # also where no middleware adds it
    return answer


def refusal(request: HttpRequest, error: Problem) -> HttpResponse:
    """Answer a problem outside of a view: as a problem to programs, in plain words to people."""
    if is_for_programs(request):
        return problem(
            request, status=error.status, code=error.code, detail=str(error), errors=error.errors
        )
    return HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")


def problem_response(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Answer an exception of a view; None for those that are faults of ours (500)."""
    request = _plain(context["request"])
    match error:
        case Busy() | TooMany():
            headers = {"Retry-After": str(error.retry_after_s)}
            return _of_service(request, error, headers=headers)
        case ServiceError():
            return _of_service(request, error)
        case Problem():
            return problem(
                request,
                status=error.status,
                code=error.code,
                detail=str(error),
                errors=error.errors,
            )
        case exceptions.APIException():
            return _of_framework(request, error)
        case Http404():
            return problem(request, status=404, code="not-found", detail="There is no such thing.")
        case DjangoPermissionDenied():
            return problem(request, status=403, code="not-allowed", detail="You may not do this.")
        case _ if _database_is_away(error):
            # Locked by another writer, full, read-only or away: nothing was changed.
            logger.warning("The database refused %s: %s", request.path, error)
            busy = Busy("The database can't do this now. Nothing was changed: try again.")
            return _of_service(request, busy, headers={"Retry-After": str(busy.retry_after_s)})
        case RecursionError():
            logger.warning("%s could not be read: %s", request.path, error)
            detail = "The body is nested deeper than anything here is."
            return problem(request, status=400, code="malformed-json", detail=detail)
        case OverflowError() | DataError():
            # SQLite's driver raises the first, PostgreSQL the second, for whole numbers that no
            # column can hold. Forms refuse what they know; this is for all the others.
            logger.warning("A value of %s is out of range: %s", request.path, error)
            detail = "A number is larger than anything here can hold."
            return problem(request, status=422, code="out-of-range", detail=detail)
    return None


def _database_is_away(error: Exception) -> bool:
    is_read_only = (
        isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", "") == READ_ONLY
    )
    return is_read_only or isinstance(error, OperationalError | InterfaceError)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refuses (host, size, fields)."""
    if not is_for_programs(request):
        return defaults.bad_request(request, exception)
    detail = "The request was refused: its host, size or form is not accepted."
    return problem(request, status=400, code="bad-request", detail=detail)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not is_for_programs(request):
        return defaults.permission_denied(request, exception)
    return problem(request, status=403, code="not-allowed", detail="You may not do this.")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not is_for_programs(request):
        return defaults.page_not_found(request, exception)
    return unknown_address(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for a fault of ours; the log has it under the request's id."""
    if not is_for_programs(request):
        return defaults.server_error(request)
    detail = "Something went wrong here. Nothing was changed. Tell your operator the request_id."
    return problem(request, status=500, code="server-error", detail=detail)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a request of a browser that could be forged."""
    if not is_for_programs(request):
        return csrf.csrf_failure(request, reason=reason)
    detail = f"Send a key, or as a browser the CSRF token. {reason}".strip()
    return problem(request, status=403, code="permission-denied", detail=detail)


class ProblemsMiddleware:
    """Turn whatever error has another form into a problem, where programs ask.

    Decorators, redirects of the framework and third-party views answer in words of their own.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 400 or not is_for_programs(request):
            return response
        if response.get("Content-Type", "").startswith(CONTENT_TYPE):
            return response
        status = HTTPStatus(response.status_code)
        return problem(
            request,
            status=status,
            code=status.phrase.lower().replace(" ", "-"),
            detail=f"{status.phrase}: {status.description or 'the request was refused'}.",
            headers={name: response[name] for name in _KEPT_HEADERS if name in response},
        )

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Answer what is no fault of ours: for pages, too, an id that no row can have is 404."""
        if is_for_programs(request):
            return problem_response(exception, {"request": request})
        if isinstance(exception, OverflowError) or (
            isinstance(exception, DataError) and "out of range" in str(exception)
        ):
            return defaults.page_not_found(request, exception)
        return None


@csrf_exempt
def unknown_address(request: HttpRequest, **_: str) -> HttpResponse:
    """Answer for an address that doesn't exist."""
    detail = f"There is nothing at {request.path}. All addresses are listed at /api/docs/."
    return problem(request, status=404, code="not-found", detail=detail)


def _of_service(
    request: HttpRequest, error: ServiceError, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    return problem(
        request,
        status=error.status,
        code=error.code,
        detail=str(error),
        errors=error.errors if isinstance(error, Invalid) else (),
        headers=headers,
    )


def _of_framework(request: HttpRequest, error: exceptions.APIException) -> HttpResponse:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None) is not None:
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    code = str(error.default_code).replace("_", "-")
    return problem(
        request,
        status=error.status_code,
        code="malformed-json" if code == "parse-error" else code,
        detail=str(error.detail),
        headers=headers,
    )


def is_for_programs(request: HttpRequest) -> bool:
    """Say whether programs ask at this address: errors are problems there."""
    return request.path.startswith(ADDRESSES) or request.path in _ADDRESSES_WHOLE


def _plain(request: HttpRequest | Request) -> HttpRequest:
    return request._request if isinstance(request, Request) else request
