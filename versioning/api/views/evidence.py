"""Compare two versions; find the best model for a task."""

from rest_framework.response import Response

from versioning.api.operations import ApiView, Asked, header, operation
from versioning.api.serializers.evidence import CompareQuery, ComparisonSerializer
from versioning.services import comparison, decisions, serving


class CompareView(ApiView):
    @operation(
        id="compare",
        tag="models",
        summary="Is one version better than another?",
        query=CompareQuery,
        answer=ComparisonSerializer,
        problems=(404, 409, 422),
        headers=(header("ETag", "The evidence_hash.", sent_back=[200]),),
    )
    def get(self, asked: Asked, *, provider: str, model: str) -> Response:
        """Verdict, a sentence to act on and all figures behind it. It is safe to ask every day:
        the intervals hold at every look. Without `from` and `to` it compares the current version
        with the recommended one."""
        pair = decisions.pair_to_compare(
            tracked=serving.tracked_model(provider=provider, name=model),
            before=asked.query.get("from", ""),
            after=asked.query.get("to", ""),
        )
        task = asked.query.get("task")
        found = comparison.evidence(
            from_version=pair[0], to_version=pair[1], now=asked.now, task=task
        )
        shown = {
            "from_version": pair[0],
            "to_version": pair[1],
            "task": task,
            "verdict": found.verdict,
            "decision": found.decision,
            "improvement": found.improvement,
            "sentence": found.sentence,
            "details": found.as_dict(),
            "evidence_hash": found.digest,
        }
        return Response(
            ComparisonSerializer(shown).data,
            headers={"ETag": f'"{found.digest}"', "Cache-Control": "private, no-cache"},
        )
