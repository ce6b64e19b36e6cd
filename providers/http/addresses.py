"""Where a request may go: which addresses are the same place, which redirects to follow."""

import contextlib
import ipaddress
from urllib.parse import urljoin, urlsplit

from providers.http.names import look_up

LOOK_UP_S = 5.0
"""So long a name server may take where nobody has less time."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")
)
"""Where clouds hand out a machine's credentials, beside 169.254.169.254, which is link-local."""

# Addresses of IPv4 written as IPv6 (RFC 6052): what counts is the one inside.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_never_asked(host: str) -> bool:
    """Say whether a host is written as an address that is nobody's API: see `never_asked`."""
    try:
        return never_asked(ipaddress.ip_address(host.split("%")[0]))
    except ValueError:
        return False


def never_asked(address: Address) -> bool:
    """Say whether an address is link-local, a cloud's metadata, or no single machine at all."""
    plain = _plain(address)
    return plain.is_link_local or plain.is_multicast or plain.is_unspecified or plain in _METADATA


def is_public(address: Address) -> bool:
    """Say whether an address is one of the internet, and of no network of somebody's own."""
    return _plain(address).is_global


def addresses_of(host: str, port: int, *, within_s: float = LOOK_UP_S) -> list[Address]:
    """Return what a name stands for now, each address once.

    Raises OSError where it is nothing, and TimeoutError, which is one, where that isn't known in
    time.
    """
    with contextlib.suppress(ValueError):
        return [ipaddress.ip_address(host.split("%")[0])]  # nobody has to be asked
    return [ipaddress.ip_address(text) for text in look_up(host, port, within_s=within_s)]


def stands_in_public(url: str, *, within_s: float = LOOK_UP_S) -> bool:
    """Say whether all addresses of a URL's host are surely of the internet; no host is none."""
    found = _addresses_of_url(url, within_s=within_s)
    return bool(found) and all(is_public(address) for address in found)


def may_stand_in_public(url: str, *, within_s: float = LOOK_UP_S) -> bool:
    """Say whether some address of a URL's host is of the internet, or may be: nobody knows."""
    found = _addresses_of_url(url, within_s=within_s)
    return not found or any(is_public(address) for address in found)


def _addresses_of_url(url: str, *, within_s: float) -> list[Address]:
    """Return what a URL's host stands for; nothing where that isn't known."""
    _, host, port = origin(url)
    try:
        return addresses_of(host or "", port or 0, within_s=within_s)
    except OSError:
        return []


def _plain(address: Address) -> Address:
    """Return the IPv4 address that is written as an IPv6 one, else the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port: the place that a key belongs to."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}.get(parts.scheme)


def joined(url: str, target: str) -> str:
    """Return where a link or a redirect from ``url`` leads; empty where that is no address."""
    try:
        whole = urljoin(url, target)
        parts = urlsplit(whole)
        (parts.hostname or "").encode("idna")
        is_usable = parts.port != 0 and not (set(parts.hostname or "") & _NOT_IN_A_HOST)
    except ValueError:
        return ""
    return whole if is_usable and parts.hostname else ""


_NOT_IN_A_HOST = frozenset(' <>"\\^`{|}')


def problem_of_redirect(method: str, status: int, url: str, target: str) -> str:
    """Return why a redirect from ``url`` isn't followed, empty where it is."""
    scheme, _, _ = origin(target)
    if scheme not in {"http", "https"} or target == url:
        return f"redirects to nowhere ({status}): check the base URL."
    if scheme == "http" and urlsplit(url).scheme == "https":
        return "redirects from https to plain http: not followed."
    if method == "POST" and (status not in {307, 308} or origin(target) != origin(url)):
        # Prompts go where a person sent them and nowhere else.
        return f"moved to {urlsplit(target).hostname} ({status}): set this as the base URL."
    return ""
