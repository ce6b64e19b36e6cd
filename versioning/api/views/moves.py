"""Move a model, let it move by itself, go back."""

from rest_framework.response import Response

from versioning.api.operations import APPROVE, ApiView, Asked, operation
from versioning.api.serializers.upgrades import (
    AutoUpgradeRequest,
    AutoUpgradeSerializer,
    RecommendationDetailSerializer,
    RollbackRequest,
    UpgradeRequest,
)
from versioning.api.views.recommendations import ETAG, IF_MATCH, decided
from versioning.models import ApiKey
from versioning.services import serving
from versioning.services.upgrades import decisions, python_api, renewal


def renew(asked: Asked, *, provider: str, model: str) -> None:
    """Renew the evidence that the move is decided on: also where it is refused then."""
    renewal.renew_of_model(
        tracked=serving.tracked_model(provider=provider, name=model),
        now=asked.now,
        evidence_hash=asked.body.get("evidence_hash", asked.if_match),
    )


class UpgradeView(ApiView):
    @operation(
        id="upgrade",
        tag="models",
        summary="Move to another version",
        body=UpgradeRequest,
        answer=RecommendationDetailSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission=APPROVE,
        problems=(404, 412),
        headers=(IF_MATCH, ETAG),
        first=renew,
    )
    def post(self, asked: Asked, *, provider: str, model: str) -> Response:
        """To the version that is recommended, or to one that you name. The answer is the upgrade
        record: `completed`, or on its course."""
        tracked = serving.tracked_model(provider=provider, name=model)
        record = decisions.request_upgrade(
            tracked=tracked,
            to_version=asked.body.get("to_version", ""),
            upstream_id=asked.body.get("upstream_id", ""),
            actor=asked.actor,
            now=asked.now,
            reason=asked.body["reason"],
            evidence_hash=asked.body.get("evidence_hash", asked.if_match),
        )
        return decided(record)


class AutoUpgradeView(ApiView):
    @operation(
        id="auto_upgrade",
        tag="models",
        summary="Move if the evidence is good enough",
        body=AutoUpgradeRequest,
        answer=AutoUpgradeSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission=APPROVE,
        problems=(404,),
    )
    def post(self, asked: Asked, *, provider: str, model: str) -> Response:
        """Moves to the recommended version if its quality is at least so much better, by
        evidence; else says what it waits for. Both are 200: look at `upgraded`."""
        wanted = {
            "provider": provider,
            "model": model,
            "min_quality_improvement": asked.body["min_quality_improvement"],
            "now": asked.now,
        }
        if asked.body["auto_upgrade"]:
            result = python_api.auto_upgrade(**wanted, actor=asked.actor)
        else:
            result = python_api.preview_upgrade(**wanted)
        return Response(AutoUpgradeSerializer(result).data)


class RollbackView(ApiView):
    @operation(
        id="rollback",
        tag="models",
        summary="Go back to the version before",
        body=RollbackRequest,
        answer=RecommendationDetailSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.roll_back_upgrade",
        problems=(404,),
    )
    def post(self, asked: Asked, *, provider: str, model: str) -> Response:
        """The answer is the rollback's own record; its reasons say if the earlier version is no
        longer listed. With `record_id` only if that upgrade is the latest move still."""
        tracked = serving.tracked_model(provider=provider, name=model)
        record = decisions.roll_back(
            tracked_model_id=tracked.pk,
            actor=asked.actor,
            now=asked.now,
            reason=asked.body["reason"],
            record_id=asked.body.get("record_id"),
        )
        return decided(record)
