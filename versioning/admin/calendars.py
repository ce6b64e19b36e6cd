"""Calendars of retirements: made, their address shown once, taken back by deleting."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, gettext_lazy

from versioning.admin.base import Admin, SetUpPages, WithPast, actor_of, may_set_up
from versioning.models import CalendarFeed
from versioning.services import calendars


@admin.register(CalendarFeed)
class CalendarFeedAdmin(SetUpPages, Admin, WithPast):
    when_empty = gettext_lazy(
        "Add a calendar to see retirements, and the last day to start each move, where you plan."
    )
    list_display = ("name", "owner", "provider", "made_by", "created_at")
    search_fields = ("name", "owner")
    list_select_related = ("provider",)
    ordering = ("name",)
    fields = ("name", "owner", "provider", "team")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever wants another one makes another: its address goes on meaning the same."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """So an address is taken back."""
        return may_set_up(request, "versioning.delete_calendarfeed", obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        made = calendars.add(fields=form.cleaned_data, actor=actor_of(request))
        obj.pk, obj.shown_once = made.feed.pk, request.build_absolute_uri(made.path)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Address of %(name)s") % {"name": obj.name},
            "opts": self.opts,
            "belongs_to": obj,
            "feed": obj,
            "address": obj.shown_once,
        }
        page = TemplateResponse(request, "admin/versioning/calendarfeed/address.html", context)
        page["Cache-Control"] = "no-store"
        return page
