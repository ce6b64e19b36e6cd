"""What a caller may do: a key by its scopes, staff by their permissions."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from versioning.api.operations import operation_of
from versioning.models import ApiKey


class HasScope(BasePermission):
    """The key has the operation's scope, or the person is staff with its permission."""

    def has_permission(self, request: Request, view: APIView) -> bool:
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
        return _may(request.user, operation.permission)


def _may(user: AbstractBaseUser | AnonymousUser, permission: str) -> bool:
    if not user.is_authenticated:
        raise NotAuthenticated(
            "Send a key: `Authorization: Bearer hs_...`. Make one in the admin, or with "
            "`manage.py create_api_key`."
        )
    if not (getattr(user, "is_staff", False) and user.has_perm(permission)):  # type: ignore[union-attr]
        raise PermissionDenied(f"You need the permission {permission}.")
    return True
