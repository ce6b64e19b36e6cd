"""Webhooks: added, changed, tried, and given new secrets."""

from rest_framework.response import Response
from rest_framework.serializers import Serializer

from versioning.api import conditional
from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import OLDEST_FIRST, page, page_of
from versioning.api.serializers.fields import Paging
from versioning.api.serializers.webhooks import (
    NewSecretSerializer,
    NewWebhook,
    WebhookChange,
    WebhookSerializer,
    WebhookTestSerializer,
)
from versioning.models import ApiKey
from versioning.services import editing, webhooks

SETUP = ApiKey.Scope.SETUP
SHOWN_ONCE = ("secret",)


class WebhooksView(ApiView):
    @operation(
        id="webhooks",
        tag="news",
        summary="The programs that are told of events",
        query=Paging,
        answer=page_of(WebhookSerializer),
        permission="versioning.view_webhook",
    )
    def get(self, asked: Asked) -> Response:
        """Those that are switched off included. Secrets are never shown."""
        return page(asked, webhooks.all_of_them(), order=OLDEST_FIRST, show=WebhookSerializer)

    @operation(
        id="add_webhook",
        tag="news",
        summary="Add a webhook",
        body=NewWebhook,
        answer=NewSecretSerializer,
        status=201,
        scope=SETUP,
        permission="versioning.add_webhook",
        shown_once=SHOWN_ONCE,
    )
    def post(self, asked: Asked) -> Response:
        """Events that happen from now on are sent to it. The secret comes this once."""
        made = webhooks.add(fields=asked.body, actor=asked.actor)
        where = {"Location": f"/api/webhooks/{made.webhook.name}", "Cache-Control": "no-store"}
        return Response(NewSecretSerializer(made).data, status=201, headers=where)


class WebhookView(ApiView):
    @operation(
        id="webhook",
        tag="news",
        summary="One webhook",
        answer=WebhookSerializer,
        permission="versioning.view_webhook",
        headers=(conditional.ETAG,),
    )
    def get(self, asked: Asked, *, slug: str) -> Response:
        """What it is told, and why it was switched off if it was."""
        found = editing.row_of(webhooks.all_of_them().filter(name=slug))
        return conditional.shown(found, WebhookSerializer)

    @operation(
        id="change_webhook",
        tag="news",
        summary="Change a webhook",
        body=WebhookChange,
        answer=WebhookSerializer,
        scope=SETUP,
        permission="versioning.change_webhook",
        problems=(412,),
        headers=(conditional.ETAG, conditional.IF_MATCH),
    )
    def patch(self, asked: Asked, *, slug: str) -> Response:
        """Only the fields that you send. What happens while it is off is not sent later."""
        changed = webhooks.change(
            name=slug,
            changes=asked.body,
            actor=asked.actor,
            revision=asked.if_match,
            now=asked.now,
        )
        return conditional.shown(changed, WebhookSerializer)

    @operation(
        id="remove_webhook",
        tag="news",
        summary="Remove a webhook",
        answer=None,
        status=204,
        scope=SETUP,
        permission="versioning.delete_webhook",
        problems=(412,),
        headers=(conditional.IF_MATCH,),
    )
    def delete(self, asked: Asked, *, slug: str) -> Response:
        """What waits for it is given up; the log of what was sent stays."""
        return conditional.removed(asked, webhooks.all_of_them().filter(name=slug))


class RotateView(ApiView):
    @operation(
        id="rotate_webhook_secret",
        tag="news",
        summary="Give a webhook another secret",
        body=Serializer,
        answer=NewSecretSerializer,
        scope=SETUP,
        permission="versioning.change_webhook",
        problems=(404,),
        shown_once=SHOWN_ONCE,
    )
    def post(self, asked: Asked, *, slug: str) -> Response:
        """It comes this once. For a day each message is signed with both."""
        made = webhooks.rotate(name=slug, actor=asked.actor, now=asked.now)
        headers = {"Cache-Control": "no-store"}
        return Response(NewSecretSerializer(made).data, headers=headers)


class TestView(ApiView):
    @operation(
        id="test_webhook",
        tag="news",
        summary="Send a webhook a message that tells of nothing",
        body=Serializer,
        answer=WebhookTestSerializer,
        scope=SETUP,
        permission="versioning.change_webhook",
        problems=(404,),
        asks_others=True,
    )
    def post(self, asked: Asked, *, slug: str) -> Response:
        """At once and once; its type is `webhook.test`. A failure is an answer, too."""
        return Response(WebhookTestSerializer(webhooks.test(name=slug, now=asked.now)).data)
