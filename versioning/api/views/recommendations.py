"""What waits for a decision, and the decisions."""

from typing import Any

from rest_framework.response import Response

from versioning.api.operations import APPROVE, ApiView, Asked, header, operation
from versioning.api.pages import URGENT_FIRST, page, page_of, page_of_reckoned
from versioning.api.serializers.fields import Paging
from versioning.api.serializers.upgrades import (
    AuditTrailSerializer,
    ExplanationSerializer,
    LayerSerializer,
    ReasonSerializer,
    RecommendationDetailSerializer,
    RecommendationSerializer,
    RecommendationsQuery,
    Rejection,
    Snooze,
    StandingSerializer,
)
from versioning.domain.lineage import Answer
from versioning.models import ApiKey, UpgradeRecord
from versioning.models.fields import to_ms
from versioning.models.upgrades import Standing
from versioning.services import serving
from versioning.services.upgrades import (
    audit_trail,
    decisions,
    layers,
    recommendation,
    renewal,
    selection,
)

IF_MATCH = header(
    "If-Match", "evidence_hash of what you have read: 412 if the evidence has changed since."
)
ETAG = header("ETag", "The evidence_hash.", sent_back=[200])


def decided(record: UpgradeRecord) -> Response:
    """Show a record after a decision, as it is now."""
    return shown(selection.record(record_id=record.pk))


def shown(record: UpgradeRecord) -> Response:
    """Show a record; its ETag is the evidence's hash."""
    return Response(
        RecommendationDetailSerializer(record).data,
        headers={"ETag": f'"{record.evidence_hash}"', "Cache-Control": "private, no-cache"},
    )


def first_of(records: list[UpgradeRecord]) -> dict[str, Any]:
    """Say of the first record what is asked for most, for whoever looks no further."""
    return dict(StandingSerializer(records[0].standing if records else Standing()).data)


def renew(asked: Asked, *, id: int) -> None:
    """Renew the evidence that a decision is made on: also where the decision is refused then."""
    renewal.renew(record_id=id, now=asked.now, evidence_hash=asked.if_match)


class RecommendationsView(ApiView):
    @operation(
        id="recommendations",
        tag="decisions",
        summary="What waits for a decision, urgent first",
        query=RecommendationsQuery,
        answer=page_of(RecommendationSerializer, top=StandingSerializer),
    )
    def get(self, asked: Asked) -> Response:
        """Recommendations of all models: those whose version in use retires soonest come first.
        What stands before them (`has_upgrade` and so on) is said of the first of the page.

        Maybes, of which nobody can tell whether they are successors, come only for step=maybe.
        """
        columns = {
            "provider": "tracked_model__provider__slug",
            "model": "tracked_model__name",
            "step": "step",
            "state": "state",
        }
        wanted = {columns[name]: value for name, value in asked.query.items() if name in columns}
        rows = UpgradeRecord.objects.waiting().with_versions().filter(**wanted)
        if "step" not in wanted:
            rows = rows.sure()
        return page(asked, rows, order=URGENT_FIRST, show=RecommendationSerializer, top=first_of)


class RecommendationView(ApiView):
    @operation(
        id="recommendation",
        tag="decisions",
        summary="One upgrade record with its evidence",
        answer=RecommendationDetailSerializer,
        problems=(404,),
        headers=(ETAG,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """In whatever state it is by now. Its ETag is the hash of the evidence: send it as
        `If-Match` with a decision, so that nobody decides on evidence they haven't seen: where it
        says something else by then, the decision is refused (412) and you read the new one here."""
        return shown(selection.record(record_id=id))


class EvidenceLayersView(ApiView):
    @operation(
        id="evidence_layers",
        tag="decisions",
        summary="All that was measured of an upgrade, layer by layer",
        query=Paging,
        answer=page_of(LayerSerializer),
        problems=(404,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """The newest first: what waited for a decision, the tests of its two versions, each look
        at its canary and its watch, the reports afterwards. Of looks that say the same and lead to
        nothing one an hour is kept, and those no longer than single samples."""
        return page_of_reckoned(
            asked,
            layers.find(record=selection.record(record_id=id)),
            key=lambda each: (-to_ms(each.at), -each.rank, -each.id),
            show=LayerSerializer,
            prepare=layers.read_layers,
        )


class AuditTrailView(ApiView):
    @operation(
        id="audit_trail",
        tag="decisions",
        summary="All of an upgrade for those who audit it",
        answer=AuditTrailSerializer,
        problems=(404,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """Each step, approval, comment and report, the oldest first, with its evidence word for
        word and its seal; and all that was measured. In the admin it is a page to print."""
        trail = audit_trail.of_record(selection.record(record_id=id))
        return Response(AuditTrailSerializer(trail).data)


class ExplanationView(ApiView):
    @operation(
        id="explain_recommendation",
        tag="decisions",
        summary="Why this one?",
        answer=ExplanationSerializer,
        problems=(404,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """What lineage finds for the model now, how sure it is, and what else it considered."""
        record = selection.record(record_id=id)
        answer = recommendation.explain(tracked_model_id=record.tracked_model_id)
        return Response(ExplanationSerializer(explanation(answer)).data)


class ModelExplanationView(ApiView):
    @operation(
        id="explain_model",
        tag="models",
        summary="Which successor, or why none?",
        answer=ExplanationSerializer,
        problems=(404,),
    )
    def get(self, asked: Asked, *, provider: str, model: str) -> Response:
        """What lineage finds for the model now, how sure it is, and what else it considered."""
        tracked = serving.tracked_model(provider=provider, name=model)
        answer = recommendation.explain(tracked_model_id=tracked.pk)
        return Response(ExplanationSerializer(explanation(answer)).data)


class ApproveView(ApiView):
    @operation(
        id="approve",
        tag="decisions",
        summary="Approve",
        body=ReasonSerializer,
        answer=RecommendationDetailSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission=APPROVE,
        problems=(404, 412),
        headers=(IF_MATCH, ETAG),
        first=renew,
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """Set the upgrade on its course; without tests or a canary it completes at once.
        Of several who approve at the same moment one gets 200, the others 409."""
        record = decisions.approve(
            record_id=id,
            actor=asked.actor,
            now=asked.now,
            reason=asked.body["reason"],
            evidence_hash=asked.if_match,
        )
        return decided(record)


class RejectView(ApiView):
    @operation(
        id="reject",
        tag="decisions",
        summary="Reject",
        body=Rejection,
        answer=RecommendationDetailSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.reject_upgrade",
        problems=(404, 412),
        headers=(IF_MATCH, ETAG),
        first=renew,
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """The reason is kept. It isn't recommended again, or not before what `wake` says."""
        record = decisions.reject(
            record_id=id,
            actor=asked.actor,
            now=asked.now,
            reason=asked.body["reason"],
            wake=asked.body.get("wake"),
            evidence_hash=asked.if_match,
        )
        return decided(record)


class SnoozeView(ApiView):
    @operation(
        id="snooze",
        tag="decisions",
        summary="Put off",
        body=Snooze,
        answer=RecommendationDetailSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.snooze_upgrade",
        problems=(404, 412),
        headers=(IF_MATCH, ETAG),
        first=renew,
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """It comes back at `until`, or sooner by hand."""
        record = decisions.snooze(
            record_id=id,
            actor=asked.actor,
            now=asked.now,
            until=asked.body["until"],
            reason=asked.body["reason"],
            evidence_hash=asked.if_match,
        )
        return decided(record)


def explanation(answer: Answer) -> dict[str, Any]:
    """Return lineage's answer in the API's words."""
    stated = answer.replacement
    return {
        "successor": answer.offered.id if answer.offered else None,
        "step": answer.step.value if answer.step else None,
        "confidence": answer.confidence,
        "reasons": answer.reasons,
        "runners_up": answer.runners_up,
        "maybes": [known.id for known in answer.maybes],
        "doubt": answer.doubt,
        "stated_replacement": stated.id if stated else None,
        "stated_source": stated.source if stated else "",
        "needs_reembedding": answer.needs_reembedding,
    }
