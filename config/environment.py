"""Every variable that Hotswap itself reads: all in one way, loudly, and remembered by name.

The environment wins over the file ``.env``; an empty variable counts as not set.
"""

import difflib
import os
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured

_own = {"DJANGO_SETTINGS_MODULE"}
_in_file: set[str] = set()
_OF_CLIENTS = frozenset({"HOTSWAP_URL", "HOTSWAP_API_KEY"})
"""Read by the client that applications install, maybe on this machine."""
_SLIP, _MEANT = 0.85, 0.75
"""How alike a name in ``.env`` must be to one of ours to be a slip (a provider's key may have any
name), and one of ours to be suggested."""

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*")


def read_file(file: Path) -> None:
    """Put the variables of a ``.env`` file into the environment, where they aren't set.

    A value may stand in quotation marks of either kind; a # begins a comment at the start of a
    line only. A file that isn't there holds none. ImproperlyConfigured where it can't be read.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{file} can't be read: {error}.") from error
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        name, value = found.groups()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        _in_file.add(name)
        os.environ.setdefault(name, value)


def own_variables() -> frozenset[str]:
    """Return the names of all that was read: no provider may have one of them as its key."""
    return frozenset(_own)


def slips() -> list[str]:
    """Say which variables are set that look like ours and that nothing reads."""
    unread = {name for name in os.environ if name.startswith("HOTSWAP_")}
    unread |= {name for name in _in_file if difflib.get_close_matches(name, _own, 1, _SLIP)}
    return [_slip(name) for name in sorted(unread - _own - _OF_CLIENTS)]


def _slip(name: str) -> str:
    near = difflib.get_close_matches(name, _own, 1, _MEANT)
    meant = f" Did you mean {near[0]}?" if near else " .env.example lists all there are."
    return f"{name} is set, and nothing reads it.{meant}"


def read_text(name: str, default: str) -> str:
    """Return what the variable holds; an empty one counts as not set."""
    _own.add(name)
    return os.environ.get(name, "").strip() or default


def read_list(name: str, default: list[str]) -> list[str]:
    """Return the parts between commas."""
    given = read_text(name, "")
    return [part.strip() for part in given.split(",") if part.strip()] or default


def read_int(name: str, default: int, *, least: int, most: int) -> int:
    """Return the whole number in the variable; ImproperlyConfigured outside least..most."""
    given = read_text(name, str(default))
    try:
        value = int(given)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {given!r}.") from error
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{name} must be from {least} to {most}, not {value}.")
    return value


def read_zone(name: str, default: str) -> str:
    """Return the time zone in the variable; ImproperlyConfigured where there is no such zone."""
    zone = read_text(name, default)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ImproperlyConfigured(
            f"{name} must be a time zone such as Europe/Prague, not {zone!r}."
        ) from error
    return zone


def read_bool(name: str, default: bool) -> bool:
    """Return the switch in the variable; ImproperlyConfigured unless it is a yes or a no."""
    value = read_text(name, str(default)).lower()
    if value not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")
    return value in {"1", "true", "yes", "on"}


def read_networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return the networks between commas; ImproperlyConfigured for what is none."""
    try:
        return [ip_network(part) for part in read_list(name, [])]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} lists networks such as 10.0.0.0/8, or single addresses ({error})."
        ) from error


def read_mapping(name: str) -> dict[str, tuple[str, ...]]:
    """Return pairs such as theirs=ours,theirs=also-ours, gathered by what stands before the =."""
    found: dict[str, tuple[str, ...]] = {}
    for part in read_list(name, []):
        before, equals, after = (piece.strip() for piece in part.partition("="))
        if not (before and equals and after):
            raise ImproperlyConfigured(
                f"{name} lists pairs such as ml-admins=operator, not {part!r}."
            )
        found[before] = (*found.get(before, ()), after)
    return found


def read_secrets_keys(name: str) -> list[str]:
    """Return the Fernet keys between commas; ImproperlyConfigured for what is none."""
    keys = read_list(name, [])
    for key in keys:
        try:
            is_key = len(urlsafe_b64decode(key)) == 32
        except ValueError:
            is_key = False
        if not is_key:
            raise ImproperlyConfigured(
                f"{name} holds something that is no key. Make one with: manage.py secrets_key"
            )
    return keys


def names_of_variables(name: str, given: list[str]) -> list[str]:
    """Return the names, and beginnings such as ACME_*; ImproperlyConfigured for others."""
    for part in given:
        if not re.fullmatch(r"[A-Z_][A-Z0-9_]*|[A-Z_][A-Z0-9_]{2,}\*", part):
            raise ImproperlyConfigured(
                f"{name} lists names of variables, or beginnings of three letters and more such "
                f"as ACME_*, not {part!r}."
            )
    return given


def read_choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Return the variable's word in capitals; ImproperlyConfigured unless it is a choice."""
    value = read_text(name, default).upper()
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def database_of(url: str) -> dict[str, Any]:
    """Return Django's parts of a database's URL: sqlite:///PATH, or postgres:// with its parts.

    What follows a question mark are options of the driver, such as sslmode=require. Parts may be
    percent-encoded, a folder with a socket as the host too. ValueError where it is no such URL;
    its text may hold the password.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": unquote(parts.path[1:])}
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ValueError("neither sqlite:///PATH nor postgres://.../NAME")
    options: Mapping[str, str] = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": parts.port or "",
        **({"OPTIONS": options} if options else {}),
    }
