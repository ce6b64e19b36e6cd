"""E-mail: set up by the environment, tried at once, and whoever can't be mailed is seen."""

import smtplib
import socket
import ssl
from io import StringIO
from typing import Any

import pytest
from django.core import mail as django_mail
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from tests.factories import ApiKeyFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.services.test_retirement import retiring
from versioning import tasks
from versioning.models import Delivery, Notice
from versioning.services import mail

pytestmark = pytest.mark.django_db


def refused(code: int, *, kind: type[Any] = smtplib.SMTPResponseException) -> Exception:
    error: Exception = kind(code, b"5.7.8 the secret of ada")
    return error


FAULTS = {
    "refuses EMAIL_HOST_USER or EMAIL_HOST_PASSWORD (535)": refused(
        535, kind=smtplib.SMTPAuthenticationError
    ),
    "refuses the address of who should get it (550)": smtplib.SMTPRecipientsRefused(
        {"ada@example.com": (550, b"the secret")}
    ),
    "refuses to send from EMAIL_FROM (553)": smtplib.SMTPSenderRefused(553, b"secret", "x"),
    "EMAIL_TLS": ssl.SSLError("the secret"),
    "can't do what EMAIL_TLS": smtplib.SMTPNotSupportedError("the secret"),
    "did not take it (451)": refused(451),
    "within 15 seconds": TimeoutError("the secret"),
    "leads nowhere": socket.gaierror("the secret"),
    "is not there": ConnectionRefusedError("the secret"),
    "broke off (SMTPServerDisconnected)": smtplib.SMTPServerDisconnected("the secret"),
}


@pytest.fixture(params=FAULTS, ids=lambda words: words)
def fault(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    def fail(*_: object, **__: object) -> None:
        raise FAULTS[request.param]

    monkeypatch.setattr(django_mail.EmailMessage, "send", fail)
    return str(request.param)


def test_each_fault_says_what_to_look_at_and_nothing_of_the_servers(fault: str) -> None:
    answer = Api(ApiKeyFactory().secret).post("/api/mail/test", {"to": "ada@example.com"}).json()
    assert not answer["ok"]
    assert fault in answer["sentence"]
    assert "secret" not in answer["sentence"]


def test_a_reminder_that_cannot_go_is_seen_until_one_goes(
    monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    retiring(days=-3, owner="ada@example.com")
    with pytest.MonkeyPatch.context() as patch:

        def fail(*_: object, **__: object) -> None:
            raise ConnectionRefusedError

        patch.setattr(django_mail.EmailMessage, "send", fail)
        tasks.remind()
    assert "look at EMAIL_HOST and EMAIL_PORT" in Delivery.objects.get().last_error
    assert "look at EMAIL_HOST and EMAIL_PORT" in admin_client.get("/admin/").content.decode()

    mail.send_test(to="ada@example.com")
    assert not Notice.objects.open().filter(subject=mail.SUBJECT).exists()


class TestWithoutServer:
    @pytest.fixture(autouse=True)
    def nowhere(self, settings: Any) -> None:
        settings.EMAIL_HOST, settings.EMAIL_BACKEND = "", mail.SMTP

    def warnings(self) -> list[str | None]:
        return [each.id for each in run_checks(databases=["default"])]

    def test_nobody_needs_one_until_a_model_has_an_owner(self) -> None:
        tracked()
        assert "versioning.W001" not in self.warnings()
        tracked(owner="ada@example.com")
        assert "versioning.W001" in self.warnings()

    def test_mails_that_go_into_a_folder_need_none(self, settings: Any) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        tracked(owner="ada@example.com")
        assert "versioning.W001" not in self.warnings()

    def test_the_start_tells_staff_and_takes_it_back(self, settings: Any) -> None:
        tracked(owner="ada@example.com")
        call_command("prepare", "--json", stdout=StringIO())
        assert "EMAIL_HOST" in Notice.objects.open().get(subject=mail.SUBJECT).sentence

    def test_a_try_says_what_to_set(self) -> None:
        with pytest.raises(CommandError, match="set EMAIL_HOST"):
            call_command("send_test_mail", "ada@example.com")


def test_staff_try_it_with_a_button(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:versioning_delivery_changelist")).content.decode()
    assert "Send me a test mail" in page
    address = reverse("admin:versioning_delivery_test_mail")
    said = admin_client.post(address, follow=True).content.decode()
    assert "The mail server took it for admin@example.com" in said
    assert [each.to for each in django_mail.outbox] == [["admin@example.com"]]


def test_the_command_sends_one() -> None:
    out = StringIO()
    call_command("send_test_mail", "ada@example.com", stdout=out)
    assert "took it" in out.getvalue()
    assert django_mail.outbox[0].subject == "Hotswap: a test"
