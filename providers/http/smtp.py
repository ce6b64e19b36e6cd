"""Mail by SMTP, within a time and a measure: Django's way knows only how long each answer takes."""

import smtplib
import socket
from collections.abc import Sequence
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.utils import DNS_NAME
from django.utils.encoding import punycode

from providers.http import deadline
from providers.http.addresses import Address, addresses_of
from providers.http.names import own_name

TIMES = 4
"""A mail may take so many times as long as one answer: there are about eight, most at once."""

MOST_SAID = 256 * 1024
"""Bytes that a mail server may say of a mail; one that never ends would fill the memory."""


class Mails(EmailBackend):
    """Django's own, cut off when the time for the whole is up. Raises TimeoutError then."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _BoundedInTls if self.use_ssl else _Bounded

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        with deadline.ends_within(TIMES * float(self.timeout or 0)) as whole:
            # Mails bear it, and its look-up knows no limit; Django does it once, too.
            if not hasattr(DNS_NAME, "_fqdn"):
                DNS_NAME._fqdn = punycode(own_name(within_s=float(self.timeout or 0)))
            try:
                return super().send_messages(email_messages) or 0
            except (smtplib.SMTPException, OSError) as error:
                if whole.expired:
                    raise TimeoutError("the time for the whole is up") from error
                raise


class _Bounded(smtplib.SMTP):
    """Connects within the time of the whole, and reads no more than a measure."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return _connected(host, port, each_s=timeout)

    def getreply(self) -> Any:
        if self.file is None:
            self.file = _Measured(self.sock.makefile("rb"))  # type: ignore[union-attr]
        return super().getreply()


class _BoundedInTls(smtplib.SMTP_SSL, _Bounded):
    """Makes TLS of what the other connects to, for that is next in order."""


class _Measured:
    """Lines of a mail server, until it has said too much."""

    def __init__(self, opened: Any) -> None:
        self._opened = opened
        self._left = MOST_SAID

    def readline(self, size: int) -> bytes:
        line: bytes = self._opened.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise OSError("the mail server says too much")
        return line

    def close(self) -> None:
        self._opened.close()


def _connected(host: str, port: int, *, each_s: float) -> socket.socket:
    """Connect to the first address that answers, and have it cut at the deadline of the whole."""
    whole = deadline.current()
    assert whole is not None  # noqa: S101  (Mails has set it)

    def to(address: Address) -> socket.socket:
        return socket.create_connection((str(address), port), min(each_s, whole.left_s()))

    addresses = addresses_of(host, port, within_s=min(each_s, whole.left_s()))
    made = deadline.connected_to_one(addresses, to, fails=(OSError,))
    made.settimeout(each_s)
    return made
