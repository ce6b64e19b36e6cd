"""Notices and drift: read, and resolved once somebody has dealt with them."""

from rest_framework.response import Response
from rest_framework.serializers import Serializer

from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import NEWEST_FIRST, page, page_of
from versioning.api.serializers.fields import Paging
from versioning.api.serializers.notices import (
    DriftFindingSerializer,
    DriftFindingsQuery,
    NoticeSerializer,
    NoticesQuery,
    ServedDriftSerializer,
)
from versioning.models import ApiKey
from versioning.services import notices
from versioning.services.evidence import drift, served_drift


class NoticesView(ApiView):
    @operation(
        id="notices",
        tag="news",
        summary="What people must know of upgrades on their course, and of faults",
        query=NoticesQuery,
        answer=page_of(NoticeSerializer),
        permission="versioning.view_notice",
    )
    def get(self, asked: Asked) -> Response:
        """Newest first, resolved ones included, unless `open=true`."""
        found = notices.with_records()
        if asked.query["open"] is not None:
            found = found.filter(resolved_at__isnull=asked.query["open"])
        wanted = {name: asked.query[name] for name in ("kind", "record_id") if name in asked.query}
        return page(asked, found.filter(**wanted), order=NEWEST_FIRST, show=NoticeSerializer)


class NoticeView(ApiView):
    @operation(
        id="notice",
        tag="news",
        summary="One notice",
        answer=NoticeSerializer,
        permission="versioning.view_notice",
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """What happened, to which upgrade or what else, and whether somebody has dealt with it."""
        return Response(NoticeSerializer(notices.notice_by_id(id)).data)


class ResolveNoticeView(ApiView):
    @operation(
        id="resolve_notice",
        tag="news",
        summary="Say that you have dealt with a notice",
        body=Serializer,
        answer=NoticeSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.change_notice",
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """It changes nothing of the upgrade: what is paused stays paused. One that is resolved
        already is 409."""
        notice = notices.resolve_one(notice_id=id, actor=asked.actor, now=asked.now)
        return Response(NoticeSerializer(notice).data)


class DriftFindingsView(ApiView):
    @operation(
        id="drift_findings",
        tag="news",
        summary="Versions that behave otherwise although their name did not change",
        query=DriftFindingsQuery,
        answer=page_of(DriftFindingSerializer),
        permission="versioning.view_driftfinding",
    )
    def get(self, asked: Asked) -> Response:
        """Newest first, resolved ones included, unless `open=true`."""
        found = drift.findings()
        if asked.query["open"] is not None:
            found = found.filter(resolved_at__isnull=asked.query["open"])
        names = ("measure", "version_id")
        wanted = {name: asked.query[name] for name in names if name in asked.query}
        return page(asked, found.filter(**wanted), order=NEWEST_FIRST, show=DriftFindingSerializer)


class ResolveDriftFindingView(ApiView):
    @operation(
        id="resolve_drift_finding",
        tag="news",
        summary="Say that you have dealt with a finding",
        body=Serializer,
        answer=DriftFindingSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.change_driftfinding",
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """It leaves the inbox; a second time changes nothing."""
        drift.resolve(finding_id=id, now=asked.now)
        return Response(DriftFindingSerializer(drift.findings().get(pk=id)).data)


class ServedDriftView(ApiView):
    @operation(
        id="served_drift",
        tag="news",
        summary="Where another id answered than the version's own",
        query=Paging,
        answer=page_of(ServedDriftSerializer),
        permission="versioning.view_serveddrift",
    )
    def get(self, asked: Asked) -> Response:
        """Newest first, as samples tell it."""
        return page(asked, served_drift.drifts(), order=NEWEST_FIRST, show=ServedDriftSerializer)
