"""Calendars of retirements."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.fields import Moment
from versioning.api.serializers.policies import ProviderSlug
from versioning.api.serializers.setup import TeamName


class NewCalendar(serializers.Serializer[Any]):
    """Whose retirements a calendar shows."""

    name = serializers.SlugField(max_length=50, help_text="Short and lasting.")
    owner = serializers.EmailField(
        required=False, allow_blank=True, max_length=254, help_text="Only of this owner's models."
    )
    provider = ProviderSlug(required=False, allow_null=True, help_text="Slug; null for all.")
    team = TeamName(
        required=False,
        allow_null=True,
        help_text="Name of a team, whose models are told of although it is closed.",
    )


class CalendarSerializer(NewCalendar):
    """A calendar. Its address is never shown again."""

    made_by = serializers.CharField()
    created_at = Moment()


class NewCalendarSerializer(serializers.Serializer[Any]):
    """A calendar just made, with its address."""

    calendar = CalendarSerializer(source="feed")
    path = serializers.CharField(
        help_text="Behind the server's own address; empty where it was shown already."
    )
