"""Secrets that Hotswap itself must be able to read: encrypted at rest with a key that isn't there.

The key is a variable of the environment (HOTSWAP_SECRETS_KEY): who has the database alone, or a
back-up of it, has no secret. Of several keys the first encrypts, and each decrypts.
"""

from typing import TYPE_CHECKING

from django.conf import settings

from versioning.services.errors import ServiceError

if TYPE_CHECKING:  # most processes keep no secret: they do without the library's memory
    from cryptography.fernet import MultiFernet


class NoSecretsKey(ServiceError):
    """No secret can be kept or read: the server's operator has set no key for them."""

    code = "no-secrets-key"


def encrypt(secret: str) -> str:
    """Return the secret as it is kept. Raises NoSecretsKey."""
    return _keys().encrypt(secret.encode()).decode()


def decrypt(kept: str) -> str:
    """Return the secret. Raises NoSecretsKey, also where it was kept under another key."""
    from cryptography.fernet import InvalidToken

    try:
        return _keys().decrypt(kept).decode()
    except InvalidToken as error:
        raise NoSecretsKey(
            "This secret was encrypted with another key than those in HOTSWAP_SECRETS_KEY. Put "
            "the earlier key behind the new one, after a comma."
        ) from error


def _keys() -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet

    keys: list[str] = settings.HOTSWAP["SECRETS_KEYS"]
    if not keys:
        raise NoSecretsKey(
            "HOTSWAP_SECRETS_KEY is not set, and secrets are only kept encrypted. Make a key with "
            "`manage.py secrets_key`, and set it where every process of Hotswap is started."
        )
    return MultiFernet([Fernet(key) for key in keys])
