"""What staff say about successors, model by model."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RelatedCheckboxFilter

from versioning.admin.base import Admin, SetUpPages, WithPast, actor_of, may_set_up
from versioning.models import CatalogueEntry, LineageRule
from versioning.services import clock, tracking
from versioning.services.errors import ServiceError


@admin.register(LineageRule)
class LineageRuleAdmin(SetUpPages, Admin, WithPast):
    """Rules beat what names and dates say; the successor is looked for anew when one changes."""

    when_empty = gettext_lazy(
        "Names and dates decide what follows. Add a rule where they are wrong."
    )
    list_display = ("pattern", "kind", "tracked_model", "reason", "made_by", "created_at")
    list_filter = (
        ("kind", ChoicesCheckboxFilter),
        ("tracked_model__provider", RelatedCheckboxFilter),
    )
    search_fields = ("pattern", "reason", "tracked_model__name", "made_by")
    list_select_related = ("tracked_model__provider",)
    ordering = ("-created_at", "-pk")
    autocomplete_fields = ("tracked_model",)
    fields = ("tracked_model", "kind", "pattern", "reason")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A rule is a wish for the future: without it, names and dates decide again."""
        return may_set_up(request, "versioning.delete_lineagerule", obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        recommend_anew(request, tracked_model_id=obj.tracked_model_id)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        recommend_anew(request, tracked_model_id=obj.tracked_model_id)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        models = set(queryset.values_list("tracked_model_id", flat=True))
        super().delete_queryset(request, queryset)
        for tracked_model_id in sorted(models):
            recommend_anew(request, tracked_model_id=tracked_model_id)


def recommend_anew(request: HttpRequest, *, tracked_model_id: int) -> None:
    """Look for a model's successor under its new rules; say so where that can't be done."""
    try:
        tracking.rules_changed(
            tracked_model_id=tracked_model_id,
            made_by=actor_of(request).name,
            now=clock.now(),
        )
    except ServiceError as error:
        messages.warning(request, str(error))
    for rule in LineageRule.objects.filter(tracked_model=tracked_model_id, kind="successor"):
        provider = rule.tracked_model.provider
        if (
            not CatalogueEntry.objects.listed()
            .filter(provider=provider, upstream_id=rule.pattern)
            .exists()
        ):
            messages.warning(
                request,
                _(
                    "%(provider_slug)s doesn't list %(pattern)s, so it can't be recommended yet. "
                    "Is the id right? The catalogue has all ids."
                )
                % {"provider_slug": provider.slug, "pattern": rule.pattern},
            )
