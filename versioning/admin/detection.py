"""Checks and their findings, what providers list, and what ids stood for."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from kombu.exceptions import OperationalError
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RelatedCheckboxFilter

from versioning import tasks
from versioning.admin import asked_checks, words
from versioning.admin.base import HistoryAdmin, HistoryInline, raw
from versioning.models import AliasTarget, CatalogueEntry, Check, Finding
from versioning.services import clock


class FindingInline(HistoryInline):
    model = Finding
    fields = ("kind", "tracked_model", "version")  # its name says it in words
    readonly_fields = fields
    ordering = ("pk",)
    related = ("tracked_model__provider", "version__tracked_model")
    show_change_link = False


@admin.register(Check)
class CheckAdmin(HistoryAdmin):
    when_empty = gettext_lazy("Providers are asked daily; the button above asks them now.")
    list_display = (
        "provider",
        "result",
        "news",
        "listed",
        "recommended",
        "started",
        "duration",
        "trigger",
    )
    list_filter = (
        ("state", ChoicesCheckboxFilter),
        ("trigger", ChoicesCheckboxFilter),
        ("provider", RelatedCheckboxFilter),
    )
    search_fields = ("provider__slug", "provider__name", "error", "asked_by")
    list_select_related = ("provider",)
    ordering = ("-started_at", "-pk")
    is_large = True
    inlines = (FindingInline,)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "provider",
                    "result",
                    "error",
                    "what_to_do",
                    "trigger",
                    "asked_by",
                    "started_at",
                    "duration",
                )
            },
        ),
        (
            gettext_lazy("Counts"),
            {
                "fields": (
                    ("listed", "added", "changed"),
                    ("missing", "recommended", "dropped"),
                    "doubted",
                )
            },
        ),
        (
            gettext_lazy("Raw difference"),
            {"classes": ("collapse",), "fields": ("raw", "unread_items")},
        ),
    )

    @admin.display(description=gettext_lazy("result"), ordering="state")
    def result(self, check: Check) -> SafeString:
        return words.check_state(check)

    @admin.display(description=gettext_lazy("news"))
    def news(self, check: Check) -> SafeString | str:
        return words.check_news(check)

    @admin.display(description=gettext_lazy("started"), ordering="started_at")
    def started(self, check: Check) -> SafeString:
        return words.ago(check.started_at, now=clock.now())

    @admin.display(description=gettext_lazy("took"))
    def duration(self, check: Check) -> str | None:
        return None if check.duration_ms is None else f"{check.duration_ms / 1000:,.1f} s"

    @admin.display(description=gettext_lazy("what to do"))
    def what_to_do(self, check: Check) -> str | None:
        return words.what_to_do(check) or None

    @admin.display(description=gettext_lazy("models in the list that was not believed"))
    def doubted(self, check: Check) -> int | None:
        return check.shrunk_to

    @admin.display(description=gettext_lazy("difference"))
    def raw(self, check: Check) -> SafeString:
        return raw(check.difference)

    @admin.display(description=gettext_lazy("items that could not be read"))
    def unread_items(self, check: Check) -> SafeString:
        return words.sentences(check.dropped_items, empty=_("None."))

    def get_urls(self) -> list[URLPattern]:
        now = require_POST(self.check_now)
        return [
            self.further_page("now/", now, name="now"),
            self.further_page("asked/", require_GET(asked_checks.piece), name="asked"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        asked = asked_checks.of(request, now=clock.now())
        return super().changelist_view(request, {**(extra_context or {}), **asked})

    def check_now(self, request: HttpRequest) -> HttpResponse:
        """Hand a check of one provider, or of all, to the worker."""
        if not request.user.has_perm("versioning.run_check"):
            raise PermissionDenied
        slug, now = request.POST.get("provider", ""), clock.now()
        asked = {
            "trigger": Check.Trigger.STAFF.value,
            "asked_by": cast(AbstractBaseUser, request.user).get_username(),
        }
        try:
            if slug:
                tasks.check_provider.delay(provider_slug=slug, **asked)
            else:
                tasks.check_providers.delay(**asked)
        except OperationalError:
            messages.error(
                request, _("The queue can't be reached, so nothing was asked. Is the broker up?")
            )
        else:
            asked_checks.keep(request, slug=slug, now=now)
            messages.success(
                request,
                _("%(slug)s is being asked: its answer shows here by itself.") % {"slug": slug}
                if slug
                else _("All enabled providers are being asked: their answers show here."),
            )
        back = (
            "admin:index"
            if request.POST.get("next") == "inbox"
            else ("admin:versioning_check_changelist")
        )
        return HttpResponseRedirect(reverse(back))


@admin.register(Finding)
class FindingAdmin(HistoryAdmin):
    """The news of all checks."""

    when_empty = gettext_lazy("What checks find new, changed or gone appears here.")
    list_display = ("in_words", "kind", "provider", "model_shown", "found")
    list_filter = (
        ("kind", ChoicesCheckboxFilter),
        ("check_run__provider", RelatedCheckboxFilter),
    )
    search_fields = ("upstream_id", "sentence", "tracked_model__name")
    list_select_related = ("check_run__provider", "tracked_model__provider")
    ordering = ("-found_at", "-pk")
    is_large = True
    fields = (
        "in_words",
        "kind",
        "upstream_id",
        "check_run",
        "tracked_model",
        "version",
        "found_at",
        "was",
        "now",
    )

    @admin.display(description=gettext_lazy("provider"), ordering="check_run__provider__slug")
    def provider(self, finding: Finding) -> str:
        return finding.check_run.provider.slug

    @admin.display(description=gettext_lazy("model"), ordering="tracked_model__name")
    def model_shown(self, finding: Finding) -> str | None:
        return finding.tracked_model.name if finding.tracked_model else None

    @admin.display(description=gettext_lazy("found"), ordering="found_at")
    def found(self, finding: Finding) -> SafeString:
        return words.ago(finding.found_at, now=clock.now())

    @admin.display(description=gettext_lazy("before"))
    def was(self, finding: Finding) -> SafeString:
        return raw(finding.before)

    @admin.display(description=gettext_lazy("after"))
    def now(self, finding: Finding) -> SafeString:
        return raw(finding.after)


@admin.register(CatalogueEntry)
class CatalogueEntryAdmin(HistoryAdmin):
    """What each provider lists, as far as the last good listing told."""

    when_empty = gettext_lazy("What a provider lists appears here after its first check.")
    list_display = ("upstream_id", "provider", "revision", "first_seen", "standing", "track")
    list_filter = (("provider", RelatedCheckboxFilter), ("gone_at", admin.EmptyFieldListFilter))
    search_fields = ("upstream_id", "revision")
    list_select_related = ("provider",)
    ordering = ("provider_id", "upstream_id")
    is_large = True
    fields = (
        "provider",
        "upstream_id",
        "revision",
        "track",
        "first_seen_at",
        "last_seen_at",
        "missing_since",
        "missed_listings",
        "gone_at",
        "facts_shown",
    )

    @admin.display(description=gettext_lazy("first seen"), ordering="first_seen_at")
    def first_seen(self, entry: CatalogueEntry) -> SafeString:
        return words.ago(entry.first_seen_at, now=clock.now())

    @admin.display(description=gettext_lazy("standing"))
    def standing(self, entry: CatalogueEntry) -> SafeString:
        if entry.gone_at is not None:
            return words.badge(_("gone"), "bad")
        if entry.missing_since is not None:
            return words.badge(
                _("missing in %(missed_listings)s") % {"missed_listings": entry.missed_listings},
                "warn",
            )
        return words.badge(_("listed"), "good")

    @admin.display(description=gettext_lazy("track it"))
    def track(self, entry: CatalogueEntry) -> SafeString:
        address = reverse("admin:versioning_trackedmodel_add")
        link = '<a class="hs-link" href="{}?entry={}">{}</a>'
        return format_html(link, address, entry.pk, _("Track"))

    @admin.display(description=gettext_lazy("what the provider says"))
    def facts_shown(self, entry: CatalogueEntry) -> SafeString:
        return raw(entry.facts)


@admin.register(AliasTarget)
class AliasTargetAdmin(HistoryAdmin):
    """What an id stood for, from when to when."""

    when_empty = gettext_lazy(
        'What a name such as "latest" stood for appears here, where a provider tells it.'
    )
    list_display = ("alias", "target", "provider", "since", "until")
    list_filter = (("provider", RelatedCheckboxFilter), ("until", admin.EmptyFieldListFilter))
    search_fields = ("alias", "target")
    list_select_related = ("provider",)
    ordering = ("-since", "-pk")
    is_large = True
