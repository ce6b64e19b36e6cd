"""Performance samples and what was learnt while they came in."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesCheckboxFilter
from unfold.paginator import InfinitePaginator

from versioning.admin import words
from versioning.admin.base import Admin, HistoryAdmin
from versioning.models import PerformanceSample, ServedDrift, SliceTag, UnknownModel

NANO_USD = 1_000_000_000


class HasErrorFilter(admin.SimpleListFilter):
    title = "result"
    parameter_name = "failed"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("no", "succeeded"), ("yes", "failed")]

    def queryset(self, request: HttpRequest, queryset: object) -> object:
        if self.value() in ("yes", "no"):
            return queryset.filter(error__isnull=self.value() == "no")  # type: ignore[attr-defined]
        return queryset


@admin.register(PerformanceSample)
class PerformanceSampleAdmin(HistoryAdmin):
    """The newest first, page by page: nothing is counted, there may be a hundred million."""

    list_display = (
        "when",
        "model",
        "task",
        "quality_shown",
        "latency",
        "tokens",
        "cost",
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
    paginator = InfinitePaginator
    show_full_result_count = False
    fields = (
        "when",
        "version",
        "unknown_model",
        "task",
        "route",
        "tags",
        "source",
        "quality",
        "latency_ms",
        "ttft_ms",
        "cost",
        "input_tokens",
        "output_tokens",
        "cached_tokens",
        "reasoning_tokens",
        "error",
    )

    @admin.display(description="at", ordering="pk")
    def when(self, sample: PerformanceSample) -> SafeString:
        return words.ago(sample.at, now=timezone.now())

    @admin.display(description="version")
    def model(self, sample: PerformanceSample) -> str:
        if sample.version is not None:
            return str(sample.version)
        return f"{sample.unknown_model} (not tracked)" if sample.unknown_model else "unknown"

    @admin.display(description="quality")
    def quality_shown(self, sample: PerformanceSample) -> str:
        return words.score(sample.quality)

    @admin.display(description="latency")
    def latency(self, sample: PerformanceSample) -> str | None:
        return None if sample.latency_ms is None else f"{sample.latency_ms:,.0f} ms"

    @admin.display(description="tokens in / out")
    def tokens(self, sample: PerformanceSample) -> str:
        sides = (sample.input_tokens, sample.output_tokens)
        return " / ".join("?" if side is None else f"{side:,}" for side in sides)

    @admin.display(description="cost")
    def cost(self, sample: PerformanceSample) -> str | None:
        return words.usd(None if sample.cost_nano_usd is None else sample.cost_nano_usd / NANO_USD)

    @admin.display(description="result")
    def outcome(self, sample: PerformanceSample) -> SafeString:
        return words.badge(sample.error.text, "bad") if sample.error else words.badge("ok", "good")


@admin.register(UnknownModel)
class UnknownModelAdmin(HistoryAdmin):
    """Samples came for these and nobody tracks them: track them, and the samples count."""

    list_display = ("name", "provider_slug", "samples", "last_seen", "tracked_as")
    list_filter = (("tracked_model", admin.EmptyFieldListFilter),)
    search_fields = ("name", "provider_slug")
    list_select_related = ("tracked_model__provider",)
    ordering = ("-last_seen_at", "-pk")

    @admin.display(description="last seen", ordering="last_seen_at")
    def last_seen(self, unknown: UnknownModel) -> SafeString:
        return words.ago(unknown.last_seen_at, now=timezone.now())

    @admin.display(description="tracked as")
    def tracked_as(self, unknown: UnknownModel) -> SafeString | str:
        if unknown.tracked_model is not None:
            return str(unknown.tracked_model)
        return format_html(
            '<a class="hs-link" href="{}?upstream_id={}&provider_slug={}">Track</a>',
            reverse("admin:versioning_trackedmodel_add"),
            unknown.name,
            unknown.provider_slug,
        )


@admin.register(SliceTag)
class SliceTagAdmin(Admin):
    list_display = ("name", "created_at")
    search_fields = ("name",)
    ordering = ("name",)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """A tag is a wish for the future: without it, comparisons stop looking at its values."""
        return request.user.has_perm("versioning.delete_slicetag")  # type: ignore[union-attr]


@admin.register(ServedDrift)
class ServedDriftAdmin(HistoryAdmin):
    """Another id answered than the version's own."""

    list_display = ("version", "served", "samples", "since", "last_seen_at")
    search_fields = ("version__tracked_model__name", "served")
    list_select_related = ("version__tracked_model",)
    ordering = ("-last_seen_at", "-pk")
