"""What runs by itself, and when: the check of the providers first of all."""

from rest_framework.response import Response

from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import OLDEST_FIRST, page, page_of
from versioning.api.serializers.fields import Paging
from versioning.api.serializers.schedules import ScheduleChange, ScheduleSerializer
from versioning.models import ApiKey
from versioning.services.checks import rescheduling


class SchedulesView(ApiView):
    @operation(
        id="schedules",
        tag="checks",
        summary="What runs by itself, and when",
        query=Paging,
        answer=page_of(ScheduleSerializer),
        permission="django_celery_beat.view_periodictask",
    )
    def get(self, asked: Asked) -> Response:
        """The daily check of the providers is among them."""
        return page(asked, rescheduling.schedules(), order=OLDEST_FIRST, show=ScheduleSerializer)


class ScheduleView(ApiView):
    @operation(
        id="schedule",
        tag="checks",
        summary="One schedule",
        answer=ScheduleSerializer,
        permission="django_celery_beat.view_periodictask",
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """When it runs, and when it last did."""
        return Response(ScheduleSerializer(rescheduling.schedule(id)).data)

    @operation(
        id="change_schedule",
        tag="checks",
        summary="Change when something runs",
        body=ScheduleChange,
        answer=ScheduleSerializer,
        scope=ApiKey.Scope.SETUP,
        permission="django_celery_beat.change_periodictask",
    )
    def patch(self, asked: Asked, *, id: int) -> Response:
        """Parts of the crontab that you leave out stay as they are. `enabled: false` stops it."""
        changed = rescheduling.change_schedule(
            schedule_id=id, changes=asked.body, actor=asked.actor, now=asked.now
        )
        return Response(ScheduleSerializer(changed).data)
