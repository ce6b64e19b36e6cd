"""What Hotswap sends verifies with the npm package of Standard Webhooks, too."""

import json
from typing import Any

import pytest
from django.utils import timezone

from tests.clients.test_generated import HERE, run
from tests.factories import tracked
from tests.receiver import Receiver
from tests.versioning.services.test_webhooks import add, happen, operator, receiver
from versioning.services import outbox

__all__ = ["operator", "receiver"]
pytestmark = [pytest.mark.clients, pytest.mark.django_db]


def verified(secret: str, body: bytes, headers: dict[str, str]) -> Any:
    message = {"secret": secret, "body": body.decode(), "headers": headers}
    return json.loads(run("node", "verify_webhook.mjs", at=HERE, stdin=json.dumps(message)))


def test_a_webhook_is_verified_in_javascript(receiver: Receiver, operator: Any) -> None:
    model = tracked(name="größer")
    former = add(operator, f"{receiver.url}/hooks", kinds=["model.moved"])
    secret = operator.post("/api/webhooks/deploy-bot/secret").json()["secret"]
    event = happen(model)
    outbox.deliver_due(now=timezone.now())

    (got,) = receiver.received
    for each in (secret, former):
        message = verified(each, got.body, got.headers)
        assert (message["type"], message["data"]["id"]) == ("model.moved", event.pk)
        assert message["data"]["model"] == "größer"
    assert "refused" in verified(secret, got.body + b" ", got.headers)
