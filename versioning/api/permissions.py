"""What a caller may do: a key by its scopes, staff by their permissions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser, User
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from versioning.models import ApiKey

if TYPE_CHECKING:  # Django REST framework reads this module while it makes its own views
    from rest_framework.views import APIView


SETUP = "versioning.setup"


@dataclass(frozen=True, slots=True)
class Operation:
    """What a caller needs: a key with ``scope``, or to be staff with ``permission``.

    Staff who set up need the permission to set up, too: to decide is another thing.
    """

    scope: str
    permission: str


def operation_of(view: "APIView", method: str) -> Operation | None:
    """Return what the view's method declares; None where it has no such method."""
    handler = getattr(view, method.lower(), None)
    found = getattr(handler, "operation", None)
    return found if isinstance(found, Operation) else None


class HasScope(BasePermission):
    """The key has the operation's scope, or the person is staff with its permission."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        operation = operation_of(view, str(request.method))
        if operation is None:
            return True  # no such method: the answer is 405
        if isinstance(request.auth, ApiKey):
            if operation.scope not in request.auth.scopes:
                raise PermissionDenied(
                    f"This key lacks the scope {operation.scope}. It has "
                    f"{', '.join(request.auth.scopes) or 'none'}."
                )
            return True
        if operation.scope == ApiKey.Scope.SETUP:
            _may(request.user, SETUP)
        return _may(request.user, operation.permission)


def _may(user: User | AnonymousUser, permission: str) -> bool:
    if not user.is_authenticated:
        raise NotAuthenticated(
            "Send a key: `Authorization: Bearer hs_...`. Make one in the admin, or with "
            "`manage.py create_api_key`."
        )
    if not (user.is_staff and user.has_perm(permission)):
        raise PermissionDenied(f"You need the permission {permission}.")
    return True
