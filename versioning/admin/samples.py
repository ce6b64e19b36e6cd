"""Performance samples and what was learnt while they came in."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter

from providers.models import Provider
from versioning.admin import words
from versioning.admin.base import Admin, HistoryAdmin, SetUpPages, actor_of, caller_of, may_set_up
from versioning.domain.figure_kinds import Field, Unit
from versioning.domain.figures import FIELDS
from versioning.models import LeftOutSpans, PerformanceSample, ServedDrift, SliceTag, UnknownModel
from versioning.services import clock, teams, tracking
from versioning.services.errors import ServiceError
from versioning.services.evidence import served_drift

NANO_USD = 1_000_000_000


class HasErrorFilter(admin.SimpleListFilter):
    title = gettext_lazy("result")
    parameter_name = "failed"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("no", "succeeded"), ("yes", "failed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("yes", "no"):
            return queryset.filter(error__isnull=self.value() == "no")
        return queryset


@admin.register(PerformanceSample)
class PerformanceSampleAdmin(HistoryAdmin):
    """The newest first, page by page: nothing is counted, there may be a hundred million."""

    when_empty = gettext_lazy(
        "Applications report them: POST /api/performance-samples, described at /api/docs."
    )
    list_display = (
        "when",
        "version_shown",
        "task",
        *(f"{field.name}_shown" for field in FIELDS if field.listed),
        "tokens",
        "outcome",
        "source",
    )
    list_filter = (
        ("source", ChoicesCheckboxFilter),
        HasErrorFilter,
        ("version", AutocompleteSelectFilter),
    )
    list_select_related = ("version__tracked_model", "task", "error", "unknown_model", "route")
    ordering = ("-pk",)
    is_large = True
    fields = (
        "when",
        "version",
        "unknown_model",
        "task",
        "route",
        "tags",
        "source",
        *(f"{field.name}_shown" for field in FIELDS),
        "error",
    )

    @admin.display(description=gettext_lazy("at"))  # sorted by arrival, which is no order of times
    def when(self, sample: PerformanceSample) -> SafeString:
        return words.ago(sample.at, now=clock.now())

    @admin.display(description=gettext_lazy("version"))
    def version_shown(self, sample: PerformanceSample) -> str:
        if sample.version is not None:
            return str(sample.version)
        return (
            _("%(unknown_model)s (not tracked)") % {"unknown_model": sample.unknown_model}
            if sample.unknown_model
            else "unknown"
        )

    @admin.display(description=gettext_lazy("tokens in / out"))
    def tokens(self, sample: PerformanceSample) -> str:
        sides = (getattr(sample, name) for name in ("input_tokens", "output_tokens"))
        return " / ".join("?" if side is None else f"{side:,}" for side in sides)

    @admin.display(description=gettext_lazy("result"))
    def outcome(self, sample: PerformanceSample) -> SafeString:
        return (
            words.badge(sample.error.text, "bad") if sample.error else words.badge(_("ok"), "good")
        )


_SAID: Mapping[Unit, Callable[[Any], str | None]] = {
    Unit.SCORE: words.score,
    Unit.MILLISECONDS: words.ms,
    Unit.USD: lambda nano: words.usd(nano / NANO_USD),
    Unit.TOKENS: words.number,
    Unit.YES_NO: lambda told: "yes" if told else "no",
}


def _display(field: Field) -> Callable[[PerformanceSampleAdmin, PerformanceSample], str | None]:
    """Return the column of a figure: what the sample tells, a dash where it tells nothing."""

    @admin.display(description=field.listed or field.words)
    def shown(_: PerformanceSampleAdmin, sample: PerformanceSample) -> str | None:
        told = getattr(sample, field.kept_as)
        return None if told is None else _SAID[field.unit](told)

    return shown


for _field in FIELDS:
    setattr(PerformanceSampleAdmin, f"{_field.name}_shown", _display(_field))


@admin.register(LeftOutSpans)
class LeftOutSpansAdmin(HistoryAdmin):
    """What traces told and nobody counted: wrappers, and dialects that aren't read."""

    when_empty = gettext_lazy(
        "Spans of traces that aren't counted appear here: those around another span's request, "
        "and requests in a dialect that isn't read."
    )
    list_display = ("day", "reason", "spans")
    search_fields = ("reason",)
    ordering = ("-day", "-pk")


@admin.register(UnknownModel)
class UnknownModelAdmin(HistoryAdmin):
    """Samples came for these and nobody tracks them: track them, and the samples count."""

    when_empty = gettext_lazy(
        "A model that samples name and nobody tracks appears here, to track with one click."
    )
    list_display = ("name", "provider_slug", "samples", "last_seen", "tracked_as")
    list_filter = (("tracked_model", admin.EmptyFieldListFilter),)
    search_fields = ("name", "provider_slug")
    list_select_related = ("tracked_model__provider",)
    ordering = ("-last_seen_at", "-pk")
    is_large = True

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: Any = super().get_queryset(request)
        is_list = getattr(request.resolver_match, "url_name", "").endswith("_changelist")
        return rows.seen() if is_list else rows

    @admin.display(description=gettext_lazy("last seen"), ordering="last_seen_at")
    def last_seen(self, unknown: UnknownModel) -> SafeString:
        return words.ago(unknown.last_seen_at, now=clock.now())

    @admin.display(description=gettext_lazy("tracked as"))
    def tracked_as(self, unknown: UnknownModel) -> SafeString | str:
        if unknown.tracked_model is not None:
            return str(unknown.tracked_model)
        # The list is a form already, with its token: the button only sends it elsewhere.
        return format_html(
            '<button class="hs-link" type="submit" formaction="{}">{}</button>',
            reverse("admin:versioning_unknownmodel_track", args=[unknown.pk]),
            _("Track"),
        )

    def get_urls(self) -> list[URLPattern]:
        track = require_POST(self.track)
        return [
            self.further_page("<int:unknown_id>/track/", track, name="track"),
            *super().get_urls(),
        ]

    def track(self, request: HttpRequest, unknown_id: int) -> HttpResponse:
        """Track it with one click; where its provider is not known, ask for it."""
        if not may_set_up(request, "versioning.add_trackedmodel"):
            raise PermissionDenied
        unknown = get_object_or_404(UnknownModel, pk=unknown_id)
        provider = Provider.objects.filter(slug=unknown.provider_slug, enabled=True).first()
        if provider is None:
            messages.info(
                request,
                _("Say which provider serves %(unknown_name)s.") % {"unknown_name": unknown.name},
            )
            return HttpResponseRedirect(self._form_for(unknown))
        try:
            tracked = tracking.start_tracking(
                provider_id=provider.pk,
                name=unknown.name,
                actor=actor_of(request),
                now=clock.now(),
            )
        except ServiceError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(self._form_for(unknown))
        messages.success(
            request,
            _(
                "%(tracked)s is tracked from now on, as version 1.0.0. The samples that were "
                "seen of it appear within a minute."
            )
            % {"tracked": tracked},
        )
        page = reverse("admin:versioning_trackedmodel_change", args=[tracked.pk])
        return HttpResponseRedirect(page)

    def _form_for(self, unknown: UnknownModel) -> str:
        wanted = urlencode({"upstream_id": unknown.name, "provider_slug": unknown.provider_slug})
        return f"{reverse('admin:versioning_trackedmodel_add')}?{wanted}"


@admin.register(SliceTag)
class SliceTagAdmin(SetUpPages, Admin):
    when_empty = gettext_lazy(
        "Declare a tag of your samples, such as language: each of its values is judged apart."
    )
    list_display = ("name", "created_at")
    search_fields = ("name",)
    ordering = ("name",)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """A tag is a wish for the future: without it, comparisons stop looking at its values."""
        return may_set_up(request, "versioning.delete_slicetag")


@admin.register(ServedDrift)
class ServedDriftAdmin(HistoryAdmin):
    """Another id answered than the version's own."""

    when_empty = "Where another id answers than the one asked for, samples tell it with served_id."
    list_display = ("version", "served", "samples", "share", "since", "last_seen_at")
    fields = list_display
    search_fields = ("version__tracked_model__name", "served")
    ordering = ("-last_seen_at", "-pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServedDrift]:
        return teams.visible(served_drift.drifts(), caller_of(request))

    @admin.display(description=gettext_lazy("share since then"))
    def share(self, drift: ServedDrift) -> str:
        return words.share(getattr(drift, "share", None))
