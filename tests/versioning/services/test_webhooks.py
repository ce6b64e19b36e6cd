"""Webhooks: signed as Standard Webhooks says, sent where they may go, off when nobody is there."""

import datetime as dt
import json
import socket
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from tests.factories import ApiKeyFactory, tracked
from tests.receiver import Receiver, receiving
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.domain.events import EventKind
from versioning.models import (
    Delivery,
    Event,
    IdempotentRequest,
    Notice,
    TrackedModel,
    UpgradeRecord,
    Webhook,
)
from versioning.services import events, outbox, webhooks
from versioning.services.actors import Actor

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
LOOPBACK = [ip_network("127.0.0.0/8")]


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.HOTSWAP = {
        **settings.HOTSWAP,
        "WEBHOOK_NETWORKS": LOOPBACK,
        "PUBLIC_URL": "https://hotswap.example.com",
    }
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def operator(db: None) -> Api:
    return Api(ApiKeyFactory(scopes=["read", "setup"]).secret)


def add(api: Api, url: str, **fields: Any) -> str:
    answer = api.post("/api/webhooks", {"name": "deploy-bot", "url": url, **fields})
    assert answer.status_code == 201, answer.content
    assert answer["Cache-Control"] == "no-store"
    secret: str = answer.json()["secret"]
    return secret


def happen(model: TrackedModel, kind: EventKind = EventKind.MOVED) -> Event:
    with transaction.atomic():
        return events.write(
            kind,
            tracked=model,
            record=UpgradeRecord.objects.filter(tracked_model=model).first(),
            sentence="It moved.",
            actor=Actor.command(),
            now=timezone.now(),
            details={"before": None, "reason": ""},
        )


def only_sent() -> Delivery:
    return Delivery.objects.filter(channel="webhook").latest("pk")


def test_an_event_is_received_and_verified(receiver: Receiver, operator: Api) -> None:
    model = tracked()
    secret = add(operator, f"{receiver.url}/hooks", kinds=["model.moved"])
    event = happen(model)
    outbox.deliver_due(now=timezone.now())

    (got,) = receiver.received
    message = Verifier(secret).verify(got.body, got.headers)
    assert got.headers["webhook-id"] == f"event_{event.pk}"
    assert message["type"] == "model.moved"
    assert message["timestamp"] == event.at.isoformat()
    assert message["data"]["sentence"] == "It moved."
    assert message["data"]["model"] == event.tracked_model.name
    assert message["data"]["link"].startswith("https://hotswap.example.com/admin/")
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(got.body + b" ", got.headers)
    assert list(only_sent().log.values_list("status", "error")) == [(204, "")]


def test_for_a_day_both_secrets_verify(receiver: Receiver, operator: Api) -> None:
    former = add(operator, receiver.url)
    secret = operator.post("/api/webhooks/deploy-bot/secret").json()["secret"]
    assert secret != former
    for verifies in (True, False):
        assert operator.post("/api/webhooks/deploy-bot/test").json()["ok"]
        got = receiver.received.pop()
        assert Verifier(secret).verify(got.body, got.headers)["type"] == webhooks.TEST
        try:
            Verifier(former).verify(got.body, got.headers)
        except WebhookVerificationError:
            assert not verifies
        else:
            assert verifies
        Webhook.objects.update(former_until=timezone.now() - HOUR)


def test_a_secret_is_shown_once_and_kept_encrypted(operator: Api) -> None:
    body = {"name": "deploy-bot", "url": "https://example.com/hooks"}
    once = {"Idempotency_Key": "k1"}
    secret = operator.post("/api/webhooks", body, **once).json()["secret"]
    again = operator.post("/api/webhooks", body, **once)
    assert again["Idempotent-Replayed"] == "true"
    assert again.json()["secret"] == ""

    shown = operator.get("/api/webhooks/deploy-bot").content.decode()
    kept = json.dumps(
        [list(Webhook.objects.values()), list(IdempotentRequest.objects.values())], default=str
    )
    history = str(list(Webhook.history.values()))
    assert secret.startswith("whsec_")
    assert all(secret not in text for text in (shown, kept, history))
    assert Webhook.objects.get().secret not in shown + history


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.1.2.3",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "0.0.0.0",  # noqa: S104
        "2130706433",
        "224.0.0.1",
    ],
)
def test_only_the_internet_is_asked(host: str, operator: Api) -> None:
    add(operator, f"https://{host}/hooks")
    result = operator.post("/api/webhooks/deploy-bot/test").json()
    assert not result["ok"]
    assert "not of the internet" in result["sentence"]
    assert result["status"] is None


def test_a_named_network_never_opens_the_metadata(settings: Any, operator: Api) -> None:
    everything = {"WEBHOOK_NETWORKS": [ip_network("0.0.0.0/0")]}
    settings.HOTSWAP = {**settings.HOTSWAP, **everything}
    add(operator, "http://169.254.169.254/latest")
    assert (
        "not of the internet" in operator.post("/api/webhooks/deploy-bot/test").json()["sentence"]
    )


def test_over_the_internet_nothing_goes_in_clear(operator: Api) -> None:
    add(operator, "http://192.88.98.7/hooks")
    assert "use https" in operator.post("/api/webhooks/deploy-bot/test").json()["sentence"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(status: int, receiver: Receiver, operator: Api) -> None:
    add(operator, receiver.url)
    receiver.status, receiver.headers = status, {"Location": f"{receiver.url}/elsewhere"}
    result = operator.post("/api/webhooks/deploy-bot/test").json()
    assert (result["ok"], result["status"]) == (False, status)
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "https://",
        "https://ada:pw@example.com/",
        "https://example.com/#x",
        "x",
    ],
)
def test_what_is_no_address_is_refused(url: str, operator: Api) -> None:
    answer = operator.post("/api/webhooks", {"name": "deploy-bot", "url": url})
    assert_problem(answer, 422, "invalid")


def test_each_is_told_what_it_asked_for(receiver: Receiver, operator: Api) -> None:
    ours, other = tracked(owner="ada@example.com"), tracked()
    add(operator, receiver.url)
    for name, fields in {
        "moves": {"kinds": ["model.moved"]},
        "failures": {"kinds": ["upgrade.failed"]},
        "ours": {"owner": "ada@example.com"},
        "provider": {"provider": other.provider.slug},
        "off": {"enabled": False},
    }.items():
        operator.post("/api/webhooks", {"name": name, "url": receiver.url, **fields})
    mine, theirs = happen(ours), happen(other)

    def told(event: Event) -> set[str]:
        sent = Delivery.objects.filter(event=event, channel="webhook")
        return set(sent.values_list("to", flat=True))

    assert told(mine) == {"deploy-bot", "moves", "ours"}
    assert told(theirs) == {"deploy-bot", "moves", "provider"}


class TestDead:
    """Nobody is asked for ever; people hear of it, and switch it on again."""

    def test_one_that_is_gone_is_off_at_once(
        self, receiver: Receiver, operator: Api, admin_client: Client
    ) -> None:
        add(operator, receiver.url)
        receiver.status = 410
        happen(tracked())
        outbox.deliver_due(now=timezone.now())

        webhook = operator.get("/api/webhooks/deploy-bot").json()
        assert not webhook["enabled"]
        assert "gone" in webhook["off_reason"]
        assert set(Delivery.objects.filter(channel="webhook").values_list("state", flat=True)) == {
            "dead"
        }
        assert "Webhook deploy-bot was switched off" in admin_client.get("/admin/").content.decode()

        receiver.status = 200
        operator.patch("/api/webhooks/deploy-bot", {"enabled": True})
        assert not Notice.objects.open().filter(subject="Webhook deploy-bot").exists()
        lost = only_sent()
        assert operator.post(f"/api/deliveries/{lost.pk}/try-anew").status_code == 200
        outbox.deliver_due(now=timezone.now())
        lost.refresh_from_db()
        assert lost.state == "delivered"

    def test_one_that_takes_nothing_for_a_day_is_off(
        self, receiver: Receiver, operator: Api
    ) -> None:
        add(operator, receiver.url)
        receiver.status = 500
        happen(tracked())
        now = timezone.now()
        for _ in range(40):
            outbox.deliver_due(now=now)
            now += 2 * HOUR
        webhook = Webhook.objects.get()
        assert not webhook.enabled
        assert "taken nothing since" in webhook.off_reason

    def test_one_that_refuses_one_event_stays_on(self, receiver: Receiver, operator: Api) -> None:
        disliked = tracked()
        add(operator, receiver.url)
        receiver.refuses = disliked.name.encode()
        happen(disliked), happen(tracked())
        now = timezone.now()
        for _ in range(40):
            outbox.deliver_due(now=now)
            now += 2 * HOUR
        assert set(Delivery.objects.values_list("state", flat=True)) == {"dead", "delivered"}
        assert Webhook.objects.get().enabled


class TestWithoutKey:
    @pytest.fixture(autouse=True)
    def no_key(self, settings: Any) -> None:
        settings.HOTSWAP = {**settings.HOTSWAP, "SECRETS_KEYS": []}

    def test_nothing_is_added(self, operator: Api, admin_client: Client) -> None:
        answer = operator.post(
            "/api/webhooks", {"name": "deploy-bot", "url": "https://example.com/"}
        )
        assert_problem(answer, 409, "no-secrets-key")
        assert "HOTSWAP_SECRETS_KEY" in answer.json()["detail"]
        page = reverse("admin:versioning_webhook_add")
        fields = {"name": "deploy-bot", "url": "https://example.com/", "enabled": "on"}
        assert (
            "HOTSWAP_SECRETS_KEY" in admin_client.post(page, fields, follow=True).content.decode()
        )
        assert not Webhook.objects.exists()


def test_another_key_before_the_first_leaves_all_readable(
    settings: Any, receiver: Receiver, operator: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    add(operator, receiver.url)
    call_command("secrets_key")
    newer = capsys.readouterr().out.strip()
    older = settings.HOTSWAP["SECRETS_KEYS"]
    settings.HOTSWAP = {**settings.HOTSWAP, "SECRETS_KEYS": [newer, *older]}
    assert operator.post("/api/webhooks/deploy-bot/test").json()["ok"]
    settings.HOTSWAP = {**settings.HOTSWAP, "SECRETS_KEYS": [newer]}
    assert_problem(operator.post("/api/webhooks/deploy-bot/test"), 409, "no-secrets-key")


def test_staff_add_try_and_give_a_new_secret(receiver: Receiver, admin_client: Client) -> None:
    page = reverse("admin:versioning_webhook_add")
    fields = {"name": "deploy-bot", "url": receiver.url, "enabled": "on", "kinds": ["model.moved"]}
    made = admin_client.post(page, fields)
    assert "no-store" in made["Cache-Control"]
    assert "whsec_" in made.content.decode()
    webhook = Webhook.objects.get()
    assert (webhook.kinds, webhook.made_by) == (["model.moved"], "admin")

    change = reverse("admin:versioning_webhook_change", args=[webhook.pk])
    assert "whsec_" not in admin_client.get(change).content.decode()
    test = reverse("admin:versioning_webhook_test", args=[webhook.pk])
    assert "It was taken (204)" in admin_client.post(test, follow=True).content.decode()
    rotate = reverse("admin:versioning_webhook_rotate", args=[webhook.pk])
    assert "whsec_" in admin_client.post(rotate).content.decode()
    admin_client.post(change, {"url": receiver.url, "owner": "ada@example.com"})
    webhook.refresh_from_db()
    assert (webhook.enabled, webhook.kinds, webhook.owner) == (False, [], "ada@example.com")
    assert webhook.former_until is not None


class TestRebinding:
    """A name that leads to the internet when it is looked at, and elsewhere a moment later."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Names lead to the internet once, and to this machine ever after."""
        asked: list[str] = []
        plain = socket.getaddrinfo

        def turning(host: Any, port: Any, *more: Any, **named: Any) -> Any:
            if host != "turning.example.com":
                return plain(host, port, *more, **named)
            asked.append(host)
            return plain("192.88.98.7" if len(asked) == 1 else "127.0.0.1", port, *more, **named)

        monkeypatch.setattr(socket, "getaddrinfo", turning)
        return asked

    def test_what_is_connected_to_is_looked_at(
        self, asked: list[str], operator: Api, settings: Any
    ) -> None:
        with receiving() as receiver:
            port = receiver.url.rsplit(":", 1)[1]
            add(operator, f"https://turning.example.com:{port}/hooks")
            result = operator.post("/api/webhooks/deploy-bot/test").json()
        assert not result["ok"]
        assert "127.0.0.1, which is not of the internet" in result["sentence"]
        assert receiver.received == []
        assert len(asked) > 1
