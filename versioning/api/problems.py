"""Every error of the API as RFC 9457 problem details."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.request import Request

from versioning.api.middleware import request_id_of
from versioning.services.errors import Busy, FieldError, Invalid, ServiceError

CONTENT_TYPE = "application/problem+json"
ADDRESSES = ("/api/", "/v1/", "/livez", "/readyz", "/metrics")
"""Where programs ask: errors there are problems, elsewhere pages."""


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
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)


def problem_response(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Answer an exception of a view; None for those that are faults of ours (500)."""
    request = _plain(context["request"])
    match error:
        case Busy():
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
    return None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refuses (host, size, fields)."""
    if not _asks_program(request):
        return defaults.bad_request(request, exception)
    detail = "The request was refused: its host, size or form is not accepted."
    return problem(request, status=400, code="bad-request", detail=detail)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _asks_program(request):
        return defaults.permission_denied(request, exception)
    return problem(request, status=403, code="not-allowed", detail="You may not do this.")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _asks_program(request):
        return defaults.page_not_found(request, exception)
    return unknown_address(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for a fault of ours; the log has it under the request's id."""
    if not _asks_program(request):
        return defaults.server_error(request)
    detail = "Something went wrong here. Nothing was changed. Tell your operator the request_id."
    return problem(request, status=500, code="server-error", detail=detail)


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


def _asks_program(request: HttpRequest) -> bool:
    return request.path.startswith(ADDRESSES)


def _plain(request: HttpRequest | Request) -> HttpRequest:
    return request._request if isinstance(request, Request) else request
