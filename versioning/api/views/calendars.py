"""Calendars: made and taken back here, read by whoever has the address."""

import hashlib

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe
from rest_framework.response import Response

from versioning.api import conditional
from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import OLDEST_FIRST, page, page_of
from versioning.api.serializers.calendars import (
    CalendarSerializer,
    NewCalendar,
    NewCalendarSerializer,
)
from versioning.api.serializers.fields import Paging
from versioning.models import ApiKey
from versioning.services import calendars, clock
from versioning.services.errors import NotFound


class CalendarsView(ApiView):
    @operation(
        id="calendars",
        tag="news",
        summary="The calendars of retirements",
        query=Paging,
        answer=page_of(CalendarSerializer),
        permission="versioning.view_calendarfeed",
    )
    def get(self, asked: Asked) -> Response:
        """Their addresses are never shown again."""
        return page(asked, calendars.all_of_them(), order=OLDEST_FIRST, show=CalendarSerializer)

    @operation(
        id="add_calendar",
        tag="news",
        summary="Make a calendar of retirements",
        body=NewCalendar,
        answer=NewCalendarSerializer,
        status=201,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.add_calendarfeed",
        shown_once=("path",),
    )
    def post(self, asked: Asked) -> Response:
        """What retires, and until when each move can start, of an owner or of all. Whoever has
        the address reads it without a key: it comes this once."""
        made = calendars.add(fields=asked.body, actor=asked.actor)
        where = {"Location": f"/api/calendars/{made.feed.name}", "Cache-Control": "no-store"}
        return Response(NewCalendarSerializer(made).data, status=201, headers=where)


class CalendarView(ApiView):
    @operation(
        id="remove_calendar",
        tag="news",
        summary="Take a calendar's address back",
        answer=None,
        status=204,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.delete_calendarfeed",
        problems=(412,),
        headers=(conditional.IF_MATCH,),
    )
    def delete(self, asked: Asked, *, slug: str) -> Response:
        """From then on it answers with 404."""
        return conditional.removed(asked, calendars.all_of_them().filter(name=slug))


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponseBase:
    """Answer a calendar program, which sends no key: the address is the secret."""
    try:
        written = calendars.read(token=token, now=clock.now())
    except NotFound as error:
        return HttpResponse(str(error), status=404, content_type="text/plain")
    etag = f'"{hashlib.sha256(written).hexdigest()[:32]}"'
    answer = HttpResponse(written, content_type="text/calendar; charset=utf-8")
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, max-age=3600"
    found = get_conditional_response(request, etag=etag, response=answer)
    return answer if found is None else found
