"""Tracked models: what is in use now, how it does, and how it got there."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from unfold.contrib.filters.admin import RelatedCheckboxFilter

from providers.models import Provider
from versioning.admin import (
    chart,
    descent,
    emergencies,
    first_steps,
    forms,
    manual_move,
    policy_page,
    served_on,
    timeline,
    words,
)
from versioning.admin.base import (
    Admin,
    HistoryInline,
    PlainInline,
    ReadingFirst,
    SetUpPages,
    WithPast,
    actor_of,
)
from versioning.admin.decisions import CHOICES, may_make
from versioning.admin.lineage_rules import recommend_anew
from versioning.models import (
    CatalogueEntry,
    LineageRule,
    ModelVersion,
    TrackedModel,
    UpgradeRecord,
)
from versioning.services import clock, tracking
from versioning.services.errors import Invalid, NothingToRollBack
from versioning.services.evidence import days, performance
from versioning.services.upgrades import policies, retirement, rolling_back

SHOWN_ENTRIES = 12
SHOWN_MOVES = 20
RANGES = (7, 30, 90)
"""How many days of charts there are to choose from."""
USUAL_RANGE = 30


class LineageRuleInline(PlainInline):
    """What staff say about successors; it beats what names say."""

    model = LineageRule
    extra = 0
    fields = ("kind", "pattern", "reason", "made_by")
    readonly_fields = ("made_by",)
    verbose_name_plural = gettext_lazy(
        "Rules about its successors (they beat what names and dates say)"
    )


class VersionInline(HistoryInline):
    model = ModelVersion
    fields = ("label", "upstream_id", "revision", "released_on", "retires_on", "gone_at")
    readonly_fields = fields
    ordering = ("-pk",)
    related = ("tracked_model",)
    verbose_name_plural = gettext_lazy("Versions")


@admin.register(TrackedModel)
class TrackedModelAdmin(ReadingFirst, SetUpPages, Admin, WithPast):
    when_empty = gettext_lazy(
        "Track the models that your applications use: checks look for their successors."
    )
    form = forms.TrackedModelForm
    list_display = ("name", "provider", "current", "retires", "waiting", "pin", "active")
    list_filter = ("active", "pinned", ("provider", RelatedCheckboxFilter))
    search_fields = ("name", "provider__slug", "versions__upstream_id", "owner")
    search_help_text = gettext_lazy("A name, a provider, an upstream id or an owner.")
    ordering = ("provider__slug", "name")
    inlines = (LineageRuleInline, VersionInline)
    fieldsets = ((None, {"fields": ("active", "team", "owner", "notes", "allow_previews")}),)

    def get_queryset(self, request: HttpRequest) -> Any:
        waiting = UpgradeRecord.objects.waiting().filter(tracked_model=OuterRef("pk"))
        sure = waiting.exclude(step=UpgradeRecord.Step.MAYBE)
        counted = sure.order_by().values("tracked_model").annotate(count=Count("pk"))
        models = super().get_queryset(request).select_related("provider", "current_version")
        return models.annotate(waiting_count=Subquery(counted.values("count")))

    @admin.display(description=gettext_lazy("current version"), ordering="current_version__label")
    def current(self, tracked: TrackedModel) -> SafeString | None:
        version = tracked.current_version
        if version is None:
            return None
        return format_html(
            '<strong>{}</strong> <code class="hs-code">{}</code>',
            version.label,
            version.upstream_id,
        )

    @admin.display(description=gettext_lazy("retires"), ordering="current_version__retires_on")
    def retires(self, tracked: TrackedModel) -> SafeString | None:
        version = tracked.current_version
        if version is None or version.retires_on is None:
            return None
        now = clock.now()
        tone = "bad" if words.is_urgent(version.retires_on, now=now) else "warn"
        left = words.until_day(version.retires_on, now=now)
        return words.badge(left, tone, title=words.day(version.retires_on))

    @admin.display(description=gettext_lazy("waiting"))
    def waiting(self, tracked: Any) -> SafeString | None:
        return (
            words.badge(
                _("%(waiting_count)s to decide") % {"waiting_count": tracked.waiting_count}, "info"
            )
            if (tracked.waiting_count)
            else None
        )

    @admin.display(description=gettext_lazy("pinned"), ordering="pinned")
    def pin(self, tracked: TrackedModel) -> SafeString | None:
        return (
            words.badge(_("pinned"), "warn", title=tracked.pin_reason) if tracked.pinned else None
        )

    def get_urls(self) -> list[URLPattern]:
        return [
            self.further_page("retirements/", require_GET(timeline.page), name="retirements"),
            self.further_page("listed/", require_GET(self.listed), name="listed"),
            self.further_page("first-steps/", require_GET(first_steps.page), name="first_steps"),
            self.further_page(
                "first-steps/put-away/", require_POST(first_steps.put_away), name="put_away"
            ),
            self.further_page("<int:tracked_model_id>/pin/", self.set_pin, name="pin"),
            self.further_page("<int:tracked_model_id>/now/", require_GET(self.now), name="now"),
            self.further_page(
                "<int:tracked_model_id>/move/<int:version_id>/", self.move, name="move"
            ),
            self.further_page(
                "<int:tracked_model_id>/emergency/", self.emergency, name="emergency"
            ),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask which model to track, from its provider's catalogue."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = forms.TrackForm(request.POST or None, initial=_wanted(request))
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                tracked = tracking.start_tracking(
                    provider_id=data["provider"].pk,
                    name=data["name"],
                    upstream_id=data["upstream_id"],
                    owner=data["owner"],
                    actor=actor_of(request),
                    now=clock.now(),
                )
            except Invalid as error:
                forms.add_errors(form, error)
            else:
                self.log_addition(request, tracked, [{"added": {}}])
                messages.success(
                    request,
                    _("%(tracked)s is tracked from now on, as version 1.0.0.")
                    % {"tracked": tracked},
                )
                return HttpResponseRedirect(_page(tracked.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Track a model"),
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/versioning/trackedmodel/add.html", context)

    def listed(self, request: HttpRequest) -> HttpResponse:
        """Return the provider's models that match what is being typed, as a piece of a page."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        provider, typed = request.GET.get("provider", ""), request.GET.get("upstream_id", "")
        entries = CatalogueEntry.objects.none()
        if provider.isdigit():
            entries = CatalogueEntry.objects.listed().filter(provider=int(provider))
        found = entries.filter(upstream_id__icontains=typed).order_by("upstream_id")
        context = {
            "entries": found[:SHOWN_ENTRIES],
            "more": max(0, found.count() - SHOWN_ENTRIES),
            "is_chosen": provider.isdigit(),
            "is_empty": not entries.exists(),
        }
        return TemplateResponse(request, "admin/versioning/trackedmodel/listed.html", context)

    def set_pin(self, request: HttpRequest, tracked_model_id: int) -> HttpResponse:
        """Pin a model with a reason, or let it go."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        tracked = get_object_or_404(TrackedModel, pk=tracked_model_id)
        form = forms.ReasonForm(request.POST or None)
        if request.method == "POST" and (tracked.pinned or form.is_valid()):
            reason = "" if tracked.pinned else form.cleaned_data["reason"]
            tracking.change(
                tracked_model_id=tracked.pk,
                changes={"pinned": not tracked.pinned, "pin_reason": reason.strip()[:300]},
                actor=actor_of(request),
            )
            messages.success(
                request,
                (
                    _("%(model)s is no longer pinned.")
                    if tracked.pinned
                    else _("%(model)s is pinned.")
                )
                % {"model": tracked.name},
            )
            return HttpResponseRedirect(_page(tracked.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": (_("Unpin %(model)s") if tracked.pinned else _("Pin %(model)s"))
            % {"model": tracked.name},
            "opts": self.opts,
            "belongs_to": tracked,
            "tracked": tracked,
            "form": form,
            "back": _page(tracked.pk),
        }
        return TemplateResponse(request, "admin/versioning/trackedmodel/pin.html", context)

    def now(self, request: HttpRequest, tracked_model_id: int) -> HttpResponse:
        return policy_page.now(request, model_admin=self, tracked_model_id=tracked_model_id)

    def move(self, request: HttpRequest, tracked_model_id: int, version_id: int) -> HttpResponse:
        return manual_move.move(
            request, model_admin=self, tracked_model_id=tracked_model_id, version_id=version_id
        )

    def emergency(self, request: HttpRequest, tracked_model_id: int) -> HttpResponse:
        return emergencies.move(request, model_admin=self, tracked_model_id=tracked_model_id)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.model is not LineageRule or not formset.has_changed():
            return
        recommend_anew(request, tracked_model_id=form.instance.pk)

    def panel_of(self, row: TrackedModel, request: HttpRequest) -> dict[str, Any]:
        return _panel_of(row, request)


def _page(tracked_model_id: int) -> str:
    return reverse("admin:versioning_trackedmodel_change", args=[tracked_model_id])


def _wanted(request: HttpRequest) -> dict[str, Any]:
    """Return what the link to the form asked for: a catalogue entry, or names in samples."""
    entry_id = request.GET.get("entry", "")
    if entry_id.isdigit():
        entry = CatalogueEntry.objects.filter(pk=int(entry_id)).first()
        if entry is not None:
            return {"provider": entry.provider_id, "upstream_id": entry.upstream_id}
    slug = request.GET.get("provider_slug", "")
    provider = Provider.objects.filter(slug=slug).values_list("pk", flat=True).first()
    return {"provider": provider, "upstream_id": request.GET.get("upstream_id", "")}


def _panel_of(tracked: TrackedModel, request: HttpRequest) -> dict[str, Any]:
    now = clock.now()
    records = UpgradeRecord.objects.with_versions().filter(tracked_model=tracked)
    moves = records.completions().order_by("-completion_number")[:SHOWN_MOVES]
    open_records = list(records.not_ended().urgent_first())
    may_roll_back = may_make(request=request, choice=CHOICES["roll_back"])
    resolved = policies.resolve(tracked=tracked)
    due = retirement.clock_of(tracked=tracked, now=now, resolved=resolved)
    return {
        "tracked": tracked,
        "current": tracked.current_version,
        "retires": words.retirement(tracked.current_version, now=now)
        if tracked.current_version
        else "",
        "clock": due,
        "start": words.until_day(due.latest_start, now=now) if due else "",
        **policy_page.of(tracked, resolved=resolved),
        "tasks": _figures(tracked.current_version_id) if tracked.current_version_id else [],
        **_by_day(tracked, request, moves=moves, now=now),
        "waiting_records": [
            {
                "record": record,
                "question": words.question(record),
                "proof": record.doubt or words.proof(record),
            }
            for record in open_records
            if record.is_waiting
        ],
        "moves": [
            {"record": record, "ago": words.ago(record.completed_at, now=now)} for record in moves
        ],
        **descent.of_model(tracked, open_records=open_records),
        "on_day": request.GET.get("on", ""),
        "served_on": served_on.answer(tracked=tracked, asked=request.GET.get("on", ""), now=now),
        "may_check": request.user.has_perm("versioning.run_check"),
        "decided_against": manual_move.decided_against(tracked),
        "may_move": manual_move.may_move(request),
        "to_reverse": _to_reverse(tracked) if may_roll_back else None,
    }


def _by_day(
    tracked: TrackedModel, request: HttpRequest, *, moves: Iterable[UpgradeRecord], now: datetime
) -> dict[str, Any]:
    """Return the charts of as many days, and of the task, as the address asks for."""
    asked = request.GET.get("days", "")
    shown = int(asked) if asked in map(str, RANGES) else USUAL_RANGE
    task = request.GET.get("task", "")
    found = days.by_day(tracked_model_id=tracked.pk, now=now, days=shown, task=task or None)
    return {
        "panels": chart.draw(
            found.versions,
            moves=[
                (clock.utc_day(each.completed_at), each.to_version.label)
                for each in moves
                if each.completed_at is not None
            ],
        ),
        "days": shown,
        "ranges": RANGES,
        "task": task,
        "all_tasks": sorted({*found.tasks, *filter(None, [task])}),
    }


def _figures(version_id: int) -> list[dict[str, Any]]:
    return words.figures(performance.figures(version_ids=[version_id])[version_id].as_dict())


def _to_reverse(tracked: TrackedModel) -> UpgradeRecord | None:
    try:
        return rolling_back.move_to_reverse(tracked_model_id=tracked.pk)
    except NothingToRollBack:
        return None
