"""People are told by chat and mail: what they asked for, once, outside their quiet hours."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from ipaddress import ip_network
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from providers.http.notify import notify
from tests.factories import (
    NOW,
    ApiKeyFactory,
    UpgradeRecordFactory,
    tracked,
)
from tests.ports import free_port
from tests.receiver import Receiver, receiving
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from tests.versioning.services.test_course import GOOD, measured
from tests.versioning.services.test_webhooks import happen
from versioning.domain.events import EventKind
from versioning.models import Delivery, Digest, Event, Notice, Recipient
from versioning.services import digests, mail, outbox
from versioning.services.actors import Actor
from versioning.services.upgrades import moves

pytestmark = pytest.mark.django_db

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
TOKENS = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.HOTSWAP = {
        **settings.HOTSWAP,
        "WEBHOOK_NETWORKS": [ip_network("127.0.0.0/8")],
        "PUBLIC_URL": "https://hotswap.example.com",
    }
    with receiving() as receiver:
        receiver.status = 200
        yield receiver


@pytest.fixture
def operator(db: None) -> Api:
    return Api(ApiKeyFactory(scopes=["read", "setup"]).secret)


@contextmanager
def mail_server() -> Iterator[tuple[int, list[EmailMessage]]]:
    """A server of mails on this machine; what it took, with to whom."""
    taken: list[EmailMessage] = []

    class Keep:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            import email.policy
            from email.parser import BytesParser

            taken.append(BytesParser(policy=email.policy.default).parsebytes(envelope.content))
            return "250 Taken"

    port = free_port()
    controller = Controller(Keep(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port, taken
    finally:
        controller.stop()


def way(receiver: Receiver) -> str:
    """The address of a Mattermost, whose incoming webhooks take the JSON that Slack's take."""
    return f"mmost://{receiver.url.split('://')[1]}/3ccdd113474722377935511fc85d3dd4"


def add(api: Api, **fields: Any) -> Any:
    answer = api.post("/api/recipients", {"name": "ops", **fields})
    assert answer.status_code == 201, answer.content
    return answer.json()


def told() -> list[tuple[str, str]]:
    sent = Delivery.objects.filter(channel="people").order_by("pk")
    return list(sent.values_list("to", "event__kind"))


def test_a_chat_is_told_in_words_with_a_link(receiver: Receiver, operator: Api) -> None:
    shown = add(operator, url=way(receiver), kinds=["model.moved"])
    assert "url" not in shown
    assert shown["way"] == "mmost"
    model = tracked()
    Delivery.objects.all().delete()
    event = happen(model)
    outbox.deliver_due(now=timezone.now())
    assert list(Delivery.objects.values_list("state", "last_error")) == [("delivered", "")]
    (got,) = receiver.received
    text = json.loads(got.body)["text"]
    assert "It moved." in text
    assert "https://hotswap.example.com/admin/" in text
    assert str(event.tracked_model) in text


def test_a_mail_is_received(settings: Any, operator: Api) -> None:
    settings.EMAIL_BACKEND = mail.SMTP
    with mail_server() as (port, taken):
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        model = tracked()
        add(operator, email="ada@example.com")
        event = happen(model)
        outbox.deliver_due(now=timezone.now())
        result = operator.post("/api/recipients/ops/test").json()
    assert result == {"ok": True, "sentence": "It was taken."}
    first, test = taken
    assert first["To"] == "ada@example.com"
    assert first["X-Hotswap-Event"] == f"event_{event.pk}"
    assert "It moved." in first.get_content()
    assert "a test" in test["Subject"]


class TestSecrets:
    def test_an_address_is_kept_encrypted_and_shown_nowhere(
        self, operator: Api, admin_client: Client
    ) -> None:
        add(operator, url=f"slack://{TOKENS}/#ops")
        operator.patch("/api/recipients/ops", {"weekly_digest": True})
        page = reverse("admin:versioning_recipient_change", args=[Recipient.objects.get().pk])
        everywhere = [
            operator.get("/api/recipients/ops").content.decode(),
            operator.get("/api/recipients").content.decode(),
            admin_client.get(page).content.decode(),
            str(list(Recipient.objects.values())),
            str(list(Recipient.history.values())),
        ]
        kept = Recipient.objects.get().kept_url
        assert all("TIiajkdnlazkc" not in each for each in everywhere)
        assert all(kept not in each for each in (*everywhere[:3], everywhere[4]))

    def test_a_variable_has_the_address(
        self, receiver: Receiver, operator: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add(operator, url_env="NOTIFY_OPS")
        assert "NOTIFY_OPS is not set" in self.tried(operator)["sentence"]
        monkeypatch.setenv("NOTIFY_OPS", way(receiver))
        assert self.tried(operator)["ok"]

    @pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "OPENAI_API_KEY", "NOTIFY-X"])
    def test_no_other_variable_is_read(self, name: str, operator: Api) -> None:
        answer = operator.post("/api/recipients", {"name": "ops", "url_env": name})
        assert_problem(answer, 422, "invalid")

    @pytest.mark.parametrize(
        "ways", [{}, {"email": "a@b.cz", "url_env": "NOTIFY_X"}, {"url": "x"}, {"url": "a://"}]
    )
    def test_there_is_one_way(self, ways: dict[str, str], operator: Api) -> None:
        answer = operator.post("/api/recipients", {"name": "ops", **ways})
        assert_problem(answer, 422, "invalid")

    def tried(self, api: Api) -> Any:
        return api.post("/api/recipients/ops/test").json()


class TestWhereItMayGo:
    @pytest.mark.parametrize(
        "host",
        ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "169.254.169.254", "0.0.0.0"],  # noqa: S104
    )
    def test_only_the_internet_is_asked(self, host: str) -> None:
        done = notify(f"json://{host}:9/", title="T", body="B", networks=[])
        assert not done.ok
        assert "not of the internet" in done.why

    def test_a_named_network_never_opens_the_metadata(self) -> None:
        everything = [ip_network("0.0.0.0/0")]
        done = notify("json://169.254.169.254/", title="T", body="B", networks=everything)
        assert "not of the internet" in done.why

    def test_no_redirect_is_followed_whatever_the_address_asks(self, receiver: Receiver) -> None:
        receiver.status = 307
        receiver.headers = {"Location": f"{receiver.url}/elsewhere"}
        host = receiver.url.split("://")[1]
        done = notify(
            f"json://{host}/?redirect=yes",
            title="T",
            body="B",
            networks=[ip_network("127.0.0.0/8")],
        )
        assert (done.ok, done.status) == (False, 307)
        assert [each.path for each in receiver.received] == ["/"]

    @pytest.mark.parametrize("url", ["syslog://", "nosuch://x", "dbus://"])
    def test_nothing_of_this_machine_is_a_way(self, url: str) -> None:
        assert not notify(url, title="T", body="B", networks=[]).ok


class TestOnce:
    def test_that_it_waits_is_said_once_then_in_the_digest_of_the_day(self, operator: Api) -> None:
        add(operator, email="ada@example.com", kinds=["upgrade.recommended"])
        record = UpgradeRecordFactory(tracked_model=tracked())
        for _ in range(3):
            happen_to(record, EventKind.RECOMMENDED)
        assert told() == [("ops", "upgrade.recommended")]
        Recipient.objects.update(created_at=NOW - 9 * DAY)
        for hours in range(48):
            digests.write(now=NOW + hours * HOUR)
        assert [each.day.isoformat() for each in Digest.objects.order_by("day")] == [
            "2026-03-01",
            "2026-03-02",
            "2026-03-03",
        ]
        digest = Digest.objects.earliest("day")
        assert digest.title == "Hotswap: 1 upgrade waits for a decision"
        assert str(record) in digest.body

    def test_where_nothing_waits_nobody_is_told_so(self, operator: Api) -> None:
        add(operator, email="ada@example.com")
        Recipient.objects.update(created_at=NOW - 9 * DAY)
        digests.write(now=NOW)
        assert not Digest.objects.exists()

    def test_one_mailbox_is_told_once(self, operator: Api) -> None:
        model = tracked()
        for name in ("ops", "devs"):
            add(operator, name=name, email="ada@example.com")
        happen(model)
        assert told() == [("ops", "model.moved")]

    def test_each_hears_what_they_asked_for(self, operator: Api) -> None:
        ours, theirs = tracked(owner="ada@example.com"), tracked()
        for name, fields in {
            "ada": {"owner": "Ada@example.com"},
            "acme": {"provider": theirs.provider.slug},
            "fails": {"kinds": ["upgrade.failed"]},
        }.items():
            add(operator, name=name, email=f"{name}@example.com", **fields)
        happen(ours)
        happen(theirs)
        assert told() == [("ada", "model.moved"), ("acme", "model.moved")]


def happen_to(record: Any, kind: EventKind) -> Event:
    from django.db import transaction

    from versioning.services import events

    with transaction.atomic():
        return events.write(
            kind,
            tracked=record.tracked_model,
            record=record,
            sentence="It waits.",
            actor=Actor.scheduler(),
            now=timezone.now(),
            details={"before": None, "reason": ""},
        )


def test_quiet_hours_hold_it_back(operator: Api) -> None:
    fields = {"quiet_from": "20:00", "quiet_until": "07:00", "time_zone": "Europe/Prague"}
    add(operator, email="ada@example.com", **fields)
    moves_at = dt.datetime(2026, 3, 2, 22, 0, tzinfo=dt.UTC)
    record = UpgradeRecordFactory(tracked_model=tracked(), state="approved")
    moves.complete(record_id=record.pk, actor=Actor.command(), now=moves_at, reason="So.")
    sent = Delivery.objects.get(event__at=moves_at, channel="people")
    assert sent.due_at == dt.datetime(2026, 3, 3, 6, 0, tzinfo=dt.UTC)
    Delivery.objects.exclude(pk=sent.pk).delete()
    outbox.deliver_due(now=moves_at)
    for hours in (0, 3, 8):
        assert not outbox.backlog(now=moves_at + hours * HOUR).is_stuck(now=moves_at + hours * HOUR)
    sent.refresh_from_db()
    assert sent.state == "pending"
    outbox.deliver_due(now=sent.due_at)
    sent.refresh_from_db()
    assert sent.state == "delivered"


def test_a_week_is_summed_up(operator: Api) -> None:
    add(operator, email="ada@example.com", daily_digest=False, weekly_digest=True)
    Recipient.objects.update(created_at=NOW - 30 * DAY)
    record = UpgradeRecordFactory(tracked_model=tracked(), state="approved")
    moves.complete(record_id=record.pk, actor=Actor.command(), now=NOW, reason="So.")
    measured(record, GOOD)
    monday = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
    for hours in range(0, 100, 10):
        digests.write(now=monday + hours * HOUR)
    digest = Digest.objects.get()
    parts = [part.split(":")[0] for part in digest.body.split("\n\n")]
    assert parts == ["Moved", "Waits for a decision", "Retires within 90 days", "Saved"]
    assert str(record) in digest.body
    assert "about $0.00 saved" in digest.body


def test_one_that_takes_nothing_for_a_day_is_off(receiver: Receiver, operator: Api) -> None:
    add(operator, url_env="NOTIFY_NOBODY_SET_THIS")
    happen(tracked())
    now = timezone.now()
    for _ in range(40):
        outbox.deliver_due(now=now)
        now += 2 * HOUR
    assert not Recipient.objects.get().enabled
    assert Notice.objects.open().filter(subject="Recipient ops").exists()
    operator.patch("/api/recipients/ops", {"enabled": True})
    assert not Notice.objects.open().filter(subject="Recipient ops").exists()


def test_staff_add_change_and_try_one(receiver: Receiver, admin_client: Client) -> None:
    page = reverse("admin:versioning_recipient_add")
    form = {"name": "ops", "enabled": "on", "kinds": ["model.moved"]}
    refused = admin_client.post(page, form)
    assert "one way" in refused.content.decode()
    made = admin_client.post(page, {**form, "url": way(receiver)})
    assert made.status_code == 302
    recipient = Recipient.objects.get()
    assert (recipient.way, recipient.kinds, recipient.made_by) == (
        "mmost",
        ["model.moved"],
        "admin",
    )
    change = reverse("admin:versioning_recipient_change", args=[recipient.pk])
    kept = recipient.kept_url
    assert admin_client.post(change, {"enabled": "on", "owner": "a@b.cz"}).status_code == 302
    recipient.refresh_from_db()
    assert (recipient.owner, recipient.kept_url) == ("a@b.cz", kept)
    test = reverse("admin:versioning_recipient_test", args=[recipient.pk])
    assert "It was taken." in admin_client.post(test, follow=True).content.decode()
    assert admin_client.post(change, {"enabled": "on", "email": "a@b.cz"}).status_code == 302
    recipient.refresh_from_db()
    assert (recipient.email, recipient.kept_url, recipient.way) == ("a@b.cz", "", "")


def test_an_event_takes_the_same_queries_for_any_number_of_recipients() -> None:
    model = tracked()

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            happen(model)
        return len(queries)

    def add(number: int) -> None:
        Recipient.objects.create(
            name=f"r{number}",
            email=f"r{number}@example.com",
            quiet_from=dt.time(0),
            quiet_until=dt.time(23),
        )

    add(0)
    asked()  # what the model's row keeps once it was read
    before = asked()
    for number in range(1, 6):
        add(number)
    assert asked() == before
    assert Delivery.objects.filter(channel="people").count() == 1 + 1 + 6
