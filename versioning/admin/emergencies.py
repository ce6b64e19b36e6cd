"""Emergencies: a model is moved at once from its page, and somebody else reviews it here."""

from datetime import datetime
from typing import Any

from django import forms as django_forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from versioning.admin import forms, words
from versioning.admin.base import HistoryAdmin, HistoryInline, actor_of, caller_of
from versioning.domain import dates
from versioning.models import Emergency, EmergencyStep, ModelVersion, TrackedModel, UpgradeRecord
from versioning.services import clock, teams
from versioning.services.errors import Invalid, ServiceError
from versioning.services.inbox import SHOWN_NEWS
from versioning.services.upgrades import emergencies

MOVE = "versioning.emergency"
REVIEW = "versioning.approve_upgrade"


class EmergencyForm(forms.ReasonForm):
    """Where to, why, and after how long it ends."""

    to_version = django_forms.ModelChoiceField(
        ModelVersion.objects.none(),
        label=gettext_lazy("Move to"),
        empty_label=gettext_lazy("Choose a version"),
        widget=UnfoldAdminSelectWidget,
    )
    minutes = django_forms.IntegerField(
        label=gettext_lazy("Minutes"),
        min_value=1,
        max_value=emergencies.MOST_MINUTES,
        initial=emergencies.USUAL_MINUTES,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
        help_text=gettext_lazy(
            "After so many it ends by itself. Until then nothing else moves the model by itself."
        ),
    )
    field_order = ("to_version", "reason", "minutes")

    def __init__(self, *args: Any, tracked: TrackedModel, is_open: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        versions = tracked.versions.filter(gone_at=None).exclude(pk=tracked.current_version_id or 0)
        self.fields["to_version"].queryset = versions.order_by("-pk")  # type: ignore[attr-defined]
        if is_open:
            del self.fields["minutes"]


class ReviewForm(django_forms.Form):
    """What somebody who had no part in it thinks of it."""

    note = django_forms.CharField(
        label=gettext_lazy("Note"),
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        error_messages={"required": gettext_lazy("Say what you think of it.")},
        help_text=gettext_lazy(
            "Was it one, was it the right move, what should be otherwise next time? Kept for good."
        ),
    )


class EmergencyStepInline(HistoryInline):
    model = EmergencyStep
    fields = ("kind", "record", "actor_name", "text", "at")
    readonly_fields = fields
    ordering = ("pk",)
    show_change_link = False
    related = ("record__tracked_model", "record__from_version", "record__to_version")
    verbose_name_plural = gettext_lazy("What was done")


@admin.register(Emergency)
class EmergencyAdmin(HistoryAdmin):
    when_empty = gettext_lazy(
        "Nobody has moved a model past tests, canary and approvals. Whoever may does it from the "
        "model's page; it is reviewed here."
    )
    list_display = ("tracked_model", "reason", "declared", "standing")
    list_filter = (("reviewed_at", admin.EmptyFieldListFilter),)
    search_fields = ("tracked_model__name", "reason")
    list_select_related = ("tracked_model__provider",)
    ordering = ("-pk",)
    inlines = (EmergencyStepInline,)
    fields = (
        "tracked_model",
        "reason",
        "declared_at",
        "ends_at",
        "ended_at",
        "reviewed_at",
        "to_do",
    )
    readonly_fields = ("to_do",)

    @admin.display(description=gettext_lazy("declared"), ordering="pk")
    def declared(self, emergency: Emergency) -> SafeString:
        return words.ago(emergency.declared_at, now=clock.now())

    @admin.display(description=gettext_lazy("standing"))
    def standing(self, emergency: Emergency) -> SafeString:
        return standing(emergency, now=clock.now())

    @admin.display(description=gettext_lazy("review"))
    def to_do(self, emergency: Emergency) -> SafeString:
        """Lead to the review while it is to be made."""
        if emergency.reviewed_at is not None or emergency.is_open(clock.now()):
            return standing(emergency, now=clock.now())
        where = reverse("admin:versioning_emergency_review", args=[emergency.pk])
        return format_html('<a class="hs-link" href="{}">{}</a>', where, _("Review it"))

    def get_urls(self) -> list[URLPattern]:
        return [
            self.further_page("<int:emergency_id>/review/", self.review, name="review"),
            *super().get_urls(),
        ]

    def review(self, request: HttpRequest, emergency_id: int) -> HttpResponse:
        """Show what was done, and write down what the person thinks of it."""
        if not request.user.has_perm(REVIEW):
            raise PermissionDenied
        emergency = get_object_or_404(emergencies.with_steps(), pk=emergency_id)
        form = ReviewForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                emergencies.review(
                    emergency_id=emergency_id,
                    note=form.cleaned_data["note"],
                    actor=actor_of(request),
                    now=clock.now(),
                )
            except ServiceError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, _("Your review is kept."))
                return HttpResponseRedirect(
                    reverse("admin:versioning_emergency_change", args=[emergency_id])
                )
        context = {
            **self.admin_site.each_context(request),
            "title": _("Review: %(emergency)s") % {"emergency": emergency},
            "opts": self.opts,
            "belongs_to": emergency,
            "emergency": emergency,
            "form": form,
            "steps": rows(emergency, now=clock.now()),
            "back": reverse("admin:versioning_emergency_change", args=[emergency_id]),
        }
        return TemplateResponse(request, "admin/versioning/emergency/review.html", context)


def standing(emergency: Emergency, *, now: datetime) -> SafeString:
    """Return whether it is open, waits for its review, or has it."""
    if emergency.is_open(now):
        left = _("open until %(moment)s") % {"moment": dates.moment(emergency.ends_at)}
        return words.badge(left, "bad")
    if emergency.reviewed_at is None:
        return words.badge(_("to be reviewed"), "warn")
    return words.badge(_("reviewed"), "good")


def rows(emergency: Emergency, *, now: datetime) -> list[dict[str, Any]]:
    """Return what was done in an emergency, the first first."""
    return [{"step": step, "ago": words.ago(step.at, now=now)} for step in emergency.steps.all()]


def for_inbox(request: HttpRequest, *, now: datetime) -> dict[str, Any]:
    """Return those that are open or wait for a review, the oldest as rows of the inbox."""
    if not request.user.has_perm("versioning.view_emergency"):
        return {}
    unreviewed = teams.visible(emergencies.with_steps().unreviewed(), caller_of(request))
    shown = unreviewed.order_by("pk")[:SHOWN_NEWS]
    rows = [
        {
            "emergency": each,
            "standing": standing(each, now=now),
            "ago": words.ago(each.declared_at, now=now),
            "may_review": request.user.has_perm(REVIEW)
            and emergencies.may_review(each, actor=actor_of(request), now=now),
        }
        for each in shown
    ]
    more = unreviewed.count() - len(rows) if len(rows) == SHOWN_NEWS else 0
    return {"emergencies": rows, "more_emergencies": more}


def move(request: HttpRequest, *, model_admin: Any, tracked_model_id: int) -> HttpResponse:
    """Say what moving at once leaves out, then move once it is confirmed, with a reason."""
    if not request.user.has_perm(MOVE):
        raise PermissionDenied
    tracked = get_object_or_404(
        TrackedModel.objects.select_related("provider", "current_version"), pk=tracked_model_id
    )
    now = clock.now()
    standing_open = Emergency.objects.open().filter(tracked_model=tracked, ends_at__gt=now).first()
    form = EmergencyForm(request.POST or None, tracked=tracked, is_open=standing_open is not None)
    if request.method == "POST" and form.is_valid():
        record = _move(request, form=form, tracked=tracked, now=now)
        if record is not None:
            messages.success(
                request,
                _("%(tracked_name)s is at %(version_label)s now. Everybody is told.")
                % {"tracked_name": tracked.name, "version_label": record.to_version.label},
            )
            page = reverse("admin:versioning_upgraderecord_change", args=[record.pk])
            return HttpResponseRedirect(page)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Emergency: move %(tracked_name)s at once") % {"tracked_name": tracked.name},
        "opts": model_admin.opts,
        "belongs_to": tracked,
        "tracked": tracked,
        "form": form,
        "open_until": dates.moment(standing_open.ends_at) if standing_open else "",
        "back": reverse("admin:versioning_trackedmodel_change", args=[tracked.pk]),
    }
    return TemplateResponse(request, "admin/versioning/trackedmodel/emergency.html", context)


def _move(
    request: HttpRequest, *, form: EmergencyForm, tracked: TrackedModel, now: datetime
) -> UpgradeRecord | None:
    try:
        return emergencies.move(
            tracked=tracked,
            to_version=str(form.cleaned_data["to_version"].pk),
            minutes=form.cleaned_data.get("minutes", emergencies.USUAL_MINUTES),
            reason=form.cleaned_data["reason"],
            actor=actor_of(request),
            now=now,
        )
    except Invalid as error:
        forms.add_errors(form, error, otherwise="reason")
    except ServiceError as error:
        form.add_error(None, _("%(error)s What you wrote is kept.") % {"error": error})
    return None
