"""What runs by itself, and when."""

from typing import Any

from django_celery_beat.models import PeriodicTask
from rest_framework import serializers

from versioning.api.serializers.fields import Moment
from versioning.models.checks import check_time_zone
from versioning.services.checks.rescheduling import PERIODS


class CrontabChange(serializers.Serializer[Any]):
    """The parts that change."""

    minute = serializers.CharField(required=False, max_length=240, help_text="0 to 59, or *.")
    hour = serializers.CharField(required=False, max_length=96, help_text="0 to 23, or *.")
    day_of_month = serializers.CharField(required=False, max_length=124, help_text="1 to 31.")
    month_of_year = serializers.CharField(required=False, max_length=64, help_text="1 to 12.")
    day_of_week = serializers.CharField(
        required=False, max_length=64, help_text="0 to 6; 0 is Sunday."
    )
    time_zone = serializers.CharField(
        required=False,
        max_length=63,
        validators=[check_time_zone],
        help_text="Such as Europe/Prague.",
    )


class IntervalChange(serializers.Serializer[Any]):
    every = serializers.IntegerField(min_value=1, max_value=100_000)
    period = serializers.ChoiceField(choices=PERIODS)


class ScheduleChange(serializers.Serializer[Any]):
    """The fields that change: a crontab, or an interval."""

    enabled = serializers.BooleanField(required=False)
    crontab = CrontabChange(required=False)
    interval = IntervalChange(required=False)


class CrontabSerializer(serializers.Serializer[Any]):
    """Times of the wall clock in a time zone, as cron writes them."""

    minute = serializers.CharField()
    hour = serializers.CharField()
    day_of_month = serializers.CharField()
    month_of_year = serializers.CharField()
    day_of_week = serializers.CharField()
    time_zone = serializers.CharField(source="timezone")


class IntervalSerializer(serializers.Serializer[Any]):
    every = serializers.IntegerField()
    period = serializers.CharField()


class ScheduleSerializer(serializers.Serializer[Any]):
    """Something that runs by itself."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    task = serializers.CharField()
    enabled = serializers.BooleanField()
    when = serializers.SerializerMethodField(help_text="For people.")
    crontab = CrontabSerializer(allow_null=True)
    interval = IntervalSerializer(allow_null=True)
    last_run_at = Moment(allow_null=True)
    runs = serializers.IntegerField(source="total_run_count")

    def get_when(self, row: PeriodicTask) -> str:
        return row.crontab.human_readable if row.crontab else str(row.scheduler)
