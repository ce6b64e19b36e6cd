"""Recipients: added, changed, tried."""

from rest_framework.response import Response
from rest_framework.serializers import Serializer

from versioning.api import conditional
from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import OLDEST_FIRST, page, page_of
from versioning.api.serializers.fields import Paging
from versioning.api.serializers.recipients import (
    NewRecipient,
    RecipientChange,
    RecipientSerializer,
    RecipientTestSerializer,
)
from versioning.models import ApiKey
from versioning.services import editing, recipients

SETUP = ApiKey.Scope.SETUP


class RecipientsView(ApiView):
    @operation(
        id="recipients",
        tag="news",
        summary="The people who are told of events",
        query=Paging,
        answer=page_of(RecipientSerializer),
        permission="versioning.view_recipient",
    )
    def get(self, asked: Asked) -> Response:
        """Those that are switched off included. Addresses of chats and pagers are never shown."""
        return page(asked, recipients.all_of_them(), order=OLDEST_FIRST, show=RecipientSerializer)

    @operation(
        id="add_recipient",
        tag="news",
        summary="Add a recipient",
        body=NewRecipient,
        answer=RecipientSerializer,
        status=201,
        scope=SETUP,
        permission="versioning.add_recipient",
    )
    def post(self, asked: Asked) -> Response:
        """Events that happen from now on are told to them."""
        made = recipients.add(fields=asked.body, actor=asked.actor)
        where = {"Location": f"/api/recipients/{made.name}"}
        return Response(RecipientSerializer(made).data, status=201, headers=where)


class RecipientView(ApiView):
    @operation(
        id="recipient",
        tag="news",
        summary="One recipient",
        answer=RecipientSerializer,
        permission="versioning.view_recipient",
        headers=(conditional.ETAG,),
    )
    def get(self, asked: Asked, *, slug: str) -> Response:
        """What they are told, and why they were switched off if they were."""
        found = editing.row_of(recipients.all_of_them().filter(name=slug))
        return conditional.shown(found, RecipientSerializer)

    @operation(
        id="change_recipient",
        tag="news",
        summary="Change a recipient",
        body=RecipientChange,
        answer=RecipientSerializer,
        scope=SETUP,
        permission="versioning.change_recipient",
        problems=(412,),
        headers=(conditional.ETAG, conditional.IF_MATCH),
    )
    def patch(self, asked: Asked, *, slug: str) -> Response:
        """Only the fields that you send; to change the way, empty the one before it too."""
        changed = recipients.change(
            name=slug,
            changes=asked.body,
            actor=asked.actor,
            revision=asked.if_match,
            now=asked.now,
        )
        return conditional.shown(changed, RecipientSerializer)

    @operation(
        id="remove_recipient",
        tag="news",
        summary="Remove a recipient",
        answer=None,
        status=204,
        scope=SETUP,
        permission="versioning.delete_recipient",
        problems=(412,),
        headers=(conditional.IF_MATCH,),
    )
    def delete(self, asked: Asked, *, slug: str) -> Response:
        """What waits for them is given up, their digests go; the log of what was sent stays."""
        return conditional.removed(asked, recipients.all_of_them().filter(name=slug))


class TestRecipientView(ApiView):
    @operation(
        id="test_recipient",
        tag="news",
        summary="Send a recipient a notice that tells of nothing",
        body=Serializer,
        answer=RecipientTestSerializer,
        scope=SETUP,
        permission="versioning.change_recipient",
        problems=(404,),
        asks_others=True,
    )
    def post(self, asked: Asked, *, slug: str) -> Response:
        """At once and once, also within quiet hours. A failure is an answer, too."""
        return Response(RecipientTestSerializer(recipients.test(name=slug)).data)
