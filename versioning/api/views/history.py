"""What served when, and every move of a model."""

from rest_framework.response import Response

from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import NEWEST_FIRST, page, page_of
from versioning.api.serializers.upgrades import (
    HistoryItemSerializer,
    HistoryQuery,
    StandingSerializer,
    UpgradesQuery,
    UpgradeWithStepsSerializer,
)
from versioning.services import serving
from versioning.services.evidence import history
from versioning.services.upgrades import python_api


class HistoryView(ApiView):
    @operation(
        id="history",
        tag="models",
        summary="Versions, when they served, and how they came to",
        query=HistoryQuery,
        answer=page_of(HistoryItemSerializer),
        problems=(404,),
    )
    def get(self, asked: Asked, *, provider: str, model: str) -> Response:
        """Newest version first, each with its performance (all tasks, then task by task), its
        baseline, the periods in which it served and the moves towards it, step by step.
        With `as_of` just the version that served at that moment; none before tracking began."""
        tracked = serving.tracked_model(provider=provider, name=model)
        rows = history.versions(tracked_model_id=tracked.pk)
        at = asked.query.get("as_of")
        if at is not None:
            served = history.version_at(tracked_model_id=tracked.pk, at=at)
            rows = rows.filter(pk__in=[] if served is None else [served])
        return page(
            asked,
            rows,
            order=NEWEST_FIRST,
            show=HistoryItemSerializer,
            prepare=lambda found: history.items(found, tracked_model_id=tracked.pk),
        )


class UpgradesView(ApiView):
    @operation(
        id="upgrades",
        tag="models",
        summary="Every move of a model",
        query=UpgradesQuery,
        answer=page_of(UpgradeWithStepsSerializer, top=StandingSerializer),
        problems=(404,),
    )
    def get(self, asked: Asked, *, provider: str, model: str) -> Response:
        """Upgrade records in any state, newest first, with who moved them, when and why. Before
        them, whether an upgrade waits now, and what it would bring."""
        tracked = serving.tracked_model(provider=provider, name=model)
        wanted = {
            name: asked.query[name] for name in ("state", "origin", "step") if name in asked.query
        }
        rows = history.moves(tracked_model_id=tracked.pk).filter(**wanted)
        stands = StandingSerializer(python_api.standing(tracked=tracked)).data
        return page(
            asked,
            rows,
            order=NEWEST_FIRST,
            show=UpgradeWithStepsSerializer,
            top=lambda shown: stands,
        )
