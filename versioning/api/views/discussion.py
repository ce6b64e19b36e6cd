"""What people say of an upgrade, and the requests for changes that hold it back."""

from rest_framework.response import Response
from rest_framework.serializers import Serializer

from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import OLDEST_FIRST, page, page_of
from versioning.api.serializers.discussion import (
    CommentFormSerializer,
    CommentSerializer,
    OverrideSerializer,
)
from versioning.api.serializers.fields import Paging
from versioning.models import ApiKey
from versioning.services.upgrades import discussion, selection

DISCUSS = "versioning.reject_upgrade"
"""Who may say no may say less."""


class CommentsView(ApiView):
    @operation(
        id="comments",
        tag="decisions",
        summary="What was said of an upgrade",
        query=Paging,
        answer=page_of(CommentSerializer),
        problems=(404,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """The oldest first. Nothing is ever changed: what ends a request for changes follows it."""
        rows = discussion.of_record(selection.record(record_id=id))
        return page(asked, rows, order=OLDEST_FIRST, show=CommentSerializer)

    @operation(
        id="add_comment",
        tag="decisions",
        summary="Comment on an upgrade, or ask for changes",
        body=CommentFormSerializer,
        answer=CommentSerializer,
        status=201,
        scope=ApiKey.Scope.DECIDE,
        permission=DISCUSS,
        problems=(404,),
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """While a request for changes is open nobody can approve the upgrade (409)."""
        made = discussion.comment(record_id=id, actor=asked.actor, now=asked.now, **asked.body)
        return Response(CommentSerializer(made).data, status=201)


class WithdrawView(ApiView):
    @operation(
        id="withdraw_request",
        tag="decisions",
        summary="Withdraw one's own request for changes",
        body=Serializer,
        answer=CommentSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission=DISCUSS,
        problems=(404,),
    )
    def post(self, asked: Asked, *, id: int, comment_id: int) -> Response:
        """Only who asked may; the upgrade can then be approved."""
        made = discussion.withdraw(
            comment_id=comment_id, record_id=id, actor=asked.actor, now=asked.now
        )
        return Response(CommentSerializer(made).data)


class OverrideView(ApiView):
    @operation(
        id="override_request",
        tag="decisions",
        summary="Override somebody's request for changes",
        body=OverrideSerializer,
        answer=CommentSerializer,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.setup",
        problems=(404,),
    )
    def post(self, asked: Asked, *, id: int, comment_id: int) -> Response:
        """The reason stands beside it for good."""
        made = discussion.override(
            comment_id=comment_id,
            record_id=id,
            reason=asked.body["reason"],
            actor=asked.actor,
            now=asked.now,
        )
        return Response(CommentSerializer(made).data)
