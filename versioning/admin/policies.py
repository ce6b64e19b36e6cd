"""What may go by itself, when nothing may, and the switch over all of it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, Field, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RelatedCheckboxFilter

from versioning.admin import forms, policy_lines, words
from versioning.admin.base import Admin, HistoryAdmin, SetUpPages, WithPast, actor_of, may_set_up
from versioning.admin.policy_form import FIELDS, PolicyForm
from versioning.domain.figures import LIMITS
from versioning.domain.presets import PRESETS
from versioning.models import AutomationSwitch, Freeze, Notice, Policy
from versioning.services import clock, notices
from versioning.services.errors import Invalid, ServiceError
from versioning.services.upgrades import policies


@admin.register(Policy)
class PolicyAdmin(SetUpPages, Admin, WithPast):
    """Thresholds and freedom to act; what stays empty is taken from the level above."""

    when_empty = gettext_lazy(
        "Built in, nothing goes by itself unless a client asks for auto_upgrade. "
        "A policy changes that."
    )
    form = PolicyForm
    list_display = ("for_whom", "automation_shown", "improvement", "approvals_needed", "course")
    list_filter = ("automation", ("provider", RelatedCheckboxFilter))
    search_fields = ("provider__slug", "tracked_model__name")
    search_help_text = gettext_lazy("A provider or a model; the general policy has neither.")
    list_select_related = ("provider", "tracked_model__provider")
    ordering = ("tracked_model", "provider", "pk")
    autocomplete_fields = ("tracked_model", "fallback_version")
    fieldsets = (
        (
            gettext_lazy("For whom"),
            {
                "description": gettext_lazy(
                    "A model's own policy comes before its provider's, and that "
                    "before the general one. Leave empty what the level above decides."
                ),
                "fields": ("provider", "tracked_model"),
            },
        ),
        (
            gettext_lazy("What may go by itself"),
            {
                "fields": (
                    "automation",
                    "steps_allowed",
                    "minimum_age_days",
                    "near_retirement_days",
                    "max_at_once",
                    "max_per_day",
                    "windows",
                    "time_zone",
                )
            },
        ),
        (
            gettext_lazy("What the evidence must show"),
            {
                "fields": (
                    "minimum_improvement",
                    *(limit.setting for limit in LIMITS),
                    "unsure_limits_pass",
                )
            },
        ),
        (
            gettext_lazy("Who approves, and the course"),
            {
                "fields": (
                    "approvals_needed",
                    "requester_may_approve",
                    "required_suites",
                    "unsure_tests",
                    "tests_alone",
                    "canary_steps",
                    "canary_asks",
                )
            },
        ),
        (
            gettext_lazy("After the move"),
            {
                "fields": (
                    "watch_days",
                    "rollback_by_itself",
                    "fallback_version",
                    "approval_days",
                    "buffer_days",
                )
            },
        ),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Without its policy, a model takes what the level above says; its history stays."""
        return may_set_up(request, "versioning.delete_policy", obj)

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Show fields as people write them, and what is left to the level above as empty."""
        if db_field.name in FIELDS:
            return FIELDS[db_field.name](label=capfirst(str(db_field.verbose_name)))
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(db_field, BooleanField) and field is not None:
            choices = [("unknown", _("as set above")), ("true", _("yes")), ("false", _("no"))]
            field.widget.choices = choices
        return field

    def get_urls(self) -> list[URLPattern]:
        preview = require_POST(self.preview)
        return [
            self.further_page("preview/", preview, name="preview"),
            self.further_page("<int:policy_id>/preview/", preview, name="preview_of"),
            *super().get_urls(),
        ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill a new policy in: ``?preset=careful``, ``?tracked_model=3``."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        preset = PRESETS.get(str(initial.pop("preset", "")))
        return {**(preset.settings if preset else {}), **initial}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        form = context["adminform"].form
        row = context.get("original")
        context.update(
            {
                "presets": PRESETS.values() if form.fields else (),
                "preview": reverse("admin:versioning_policy_preview_of", args=[row.pk])
                if row
                else reverse("admin:versioning_policy_preview"),
                **_in_words(form),
            }
        )
        return super().render_change_form(request, context, *args, **kwargs)

    def preview(self, request: HttpRequest, policy_id: int | None = None) -> HttpResponse:
        """Say in words what the policy would mean as the form stands; nothing is stored."""
        row = None if policy_id is None else get_object_or_404(Policy, pk=policy_id)
        may = self.has_change_permission(request, row) if row else self.has_add_permission(request)
        if not may:
            raise PermissionDenied
        form = self.get_form(request, row, change=row is not None)(request.POST, instance=row)
        return TemplateResponse(request, "admin/versioning/policy/words.html", _in_words(form))

    @admin.display(description=gettext_lazy("policy of"))
    def for_whom(self, policy: Policy) -> str:
        return str(policy.tracked_model or policy.provider or "everything")

    @admin.display(description=gettext_lazy("goes by itself"), ordering="automation")
    def automation_shown(self, policy: Policy) -> str | None:
        return policy.get_automation_display() or None

    @admin.display(description=gettext_lazy("least improvement"), ordering="minimum_improvement")
    def improvement(self, policy: Policy) -> str | None:
        least = policy.minimum_improvement
        return None if least is None else words.percent(least)

    @admin.display(description=gettext_lazy("tests and canary"))
    def course(self, policy: Policy) -> str | None:
        suites = [str(name) for name in policy.required_suites or ()]
        stops = len(policy.canary_steps or ())
        canary = (
            [
                ngettext("canary of %(stops)s step", "canary of %(stops)s steps", stops)
                % {"stops": stops}
            ]
            if stops
            else []
        )
        return ", ".join(suites + canary) or None


def _in_words(form: Any) -> dict[str, Any]:
    """Return what a form's policy would mean, and which of its fields can't be read yet."""
    row, unread = policy_lines.typed(form)
    return {"lines": policy_lines.lines(policies.resolve_row(row=row), of=row), "unread": unread}


@admin.register(Freeze)
class FreezeAdmin(SetUpPages, Admin, WithPast):
    """Times in which nothing goes by itself."""

    when_empty = gettext_lazy("In a freeze nothing moves by itself; people still may decide.")
    list_display = ("name", "scope", "starts_at", "ends_at", "standing", "made_by")
    list_filter = (("provider", RelatedCheckboxFilter),)
    search_fields = ("name", "provider__slug")
    list_select_related = ("provider",)
    ordering = ("-ends_at", "-pk")
    fields = ("name", "provider", "starts_at", "ends_at")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A freeze is a wish for a time; its history stays."""
        return may_set_up(request, "versioning.delete_freeze", obj)

    @admin.display(description=gettext_lazy("of"), ordering="provider__slug")
    def scope(self, freeze: Freeze) -> str:
        return str(freeze.provider or "everything")

    @admin.display(description=gettext_lazy("standing"))
    def standing(self, freeze: Freeze) -> SafeString:
        now = clock.now()
        if freeze.ends_at <= now:
            return words.badge(_("over"))
        return (
            words.badge(_("holds"), "warn")
            if freeze.starts_at <= now
            else words.badge(_("to come"))
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.made_by = actor_of(request).name
        super().save_model(request, obj, form, change)


@admin.register(AutomationSwitch)
class AutomationSwitchAdmin(HistoryAdmin):
    """The kill switch: one page, one button."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        switch = AutomationSwitch.objects.first()
        form = forms.SwitchForm(request.POST or None)
        if request.method == "POST":
            if not may_set_up(request, "versioning.change_automationswitch"):
                raise PermissionDenied
            if form.is_valid() and self._switch(request, form):
                return HttpResponseRedirect(reverse("admin:versioning_automationswitch_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Automation"),
            "opts": self.opts,
            "switch": switch,
            "is_on": switch is None or switch.on,
            "changed": words.ago(switch.changed_at, now=clock.now()) if switch else "",
            "form": form,
        }
        return TemplateResponse(request, "admin/versioning/automationswitch/page.html", context)

    def _switch(self, request: HttpRequest, form: forms.SwitchForm) -> bool:
        try:
            switch = policies.switch_automation(
                on=request.POST.get("on") == "yes",
                reason=form.cleaned_data["reason"],
                actor=actor_of(request),
                now=clock.now(),
            )
        except Invalid as error:
            forms.add_errors(form, error, otherwise="reason")
            return False
        said = (
            _("Automation is on again.") if switch.on else _("Nothing moves by itself from now on.")
        )
        messages.success(request, said)
        return True


@admin.register(Notice)
class NoticeAdmin(HistoryAdmin):
    """What people must know of upgrades on their course, and of faults."""

    when_empty = gettext_lazy("What stopped, waits for a person or got worse is told here.")
    list_display = ("in_words", "kind", "about", "times", "raised", "standing")
    list_filter = (("kind", ChoicesCheckboxFilter), ("resolved_at", admin.EmptyFieldListFilter))
    search_fields = ("sentence", "subject", "record__tracked_model__name")
    list_select_related = (
        "record__tracked_model__provider",
        "record__from_version",
        "record__to_version",
    )
    ordering = ("-raised_at", "-pk")
    is_large = True
    actions = ("resolve_selected",)

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("versioning.change_notice")

    @admin.action(
        description=gettext_lazy("Resolve: somebody has dealt with it"), permissions=["resolve"]
    )
    def resolve_selected(self, request: HttpRequest, chosen: QuerySet[Notice]) -> None:
        """Close each by itself; what is closed already is told."""
        now, done = clock.now(), 0
        for notice_id in chosen.order_by("pk").values_list("pk", flat=True):
            try:
                notices.resolve_one(notice_id=notice_id, actor=actor_of(request), now=now)
            except ServiceError as error:
                messages.warning(request, str(error))
            else:
                done += 1
        if done:
            messages.success(
                request,
                ngettext("%(done)s notice resolved.", "%(done)s notices resolved.", done)
                % {"done": done},
            )

    @admin.display(description=gettext_lazy("about"), ordering="record")
    def about(self, notice: Notice) -> str:
        return str(notice.record or notice.subject)

    @admin.display(description=gettext_lazy("raised"), ordering="raised_at")
    def raised(self, notice: Notice) -> SafeString:
        return words.ago(notice.raised_at, now=clock.now())

    @admin.display(description=gettext_lazy("standing"), ordering="resolved_at")
    def standing(self, notice: Notice) -> SafeString:
        if notice.resolved_at is None:
            return words.badge(_("open"), "warn")
        return words.badge(_("resolved by %(itself)s") % {"itself": notice.resolved_by or "itself"})
