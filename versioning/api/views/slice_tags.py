"""Tags whose values comparisons look at apart."""

from rest_framework.response import Response

from versioning.api import conditional
from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import OLDEST_FIRST, page, page_of
from versioning.api.serializers.fields import Paging
from versioning.api.serializers.setup import SliceTagFormSerializer, SliceTagSerializer
from versioning.models import ApiKey, SliceTag
from versioning.services import editing


class SliceTagsView(ApiView):
    @operation(
        id="slice_tags",
        tag="setup",
        summary="The tags that comparisons look at",
        query=Paging,
        answer=page_of(SliceTagSerializer),
        permission="versioning.view_slicetag",
    )
    def get(self, asked: Asked) -> Response:
        """No version is called better while it is worse for one of a tag's values."""
        return page(asked, SliceTag.objects.all(), order=OLDEST_FIRST, show=SliceTagSerializer)

    @operation(
        id="add_slice_tag",
        tag="setup",
        summary="Let comparisons look at a tag",
        body=SliceTagFormSerializer,
        answer=SliceTagSerializer,
        status=201,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.add_slicetag",
        headers=(conditional.ETAG,),
    )
    def post(self, asked: Asked) -> Response:
        """From the next samples on."""
        added = editing.add(SliceTag(**asked.body), actor=asked.actor)
        return conditional.made(added, SliceTagSerializer, at="/api/slice-tags")


class SliceTagView(ApiView):
    @operation(
        id="slice_tag",
        tag="setup",
        summary="One tag",
        answer=SliceTagSerializer,
        permission="versioning.view_slicetag",
        headers=(conditional.ETAG,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """Its name, and since when comparisons look at it."""
        return conditional.shown(editing.row_of(SliceTag.objects.filter(pk=id)), SliceTagSerializer)

    @operation(
        id="change_slice_tag",
        tag="setup",
        summary="Rename a tag",
        body=SliceTagFormSerializer,
        answer=SliceTagSerializer,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.change_slicetag",
        problems=(412,),
        headers=(conditional.ETAG, conditional.IF_MATCH),
    )
    def patch(self, asked: Asked, *, id: int) -> Response:
        """Comparisons look at the tag of the new name instead."""
        return conditional.changed(asked, SliceTag.objects.filter(pk=id), SliceTagSerializer)

    @operation(
        id="remove_slice_tag",
        tag="setup",
        summary="Let comparisons look at a tag no more",
        answer=None,
        status=204,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.delete_slicetag",
        problems=(412,),
        headers=(conditional.IF_MATCH,),
    )
    def delete(self, asked: Asked, *, id: int) -> Response:
        """Samples keep their tags."""
        return conditional.removed(asked, SliceTag.objects.filter(pk=id))
