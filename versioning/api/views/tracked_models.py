"""Tracked models, their versions and what people said about their successors."""

from django.db.models import Q
from rest_framework.response import Response

from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import NEWEST_FIRST, OLDEST_FIRST, page, page_of
from versioning.api.serializers.fields import Paging
from versioning.api.serializers.setup import (
    LeftOutSpansSerializer,
    LineageRuleChange,
    LineageRuleSerializer,
    NewLineageRule,
    NewTrackedModel,
    TrackedModelChange,
    TrackedModelSerializer,
    TrackedModelsQuery,
    UnknownModelSerializer,
)
from versioning.api.serializers.versions import (
    ReleaseSerializer,
    VersionChange,
    VersionSerializer,
    VersionsQuery,
)
from versioning.models import (
    ApiKey,
    LeftOutSpans,
    LineageRule,
    ModelVersion,
    TrackedModel,
    UnknownModel,
)
from versioning.services import providers, tracking, versions
from versioning.services.checks import listed_models


class TrackedModelsView(ApiView):
    @operation(
        id="tracked_models",
        tag="setup",
        summary="The models that are tracked",
        query=TrackedModelsQuery,
        answer=page_of(TrackedModelSerializer),
    )
    def get(self, asked: Asked) -> Response:
        """Inactive ones included, unless `active=true`."""
        wanted = Q(name__icontains=asked.query.get("search", ""))
        if "provider" in asked.query:
            wanted &= Q(provider__slug=asked.query["provider"])
        for name in ("active", "pinned"):
            if asked.query[name] is not None:
                wanted &= Q(**{name: asked.query[name]})
        rows = TrackedModel.objects.select_related("provider", "current_version").filter(wanted)
        return page(asked, rows, order=OLDEST_FIRST, show=TrackedModelSerializer)

    @operation(
        id="track",
        tag="setup",
        summary="Track a model",
        body=NewTrackedModel,
        answer=TrackedModelSerializer,
        status=201,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.add_trackedmodel",
    )
    def post(self, asked: Asked) -> Response:
        """Its first version is 1.0.0, and is the current one at once. A model that the provider
        doesn't list is refused, with names that are near, unless you say `unlisted`."""
        provider = providers.named_in_body(slug=asked.body["provider"])
        upstream_id = asked.body["upstream_id"] or asked.body["name"]
        if not asked.body["unlisted"]:
            upstream_id = listed_models.upstream_id_of(
                provider=provider,
                text=upstream_id,
                pointer="/upstream_id" if asked.body["upstream_id"] else "/name",
            )
        tracked = tracking.start_tracking(
            provider_id=provider.pk,
            name=asked.body["name"],
            upstream_id=upstream_id,
            owner=asked.body["owner"],
            actor=asked.actor,
            now=asked.now,
        )
        where = {"Location": f"/api/tracked-models/{tracked.pk}"}
        return Response(TrackedModelSerializer(tracked).data, status=201, headers=where)


class TrackedModelView(ApiView):
    @operation(
        id="tracked_model",
        tag="setup",
        summary="One tracked model",
        answer=TrackedModelSerializer,
        problems=(404,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """What applications ask for, and what answers to it."""
        return Response(TrackedModelSerializer(tracking.by_id(tracked_model_id=id)).data)

    @operation(
        id="change_tracked_model",
        tag="setup",
        summary="Change a tracked model",
        body=TrackedModelChange,
        answer=TrackedModelSerializer,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.change_trackedmodel",
        problems=(404,),
    )
    def patch(self, asked: Asked, *, id: int) -> Response:
        """Only the fields that you send. A pin needs a reason. Its current version is moved by
        upgrades and rollbacks only."""
        tracking.change(tracked_model_id=id, changes=asked.body, actor=asked.actor)
        return Response(TrackedModelSerializer(tracking.by_id(tracked_model_id=id)).data)


class VersionsView(ApiView):
    @operation(
        id="versions",
        tag="setup",
        summary="The versions of a tracked model",
        query=VersionsQuery,
        answer=page_of(VersionSerializer),
        problems=(404,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """Newest first, with all that is known of each."""
        tracked = tracking.by_id(tracked_model_id=id)
        rows = ModelVersion.objects.filter(tracked_model=tracked)
        if asked.query["listed"] is not None:
            rows = rows.listed() if asked.query["listed"] else rows.gone()
        return page(asked, rows, order=NEWEST_FIRST, show=VersionSerializer)


class VersionView(ApiView):
    @operation(
        id="version",
        tag="setup",
        summary="One version",
        answer=VersionSerializer,
        problems=(404,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """All that is known of it."""
        return Response(VersionSerializer(versions.by_id(version_id=id)).data)

    @operation(
        id="change_version",
        tag="setup",
        summary="Say what you know better than the listing",
        body=VersionChange,
        answer=VersionSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.change_modelversion",
        problems=(404,),
    )
    def patch(self, asked: Asked, *, id: int) -> Response:
        """Only the fields that you send. No check overwrites them: see `staff_fields`."""
        changed: ModelVersion = versions.change(
            version_id=id, changes=asked.body, actor=asked.actor
        )
        return Response(VersionSerializer(changed).data)


class ReleaseView(ApiView):
    @operation(
        id="release_version",
        tag="setup",
        summary="Give facts back to the checks",
        body=ReleaseSerializer,
        answer=VersionSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.change_modelversion",
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """They become what the provider last said, and checks fill them again."""
        released = versions.release_fields(
            version_id=id, fields=asked.body["names"], actor=asked.actor
        )
        return Response(VersionSerializer(released).data)


class LineageRulesView(ApiView):
    @operation(
        id="lineage_rules",
        tag="setup",
        summary="What people said about a model's successors",
        query=Paging,
        answer=page_of(LineageRuleSerializer),
        problems=(404,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """They beat what the names say."""
        rows = LineageRule.objects.filter(tracked_model=tracking.by_id(tracked_model_id=id))
        return page(asked, rows, order=OLDEST_FIRST, show=LineageRuleSerializer)

    @operation(
        id="add_lineage_rule",
        tag="setup",
        summary="Ignore, forbid or set a successor",
        body=NewLineageRule,
        answer=LineageRuleSerializer,
        status=201,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.add_lineagerule",
        problems=(404,),
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """The successor is looked for anew at once."""
        rule = tracking.add_rule(
            tracked_model_id=id, **asked.body, actor=asked.actor, now=asked.now
        )
        return Response(LineageRuleSerializer(rule).data, status=201)


class LineageRuleView(ApiView):
    @operation(
        id="change_lineage_rule",
        tag="setup",
        summary="Change a rule",
        body=LineageRuleChange,
        answer=LineageRuleSerializer,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.change_lineagerule",
        problems=(404,),
    )
    def patch(self, asked: Asked, *, id: int, rule_id: int) -> Response:
        """Only the fields that you send. The successor is looked for anew at once."""
        rule = tracking.change_rule(
            tracked_model_id=id,
            rule_id=rule_id,
            changes=asked.body,
            actor=asked.actor,
            now=asked.now,
        )
        return Response(LineageRuleSerializer(rule).data)

    @operation(
        id="remove_lineage_rule",
        tag="setup",
        summary="Take a rule back",
        answer=None,
        status=204,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.delete_lineagerule",
        problems=(404,),
    )
    def delete(self, asked: Asked, *, id: int, rule_id: int) -> Response:
        """The successor is looked for anew at once."""
        tracking.remove_rule(tracked_model_id=id, rule_id=rule_id, actor=asked.actor, now=asked.now)
        return Response(status=204)


class LeftOutSpansView(ApiView):
    @operation(
        id="left_out_spans",
        tag="setup",
        summary="Spans of traces that were left out, by day and reason",
        query=Paging,
        answer=page_of(LeftOutSpansSerializer),
        permission="versioning.view_leftoutspans",
    )
    def get(self, asked: Asked) -> Response:
        """Newest first. A day and reason may stand in several rows until they are folded."""
        return page(
            asked, LeftOutSpans.objects.all(), order=NEWEST_FIRST, show=LeftOutSpansSerializer
        )


class UnknownModelsView(ApiView):
    @operation(
        id="unknown_models",
        tag="setup",
        summary="Models seen in samples that nobody tracks",
        query=Paging,
        answer=page_of(UnknownModelSerializer),
        permission="versioning.view_unknownmodel",
    )
    def get(self, asked: Asked) -> Response:
        """Newest first. Track one, and its samples count for it."""
        rows = UnknownModel.objects.open().with_counts()
        return page(asked, rows, order=NEWEST_FIRST, show=UnknownModelSerializer)
