"""Model versions: what is known, how well each did, and what staff hold."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from unfold.contrib.filters.admin import RelatedCheckboxFilter

from versioning.admin import best, compare, words
from versioning.admin.base import Admin, ReadingFirst, WithPast, actor_of
from versioning.admin.version_form import VersionForm
from versioning.domain.baseline import UnreadBaseline, read_baseline
from versioning.models import ModelVersion
from versioning.services import clock, versions
from versioning.services.errors import ServiceError
from versioning.services.evidence import performance
from versioning.services.samples import request_uses


class StandingFilter(admin.SimpleListFilter):
    title = gettext_lazy("standing")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [
            ("current", _("in use")),
            ("retiring", _("retirement announced")),
            ("gone", _("no longer listed")),
            ("held", _("facts held by staff")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        chosen = {
            "current": queryset.in_use,
            "retiring": queryset.with_retirement,
            "gone": queryset.gone,
            "held": queryset.held_by_staff,
        }.get(self.value() or "")
        return queryset if chosen is None else chosen()


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadingFirst, Admin, WithPast):
    when_empty = gettext_lazy(
        "A tracked model has its first version at once; checks add the others."
    )
    form = VersionForm
    list_display = ("version", "provider", "upstream", "released_on", "retires", "standing")
    list_filter = (StandingFilter, ("tracked_model__provider", RelatedCheckboxFilter))
    search_fields = ("tracked_model__name", "label", "upstream_id", "revision")
    search_help_text = gettext_lazy("A model, a label, an upstream id or a revision.")
    list_select_related = ("tracked_model__provider",)
    ordering = ("-pk",)
    is_large = True
    fieldsets = (
        (
            gettext_lazy("What staff say"),
            {
                "fields": (
                    "label",
                    "added_improvements",
                    "added_breaking_changes",
                    "migration_notes",
                    "parameter_map",
                )
            },
        ),
        (
            gettext_lazy("Facts"),
            {
                "description": gettext_lazy(
                    "Checks fill these from what the provider says. What you change "
                    "here is held by staff from then on: checks leave it alone until you release "
                    "it."
                ),
                "fields": (
                    ("released_on", "deprecated_on"),
                    ("retires_on", "retires_precision"),
                    "retires_source",
                    ("replacement", "replacement_source"),
                    ("input_price", "output_price", "cached_input_price"),
                    "other_prices",
                    ("context_tokens", "output_tokens"),
                    ("input_modalities", "output_modalities"),
                    ("parameters", "capabilities"),
                ),
            },
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Versions come from checks and from tracking."""
        return False

    @admin.display(description=gettext_lazy("version"), ordering="tracked_model__name")
    def version(self, version: ModelVersion) -> SafeString:
        return format_html(
            '<span class="hs-move"><strong>{}</strong> {}</span>',
            version.tracked_model.name,
            version.label,
        )

    @admin.display(description=gettext_lazy("provider"), ordering="tracked_model__provider__slug")
    def provider(self, version: ModelVersion) -> str:
        return version.tracked_model.provider.slug

    @admin.display(description=gettext_lazy("upstream id"), ordering="upstream_id")
    def upstream(self, version: ModelVersion) -> SafeString:
        return format_html('<code class="hs-code">{}</code>', version.upstream_id)

    @admin.display(description=gettext_lazy("retires"), ordering="retires_on")
    def retires(self, version: ModelVersion) -> SafeString | None:
        if version.retires_on is None:
            return None
        now = clock.now()
        tone = "bad" if words.is_urgent(version.retires_on, now=now) else "warn"
        left = words.until_day(version.retires_on, now=now)
        return words.badge(left, tone, title=words.day(version.retires_on))

    @admin.display(description=gettext_lazy("standing"))
    def standing(self, version: ModelVersion) -> SafeString:
        if version.tracked_model.current_version_id == version.pk:
            return words.badge(_("in use"), "good")
        if version.is_gone:
            return words.badge(_("no longer listed"), "bad")
        if version.is_leaving:
            return words.badge(version.lifecycle, "warn")
        return words.badge("listed" if version.is_listed else _("not listed yet"), "plain")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        versions.save_changed(version=obj, changed=form.changed_data, actor=actor_of(request))

    def get_urls(self) -> list[URLPattern]:
        release = require_POST(self.release)
        return [
            self.further_page("<int:version_id>/release/", release, name="release"),
            self.further_page("best/", best.best, name="best"),
            self.further_page("compare/", require_GET(compare.compare), name="compare"),
            *super().get_urls(),
        ]

    def release(self, request: HttpRequest, version_id: int) -> HttpResponse:
        """Give a field back to the checks."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        field = request.POST.get("field", "")
        try:
            versions.release_fields(version_id=version_id, fields=[field], actor=actor_of(request))
        except ServiceError as error:
            messages.error(request, str(error))
        else:
            name = _name_of(field)
            messages.success(request, _("Checks look after “%(name)s” again.") % {"name": name})
        return HttpResponseRedirect(
            reverse("admin:versioning_modelversion_change", args=[version_id])
        )

    def panel_of(self, row: ModelVersion, request: HttpRequest) -> dict[str, Any]:
        return _panel_of(row)


def _compare_with(version: ModelVersion) -> str:
    """Return the address that compares it with the version in use, else with the one before."""
    current = version.tracked_model.current_version_id
    other = current if current != version.pk else version.previous_version_id
    query = {"from": other or "", "to": version.pk}
    return f"{reverse('admin:versioning_modelversion_compare')}?{urlencode(query)}"


def _name_of(field: str) -> str:
    return str(getattr(ModelVersion._meta.get_field(field), "verbose_name", field))


def _panel_of(version: ModelVersion) -> dict[str, Any]:
    now = clock.now()
    tracked = version.tracked_model
    baseline = read_baseline(version.baseline or {})
    return {
        "version": version,
        "is_current": tracked.current_version_id == version.pk,
        "previous": version.previous_version,
        "compare": _compare_with(version),
        "next_versions": list(version.next_versions.order_by("pk")),
        "retires": words.retirement(version, now=now),
        "lifecycle": words.lifecycle(version),
        "asked": words.ago(version.answers_at, now=now),
        "first_seen": words.ago(version.first_seen_at, now=now),
        "last_seen": words.ago(version.last_seen_at, now=now),
        "gone": words.ago(version.gone_at, now=now) if version.gone_at else "",
        "figures": words.figures(
            performance.figures(version_ids=[version.pk])[version.pk].as_dict()
        ),
        "baseline_rows": words.figures(baseline.as_dict()),
        "baseline_unread": baseline if isinstance(baseline, UnreadBaseline) else None,
        "baseline_age": words.ago(version.baseline_taken_at, now=now),
        "prices": [
            (_("input price"), words.price(version.input_price)),
            (_("output price"), words.price(version.output_price)),
            (_("cached input price"), words.price(version.cached_input_price)),
            *words.other_prices(version.other_prices),
        ],
        "unpriced": request_uses.unpriced(version_ids=[version.pk], now=now).get(version.pk, {}),
        "limits": [
            ("context", words.number(version.context_tokens)),
            (_("longest output"), words.number(version.output_tokens)),
        ],
        "held": [(field, _name_of(field)) for field in version.staff_fields],
        "records": version.upgrades_to.with_versions().order_by("-pk"),
    }
