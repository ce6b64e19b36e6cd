"""What happened, to be followed, and what has gone out of it."""

from typing import Any

from rest_framework.response import Response
from rest_framework.serializers import Serializer

from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import NEWEST_FIRST, OLDEST_FIRST, page, page_of
from versioning.api.serializers.event_kinds import KindOfEventSerializer, KindsOfEventsSerializer
from versioning.api.serializers.events import (
    AttemptSerializer,
    DeliveriesQuery,
    DeliverySerializer,
    EventSerializer,
    EventsQuery,
)
from versioning.api.serializers.fields import Paging
from versioning.domain.event_schemas import KINDS, schema_of
from versioning.domain.events import VERSIONS, EventKind
from versioning.models import ApiKey
from versioning.services import events, outbox
from versioning.services.errors import NotFound

COLUMNS = {
    "after": "pk__gt",
    "kind": "kind",
    "provider": "provider__slug",
    "model": "tracked_model__name",
    "record_id": "record",
}


class EventsView(ApiView):
    @operation(
        id="events",
        tag="news",
        summary="What happened to models and their upgrades",
        query=EventsQuery,
        answer=page_of(EventSerializer),
        permission="versioning.view_event",
    )
    def get(self, asked: Asked) -> Response:
        """Oldest first, kept for 90 days. To follow, ask with `after`, the last id that you have.

        Events of one model come in their order. One of another model may be seen some seconds
        after one with a larger id: who must not miss any asks from a little before, and knows
        by the id what it has."""
        wanted = {
            column: asked.query[name] for name, column in COLUMNS.items() if name in asked.query
        }
        found = events.with_subjects().filter(**wanted)
        return page(asked, found, order=OLDEST_FIRST, show=EventSerializer)


class EventKindsView(ApiView):
    @operation(
        id="event_kinds",
        tag="news",
        summary="The kinds of events",
        answer=KindsOfEventsSerializer,
        permission="versioning.view_event",
    )
    def get(self, asked: Asked) -> Response:
        """Each with its version, when it is written, and a JSON Schema of its message."""
        return Response({"results": [_shown(kind) for kind in EventKind]})


class EventKindView(ApiView):
    @operation(
        id="event_kind",
        tag="news",
        summary="One kind of events",
        answer=KindOfEventSerializer,
        permission="versioning.view_event",
        problems=(404,),
    )
    def get(self, asked: Asked, *, kind: str) -> Response:
        """With a JSON Schema of its message, for whoever makes code or checks of it."""
        if kind not in set(EventKind):
            raise NotFound(f"There is no kind of event {kind}.")
        return Response(_shown(EventKind(kind)))


def _shown(kind: EventKind) -> dict[str, Any]:
    described = KINDS[kind]
    return {
        "kind": kind.value,
        "version": VERSIONS[kind],
        "about": described.about.value,
        "when": described.when,
        "details": list(described.details),
        "schema": schema_of(kind),
    }


class DeliveriesView(ApiView):
    @operation(
        id="deliveries",
        tag="news",
        summary="To whom events have gone, or have to go",
        query=DeliveriesQuery,
        answer=page_of(DeliverySerializer),
        permission="versioning.view_delivery",
    )
    def get(self, asked: Asked) -> Response:
        """Newest first, with the last error of those that could not be delivered."""
        wanted = {name: asked.query[name] for name in ("state", "channel") if name in asked.query}
        found = outbox.deliveries().filter(**wanted)
        return page(asked, found, order=NEWEST_FIRST, show=DeliverySerializer)


class AttemptsView(ApiView):
    @operation(
        id="delivery_attempts",
        tag="news",
        summary="Every try of a delivery",
        query=Paging,
        answer=page_of(AttemptSerializer),
        permission="versioning.view_delivery",
        problems=(404,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """Newest first: how long it took, and what came of it."""
        found = outbox.attempts(delivery_id=id)
        return page(asked, found, order=NEWEST_FIRST, show=AttemptSerializer)


class TryAnewView(ApiView):
    @operation(
        id="try_anew",
        tag="news",
        summary="Have delivered again what was given up, or taken",
        body=Serializer,
        answer=DeliverySerializer,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.setup",
        problems=(404,),
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """Its tries are counted from the start. One that still waits is 409."""
        found = outbox.try_anew(delivery_id=id, actor=asked.actor, now=asked.now)
        return Response(DeliverySerializer(found).data)
