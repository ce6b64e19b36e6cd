"""What would happen now and which rule stops it; what people say to a canary."""

from rest_framework.response import Response
from rest_framework.serializers import Serializer

from versioning.api.operations import APPROVE, ApiView, Asked, operation
from versioning.api.pages import page_of, page_of_reckoned
from versioning.api.serializers.rollout import (
    CanarySerializer,
    ClockSerializer,
    HeldQuery,
    HeldSerializer,
    OutlookSerializer,
    RetirementsQuery,
)
from versioning.api.serializers.upgrades import (
    NeededReasonSerializer,
    RecommendationDetailSerializer,
)
from versioning.api.teams import caller_of
from versioning.api.views.recommendations import decided
from versioning.models import ApiKey
from versioning.services import serving
from versioning.services.upgrades import canary, explaining, held_back, retirement


class OutlookView(ApiView):
    @operation(
        id="explain",
        tag="models",
        summary="What would happen now, and which rule stops it?",
        answer=OutlookSerializer,
    )
    def get(self, asked: Asked, *, provider: str, model: str) -> Response:
        """Each rule of the policy with what it says of the upgrade that waits or is under way.
        Nothing is changed."""
        found = explaining.explain(
            tracked_model=serving.tracked_model(provider=provider, name=model), at=asked.now
        )
        return Response(OutlookSerializer(found).data)


class ApproveCanaryStepView(ApiView):
    @operation(
        id="approve_canary_step",
        tag="decisions",
        summary="Say yes to the step that a canary is at",
        body=Serializer,
        answer=CanarySerializer,
        scope=ApiKey.Scope.DECIDE,
        permission=APPROVE,
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """For steps that hold until a person approves them."""
        found = canary.approve_step(record_id=id, actor=asked.actor, now=asked.now)
        return Response(CanarySerializer(found).data)


class ResumeCanaryView(ApiView):
    @operation(
        id="resume_canary",
        tag="decisions",
        summary="Let a paused canary go on",
        body=Serializer,
        answer=CanarySerializer,
        scope=ApiKey.Scope.DECIDE,
        permission=APPROVE,
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """Its step begins anew."""
        found = canary.resume(record_id=id, actor=asked.actor, now=asked.now)
        return Response(CanarySerializer(found).data)


class AbortCanaryView(ApiView):
    @operation(
        id="abort_canary",
        tag="decisions",
        summary="Stop a canary",
        body=NeededReasonSerializer,
        answer=RecommendationDetailSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.roll_back_upgrade",
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """Every key gets the current version at once."""
        record = canary.abort(
            record_id=id, actor=asked.actor, now=asked.now, reason=asked.body["reason"]
        )
        return decided(record)


class HeldView(ApiView):
    @operation(
        id="held_back",
        tag="models",
        summary="Which newer versions are held back, and why?",
        query=HeldQuery,
        answer=page_of(HeldSerializer),
    )
    def get(self, asked: Asked) -> Response:
        """Newer versions that are known and not in use, each with the last word on it: those first
        that nobody is asked about, then what waits, then what lineage passed over."""
        found = held_back.find(
            provider_slug=asked.query.get("provider", ""),
            owner=asked.query.get("owner", ""),
            caller=caller_of(asked.request),
        )
        if "why" in asked.query:
            found = found.only({held_back.Why(asked.query["why"])})
        return page_of_reckoned(
            asked,
            found.ids,
            key=lambda each: (list(held_back.Why).index(each[1]), -each[0]),
            show=HeldSerializer,
            prepare=lambda shown: held_back.read(shown, now=asked.now),
        )


class RetirementsView(ApiView):
    @operation(
        id="retirements",
        tag="models",
        summary="Until when can each move start?",
        query=RetirementsQuery,
        answer=page_of(ClockSerializer),
    )
    def get(self, asked: Asked) -> Response:
        """The versions in use that retire, those to start first ahead. Where no date is
        announced it is a forecast, with its reason."""
        find = retirement.due_this_week if asked.query["this_week"] else retirement.due
        return page_of_reckoned(
            asked,
            find(now=asked.now, caller=caller_of(asked.request)),
            key=lambda due: (due.latest_start.isoformat(), due.tracked_model_id),
            show=ClockSerializer,
            prepare=retirement.clocks,
        )
