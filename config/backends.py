"""Who somebody is: by a password that Hotswap keeps, or not by one."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User


class Passwords(ModelBackend):
    """Knows people by their passwords, and with each whether they have a second factor."""

    def get_user(self, user_id: int) -> User | None:
        """Return who is signed in, read in one query: each request asks for both."""
        known = User.objects.select_related("second_factor").filter(pk=user_id).first()
        return known if known is not None and self.user_can_authenticate(known) else None


class NoPasswords(Passwords):
    """Knows people and their permissions, and takes no password."""

    def authenticate(self, request: Any, *args: Any, **credentials: Any) -> None:
        return None
