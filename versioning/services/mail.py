"""E-mail: whether it can be sent, and why it could not. One way out for all mails.

What a mail server says is a stranger's text: only its number is kept and shown.
"""

import smtplib
import socket
import ssl
from collections.abc import Mapping
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage

from providers.http.names import NameUnanswered
from providers.http.smtp import TIMES
from versioning.models import TrackedModel
from versioning.services import clock, notices
from versioning.services.errors import ServiceError
from versioning.services.storable import one_line

SUBJECT = "E-mail"
SMTP = "providers.http.smtp.Mails"
NOT_SET_UP = (
    "E-mail is not set up: set EMAIL_HOST, and EMAIL_FROM, where every process of Hotswap is "
    "started, then try it with: manage.py send_test_mail"
)


class NotMailed(ServiceError):
    """The mail server did not take it, and why. ``is_permanent``: it never will."""

    code = "not-mailed"

    def __init__(self, sentence: str, *, is_permanent: bool, is_away: bool) -> None:
        super().__init__(sentence)
        self.is_permanent = is_permanent
        self.is_away = is_away


def longest_s() -> float:
    """Return how many seconds a mail takes at most."""
    return TIMES * float(settings.EMAIL_TIMEOUT)


def is_set_up() -> bool:
    """Say whether somebody named a mail server, or another way for mails to go."""
    return settings.EMAIL_BACKEND != SMTP or bool(settings.EMAIL_HOST)


def warning() -> str:
    """Return what keeps owners from their mails; empty where nothing does, or nobody has any."""
    if is_set_up() or not TrackedModel.objects.active().exclude(owner="").exists():
        return ""
    return f"Models have owners who are reminded by e-mail. {NOT_SET_UP}"


def note_at_start(*, now: datetime) -> None:
    """Tell staff of what keeps owners from their mails, or that it is over."""
    if sentence := warning():
        notices.raise_fault(subject=SUBJECT, sentence=sentence, now=now)
    elif not is_set_up():
        notices.resolve_fault(subject=SUBJECT, by="prepare", now=now)


def send(*, to: str, subject: str, body: str, headers: Mapping[str, str] | None = None) -> None:
    """Send one mail now; a fault of the server's is told to staff until one goes.

    Called outside any transaction. Raises NotMailed.
    """
    try:
        _send(to=to, subject=subject, body=body, headers=headers or {})
    except NotMailed as error:
        if not error.is_permanent:  # one bad address is no fault of the server's
            notices.raise_fault(subject=SUBJECT, sentence=str(error), now=clock.now())
        raise
    notices.resolve_fault(subject=SUBJECT, by="the next mail", now=clock.now())


def send_test(*, to: str) -> str:
    """Send a mail that tells of nothing; return what came of it. Raises NotMailed."""
    body = "Hotswap tries whether its mails arrive. They do.\n"
    send(to=to, subject="Hotswap: a test", body=body)
    return f"The mail server took it for {to}."


def _send(*, to: str, subject: str, body: str, headers: Mapping[str, str]) -> None:
    if not is_set_up():
        raise NotMailed(NOT_SET_UP, is_permanent=False, is_away=True)
    # What is stored may be older than what the doors refuse today.
    message = EmailMessage(one_line(subject), body, to=[one_line(to)], headers=dict(headers))
    try:
        message.send()
    except (SMTPException, OSError) as error:
        refused = isinstance(error, smtplib.SMTPRecipientsRefused) and all(
            500 <= code < 600 for code, _ in error.recipients.values()
        )
        raise NotMailed(
            _why(error),
            is_permanent=refused,
            is_away=not isinstance(error, SMTPException)
            or isinstance(error, smtplib.SMTPServerDisconnected | smtplib.SMTPConnectError),
        ) from error


def _why(error: Exception) -> str:
    """Say why a mail did not go, and which setting to look at."""
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    match error:
        case smtplib.SMTPAuthenticationError():
            what = f"refuses EMAIL_HOST_USER or EMAIL_HOST_PASSWORD ({error.smtp_code})"
        case smtplib.SMTPRecipientsRefused():
            codes = sorted({str(code) for code, _ in error.recipients.values()})
            what = f"refuses the address of who should get it ({', '.join(codes)})"
        case smtplib.SMTPSenderRefused():
            what = f"refuses to send from EMAIL_FROM ({error.smtp_code})"
        case smtplib.SMTPNotSupportedError():
            what = "can't do what EMAIL_TLS or EMAIL_HOST_USER ask for"
        case smtplib.SMTPResponseException():
            what = f"did not take it ({error.smtp_code})"
        case ssl.SSLError():
            what = "could not be spoken to safely: look at EMAIL_TLS and EMAIL_PORT"
        case TimeoutError():
            what = _lateness(error)
        case socket.gaierror():
            what = "is a name that leads nowhere: look at EMAIL_HOST"
        case ConnectionRefusedError():
            what = "is not there: look at EMAIL_HOST and EMAIL_PORT"
        case _:
            what = f"broke off ({type(error).__name__})"
    return f"The mail server {where} {what}."


def _lateness(error: TimeoutError) -> str:
    each_s = settings.EMAIL_TIMEOUT
    if isinstance(error, NameUnanswered):
        return f"is a name that was not looked up in {each_s} seconds: does the name server answer?"
    return f"did not answer within {each_s} seconds, or not to the end within {TIMES * each_s}"
