"""What happened, to be followed."""

from rest_framework.response import Response

from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import OLDEST_FIRST, page, page_of
from versioning.api.serializers.events import EventSerializer, EventsQuery
from versioning.services import events

COLUMNS = {
    "after": "pk__gt",
    "kind": "kind",
    "provider": "tracked_model__provider__slug",
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
