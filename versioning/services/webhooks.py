"""Programs that are told of events: set up, given their secret once, tried, switched off."""

import json
import secrets
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from standardwebhooks import Webhook as Signer

from providers.base import Nonsense
from providers.http.push import push
from providers.http.transport import NoReply, Reply
from versioning.models import Webhook
from versioning.services import clock, editing, locks, subscriptions, vault
from versioning.services.actors import Actor
from versioning.services.errors import ServiceError
from versioning.services.transactions import one_transaction

OVERLAP = timedelta(days=1)
"""So long both secrets sign: whoever takes the events puts the new one in meanwhile."""

TEST = "webhook.test"
"""The type of a message that tells of nothing: so a taker can be tried at any time."""

CHANNEL = "webhook"
GONE = 410


class NotPushed(ServiceError):
    """The taker did not take it. ``status`` is what it answered, None where it did not."""

    code = "not-taken"

    def __init__(self, sentence: str, *, answered: int | None = None) -> None:
        super().__init__(sentence)
        self.answered = answered


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A webhook with a secret just made, which can't be read again later."""

    webhook: Webhook
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookTest:
    """What came of one message: ``status`` is what was answered, ``ms`` how long it took."""

    ok: bool
    sentence: str
    status: int | None
    ms: int


def all_of_them() -> QuerySet[Webhook]:
    """Return the webhooks with their providers."""
    return Webhook.objects.select_related("provider", "team")


def add(*, fields: Mapping[str, Any], actor: Actor) -> NewSecret:
    """Add a webhook, with a secret of its own. Raises Invalid and NoSecretsKey."""
    secret = _new_secret()
    webhook = Webhook(**fields, secret=vault.encrypt(secret), made_by=actor.name)
    return NewSecret(editing.add(webhook, actor=actor), secret)


def change(
    *, name: str, changes: Mapping[str, Any], actor: Actor, revision: str | None, now: datetime
) -> Webhook:
    """Set the given fields. Who switches it on again has dealt with why it was off.

    Raises NotFound, ChangedSince and Invalid.
    """
    wanted = dict(changes)
    if wanted.get("enabled"):
        wanted["off_reason"] = ""
    webhook = editing.change(_named(name), changes=wanted, actor=actor, revision=revision)
    if wanted.get("enabled"):
        subscriptions.switched_on(webhook, by=actor.name, now=now)
    return webhook


@one_transaction
def rotate(*, name: str, actor: Actor, now: datetime) -> NewSecret:
    """Give a webhook another secret; for a day the former one signs, too.

    Raises NotFound and NoSecretsKey.
    """
    webhook = locks.hold_one(_named(name), missing=f"There is no webhook {name}.")
    secret = _new_secret()
    webhook.former_secret, webhook.former_until = webhook.secret, now + OVERLAP
    webhook.secret = vault.encrypt(secret)
    actor.sign(webhook)
    webhook.save(update_fields=["secret", "former_secret", "former_until"])
    return NewSecret(webhook, secret)


def test(*, name: str, now: datetime) -> WebhookTest:
    """Send a message that tells of nothing, at once. Raises NotFound and NoSecretsKey."""
    webhook = editing.row_of(_named(name))
    message = {
        "type": TEST,
        "timestamp": now.isoformat(),
        "data": {"sentence": "Hotswap tries whether this webhook takes what it sends."},
    }
    began_s = time.monotonic()
    try:
        status: int | None = send(webhook, f"test_{secrets.token_hex(8)}", message)
        sentence = f"It was taken ({status})."
        ok = True
    except NotPushed as error:
        ok, status, sentence = False, error.answered, str(error)
    ms = round((time.monotonic() - began_s) * 1000)
    return WebhookTest(ok=ok, sentence=sentence, status=status, ms=ms)


def send(webhook: Webhook, message_id: str, message: Mapping[str, Any]) -> int:
    """Send a message signed, and return the status with which it was taken.

    The moment that is signed is that of the sending: a later try is as fresh as the first. Raises
    NotPushed, and NoSecretsKey.
    """
    now = clock.now()
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    kept = [webhook.secret]
    if webhook.former_until is not None and now < webhook.former_until:
        kept.append(webhook.former_secret)
    signatures = [
        Signer(vault.decrypt(each)).sign(msg_id=message_id, timestamp=now, data=body)
        for each in kept
    ]
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    try:
        answer = push(
            webhook.url,
            body.encode(),
            headers=headers,
            networks=settings.HOTSWAP["WEBHOOK_NETWORKS"],
        )
    except Nonsense as error:
        raise NotPushed(str(error)) from error
    return _taken(answer)


def _taken(answer: Reply | NoReply) -> int:
    if isinstance(answer, NoReply):
        raise NotPushed(f"No answer: {answer.reason}.")
    if 300 <= answer.status < 400:
        raise NotPushed(
            f"It redirects ({answer.status}), which is not followed: set the address it leads to.",
            answered=answer.status,
        )
    if not 200 <= answer.status < 300:
        raise NotPushed(f"It answered with {answer.status}.", answered=answer.status)
    return answer.status


def _named(name: str) -> QuerySet[Webhook]:
    return Webhook.objects.filter(name=name)


def _new_secret() -> str:
    return f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
