"""Teams: whose models are whose, and whether others may look."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from versioning.admin.base import Admin, SetUpPages, WithPast
from versioning.models import Team


@admin.register(Team)
class TeamAdmin(SetUpPages, Admin, WithPast):
    when_empty = gettext_lazy(
        "Everybody decides on every model, as far as their permissions go. Add a team where only "
        "some shall, and name it on the model's page."
    )
    list_display = ("name", "group", "closed")
    search_fields = ("name",)
    list_select_related = ("group",)
    ordering = ("name",)
    fields = ("name", "group", "closed")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> tuple[str, ...]:
        return ("name",) if obj else ()
