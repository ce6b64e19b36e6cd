"""Compare two versions; find the best model for a task."""

from typing import Any

from rest_framework.response import Response

from versioning.api.operations import ApiView, Asked, header, operation
from versioning.api.serializers.evidence import (
    BestQuery,
    BestSerializer,
    CompareQuery,
    ComparisonSerializer,
)
from versioning.api.teams import caller_of
from versioning.domain.statistics.ranking import Place
from versioning.models import ModelVersion
from versioning.services import serving
from versioning.services.evidence import best_models
from versioning.services.upgrades import policies, selection


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
        the intervals hold at every look. The gates are those of the model's policy. Without `from`
        and `to` it compares the current version with the recommended one."""
        tracked = serving.tracked_model(provider=provider, name=model)
        pair = selection.pair_to_compare(
            tracked=tracked,
            before=asked.query.get("from", ""),
            after=asked.query.get("to", ""),
        )
        task = asked.query.get("task")
        found = policies.compared(
            tracked=tracked,
            from_version=pair[0],
            to_version=pair[1],
            now=asked.now,
            task=task,
            slice_name=asked.query.get("slice"),
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


class BestView(ApiView):
    @operation(
        id="best",
        tag="models",
        summary="The best model for a task",
        query=BestQuery,
        answer=BestSerializer,
        problems=(404,),
    )
    def get(self, asked: Asked) -> Response:
        """All models that do the task, over all providers, by the lower end of their quality:
        few samples don't win by luck."""
        found = best_models.best_for(task=asked.query["task"], caller=caller_of(asked.request))
        table = [
            place_of(place, version=found.versions[place.name]) for place in found.ranking.places
        ]
        shown = {
            "task": found.task,
            "sentence": found.ranking.sentence,
            "best": table[0] if found.ranking.best else None,
            "tied": found.ranking.tied,
            "ranked_by": found.ranking.ranked_by,
            "shared_days": found.ranking.shared_days,
            "table": table,
        }
        return Response(BestSerializer(shown).data)


def place_of(place: Place, *, version: ModelVersion) -> dict[str, Any]:
    """Return one line of the table in the API's words."""
    return {
        "provider": version.tracked_model.provider.slug,
        "model": version.tracked_model.name,
        "version": version,
        "rank": place.rank,
        "n": place.n,
        "quality": place.quality,
        "low": place.low,
        "high": place.high,
        "cost_per_success_usd": place.cost,
        "latency_p95_ms": place.latency_ms,
        "on_front": place.on_front,
        "tie": place.tie,
        "samples_needed": place.needed and place.needed.samples,
        "needed": place.needed.words if place.needed else "",
    }
