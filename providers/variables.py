"""Which environment variables may be read for a provider, and where what they hold may go.

A key belongs to the place (scheme, host and port) that somebody who may set up released it for.
What the operator of the server did not release for providers is never read, whoever names it.
"""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from providers.http.addresses import origin

AWS = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_BEARER_TOKEN_BEDROCK",
    }
)
"""What Bedrock needs, and no other kind of provider may have."""

_NEVER = re.compile(
    r"(HOTSWAP|DJANGO|CELERY|GUNICORN|PYTHON|PG|LD|DYLD|SSH|GPG|XDG|LC|GIT|SUDO|SYSTEMD)_\w+"
    r"|PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|LANG|LANGUAGE|HOSTNAME|TERM|TZ|MAIL|EDITOR"
    r"|PYTHON\w+|PG[A-Z]+|NETRC|VIRTUAL_ENV|(HTTP|HTTPS|ALL|NO)_PROXY"
)
"""Names that are no provider's key on any machine, however wide the operator's patterns are."""


NOTICE = re.compile(r"NOTIFY_[A-Z0-9_]+")
"""What may be named as an address of people to tell: no other variable is read for that."""


def is_released(name: str, *, known: Iterable[str] = ()) -> bool:
    """Say whether the operator lets providers have the variable.

    ``known`` are the names that the kinds of provider themselves use. Beside them stand the names
    and beginnings (``ACME_*``) of HOTSWAP_PROVIDER_KEYS; Hotswap's own variables never do.
    """
    ours: Mapping[str, Any] = settings.HOTSWAP
    if name in ours["OWN_VARIABLES"] or _NEVER.fullmatch(name):
        return False
    if name.startswith("AWS_"):
        return name in AWS and name in known
    return name in known or any(_fits(name, pattern) for pattern in ours["PROVIDER_KEYS"])


def _fits(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def read(name: str, *, known: Iterable[str] = ()) -> str:
    """Return what a released variable holds, without space around it; empty for any other."""
    return os.environ.get(name, "").strip() if is_released(name, known=known) else ""


def notice_address(name: str) -> str:
    """Return the address that a variable for notices holds; empty where it isn't one of those."""
    return os.environ.get(name, "").strip() if NOTICE.fullmatch(name) else ""


def place(address: str) -> str:
    """Return the place of an address as people write it, such as https://api.example.com:443."""
    scheme, host, port = origin(address)
    return f"{scheme}://{host or ''}:{port}"


def pairs(names: Iterable[str], addresses: Iterable[str]) -> list[str]:
    """Return each variable with each place that its value would go to: what is released."""
    places = sorted({place(address) for address in addresses if address})
    return [f"{name} {each}" for name in sorted(set(names)) if name for each in places]
