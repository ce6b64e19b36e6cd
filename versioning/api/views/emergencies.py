"""Move at once in an emergency, and review it afterwards."""

from rest_framework.response import Response

from versioning.api.operations import APPROVE, ApiView, Asked, operation
from versioning.api.pages import NEWEST_FIRST, page, page_of
from versioning.api.serializers.emergencies import (
    EmergenciesQuery,
    EmergencyMove,
    EmergencySerializer,
    Review,
)
from versioning.api.serializers.upgrades import RecommendationDetailSerializer
from versioning.api.views.recommendations import ETAG, decided
from versioning.models import ApiKey
from versioning.services import serving
from versioning.services.upgrades import emergencies


class EmergencyMoveView(ApiView):
    @operation(
        id="move_in_emergency",
        tag="models",
        summary="Move at once, past tests, canary and approvals",
        body=EmergencyMove,
        answer=RecommendationDetailSerializer,
        scope=ApiKey.Scope.EMERGENCY,
        permission="versioning.emergency",
        problems=(404,),
        headers=(ETAG,),
    )
    def post(self, asked: Asked, *, provider: str, model: str) -> Response:
        """The answer is the upgrade record, `completed`. The first move declares an emergency that
        ends by itself after `minutes`; further ones meanwhile belong to it. Everybody is told
        (`emergency.declared`), and somebody who had no part in it reviews it afterwards."""
        record = emergencies.move(
            tracked=serving.tracked_model(provider=provider, name=model),
            to_version=asked.body.get("to_version", ""),
            upstream_id=asked.body.get("upstream_id", ""),
            minutes=asked.body["minutes"],
            reason=asked.body["reason"],
            actor=asked.actor,
            now=asked.now,
        )
        return decided(record)


class EmergenciesView(ApiView):
    @operation(
        id="emergencies",
        tag="decisions",
        summary="Emergencies, the newest first",
        query=EmergenciesQuery,
        answer=page_of(EmergencySerializer),
        permission="versioning.view_emergency",
    )
    def get(self, asked: Asked) -> Response:
        """With `reviewed=false` those that somebody has to look at still."""
        found = emergencies.with_steps()
        if asked.query["reviewed"] is not None:
            found = found.filter(reviewed_at__isnull=not asked.query["reviewed"])
        return page(asked, found, order=NEWEST_FIRST, show=EmergencySerializer)


class ReviewEmergencyView(ApiView):
    @operation(
        id="review_emergency",
        tag="decisions",
        summary="Review an emergency that has ended",
        body=Review,
        answer=EmergencySerializer,
        scope=ApiKey.Scope.DECIDE,
        permission=APPROVE,
        problems=(404,),
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """By a person who moved nothing in it: in the admin, or with a key of their own."""
        found = emergencies.review(
            emergency_id=id, note=asked.body["note"], actor=asked.actor, now=asked.now
        )
        return Response(EmergencySerializer(found).data)
