"""Upgrade records: the list, the decision sheet, and "why this one?"."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RelatedCheckboxFilter

from versioning.admin import (
    advice,
    audit_trail,
    decision_sheet,
    discussion,
    fragments,
    held_back,
    inbox_under_way,
    layers,
    legs,
    manual_move,
    own_inbox,
    progress,
    saved_filters,
    words,
)
from versioning.admin.base import HistoryAdmin, WithPanel
from versioning.admin.decision_page import decide
from versioning.admin.decisions import CHOICES, Choice, may_make, open_to
from versioning.domain.evidence import read
from versioning.domain.lineage import UnreadableName
from versioning.domain.transitions import State
from versioning.models import ModelVersion, UpgradeRecord, Watch
from versioning.services import clock
from versioning.services.errors import NothingToRollBack, ServiceError
from versioning.services.evidence import price_change
from versioning.services.upgrades import briefing, recommendation, rolling_back


class CourseFilter(admin.SimpleListFilter):
    """Which upgrades need an eye."""

    title = gettext_lazy("course")
    parameter_name = "course"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("waiting", _("waits for a decision")),
            ("maybe", _("maybe a successor")),
            ("under_way", _("under way")),
            ("watched", _("being watched")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "waiting":
            return queryset.waiting().sure()
        if self.value() == "maybe":
            return queryset.waiting().filter(step=UpgradeRecord.Step.MAYBE)
        if self.value() == "under_way":
            return queryset.under_way()
        if self.value() == "watched":
            return queryset.filter(watch__in=Watch.objects.open(), state="completed")
        return queryset


@admin.register(UpgradeRecord)
class UpgradeRecordAdmin(WithPanel, HistoryAdmin):
    when_empty = gettext_lazy(
        "Track a model: checks then recommend its successors, and they wait here."
    )
    list_display = ("move", "state_badge", "step", "evidence_shown", "gain", "urgency", "changed")
    list_filter = (
        CourseFilter,
        ("state", ChoicesCheckboxFilter),
        ("step", ChoicesCheckboxFilter),
        ("origin", ChoicesCheckboxFilter),
        ("tracked_model__provider", RelatedCheckboxFilter),
    )
    search_fields = (
        "tracked_model__name",
        "tracked_model__provider__slug",
        "to_version__upstream_id",
        "to_version__label",
    )
    search_help_text = gettext_lazy("A model, a provider, an upstream id or a version's label.")
    list_select_related = ("tracked_model__provider", "from_version", "to_version")
    ordering = ("-changed_at", "-pk")
    is_large = True
    actions = ("approve_selected", "reject_selected", "snooze_selected", "roll_back_selected")
    fieldsets = (
        (
            gettext_lazy("Details"),
            {
                "fields": (
                    "origin",
                    "sureness",
                    "evidence_at",
                    "evidence_hash",
                    "recommended_at",
                    "completed_at",
                    "completion_number",
                )
            },
        ),
    )

    @admin.display(description=gettext_lazy("how sure it follows"))
    def sureness(self, record: UpgradeRecord) -> SafeString | None:
        return words.confidence(record) or None

    @admin.display(description=gettext_lazy("upgrade"), ordering="tracked_model__name")
    def move(self, record: UpgradeRecord) -> SafeString:
        return format_html(
            '<span class="hs-move"><strong>{}</strong> {}</span>',
            record.tracked_model.name,
            words.labels(record),
        )

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_badge(self, record: UpgradeRecord) -> SafeString:
        return words.state(record)

    @admin.display(description=gettext_lazy("evidence says"))
    def evidence_shown(self, record: UpgradeRecord) -> SafeString | None:
        return words.decision(read(record.evidence)) if record.evidence else None

    @admin.display(description=gettext_lazy("quality"))
    def gain(self, record: UpgradeRecord) -> str | None:
        improvement = read(record.evidence).improvement
        return None if improvement is None else words.percent(improvement)

    @admin.display(description=gettext_lazy("urgent"), ordering="urgent_on")
    def urgency(self, record: UpgradeRecord) -> SafeString | None:
        if record.urgent_on is None or not record.is_waiting:
            return None
        now = clock.now()
        tone = "bad" if words.is_urgent(record.urgent_on, now=now) else "warn"
        left = words.until_day(record.urgent_on, now=now)
        return words.badge(
            _("retires %(left)s") % {"left": left}, tone, title=words.day(record.urgent_on)
        )

    @admin.display(description=gettext_lazy("changed"), ordering="changed_at")
    def changed(self, record: UpgradeRecord) -> SafeString:
        return words.ago(record.changed_at, now=clock.now())

    def get_actions(self, request: HttpRequest) -> Any:
        """Offer the decisions that this person may make."""
        allowed = {
            f"{name}_selected"
            for name, choice in CHOICES.items()
            if may_make(request=request, choice=choice)
        }
        found = super().get_actions(request)
        return {name: found[name] for name in found if name in allowed}

    @admin.action(description=gettext_lazy("Approve…"))
    def approve_selected(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse:
        return self._decide_selected(request, chosen, "approve")

    @admin.action(description=gettext_lazy("Reject…"))
    def reject_selected(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse:
        return self._decide_selected(request, chosen, "reject")

    @admin.action(description=gettext_lazy("Snooze…"))
    def snooze_selected(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse:
        return self._decide_selected(request, chosen, "snooze")

    @admin.action(description=gettext_lazy("Roll back…"))
    def roll_back_selected(self, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse:
        return self._decide_selected(request, chosen, "roll_back")

    def _decide_selected(
        self, request: HttpRequest, chosen: QuerySet[Any], name: str
    ) -> HttpResponse:
        return decide(
            request=request,
            model_admin=self,
            choice=CHOICES[name],
            records=_with_all(chosen.order_by("pk")),
            action=f"{name}_selected",
        )

    def get_urls(self) -> list[URLPattern]:
        pages: list[tuple[str, Callable[..., HttpResponse]]] = [
            (name, partial(self.decide_one, choice=choice)) for name, choice in CHOICES.items()
        ]
        pages.append(("why", self.why))
        return [
            self.further_page("under-way/", require_GET(inbox_under_way.piece), name="under_way"),
            self.further_page("<int:record_id>/live/", require_GET(self.live), name="live"),
            self.further_page(
                "<int:record_id>/evidence/", require_GET(layers.page), name="evidence"
            ),
            self.further_page(
                "<int:record_id>/audit-trail/", require_GET(audit_trail.page), name="audit_trail"
            ),
            self.further_page("<int:record_id>/say/", require_POST(discussion.comment), name="say"),
            self.further_page(
                "<int:record_id>/comments/<int:comment_id>/withdraw/",
                require_POST(discussion.withdraw),
                name="withdraw",
            ),
            self.further_page(
                "<int:record_id>/comments/<int:comment_id>/override/",
                require_POST(discussion.override),
                name="override",
            ),
            self.further_page("held/", require_GET(held_back.page), name="held"),
            self.further_page("inbox/keep/", require_POST(own_inbox.keep), name="keep"),
            self.further_page("inbox/seen/", require_POST(own_inbox.mark_seen), name="seen"),
            self.further_page("filters/", require_POST(saved_filters.save), name="save_filter"),
            self.further_page(
                "filters/delete/",
                require_POST(saved_filters.forget),
                name="forget_filter",
            ),
            *(
                self.further_page(f"<int:record_id>/{name.replace('_', '-')}/", view, name=name)
                for name, view in pages
            ),
            *super().get_urls(),
        ]

    def decide_one(self, request: HttpRequest, record_id: int, *, choice: Choice) -> HttpResponse:
        records = _with_all(UpgradeRecord.objects.filter(pk=record_id))
        if not records:
            return self._no_such_record(request, record_id)
        return decide(request=request, model_admin=self, choice=choice, records=records)

    def live(self, request: HttpRequest, record_id: int) -> HttpResponse:
        """Return where a canary is, as a piece of its page; 304 where it is as it was."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        record = get_object_or_404(UpgradeRecord.objects.with_versions(), pk=record_id)
        context = {
            "record": record,
            "was": request.GET.get("was", ""),
            "progress": progress.of(record=record, now=clock.now()),
        }
        return fragments.answer(request, "admin/versioning/upgraderecord/canary.html", context)

    def why(self, request: HttpRequest, record_id: int) -> HttpResponse:
        """Show what lineage considered then, and what it would answer now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        record = UpgradeRecord.objects.with_versions().filter(pk=record_id).first()
        if record is None:
            return self._no_such_record(request, record_id)
        answer, problem = None, ""
        try:
            answer = recommendation.explain(tracked_model_id=record.tracked_model_id)
        except (ServiceError, UnreadableName) as error:
            problem = str(error)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Why %(to_version_label)s?") % {"to_version_label": record.to_version.label},
            "opts": self.opts,
            "belongs_to": record,
            "record": record,
            "confidence": words.confidence(record),
            "answer": answer,
            "problem": problem,
            "rules": record.tracked_model.lineage_rules.order_by("pk"),
        }
        return TemplateResponse(request, "admin/versioning/upgraderecord/why.html", context)

    def panel_of(self, row: UpgradeRecord, request: HttpRequest) -> dict[str, Any]:
        return _page_of(row, request)

    def _no_such_record(self, request: HttpRequest, record_id: int) -> HttpResponse:
        messages.error(
            request, _("There is no upgrade record %(record_id)s.") % {"record_id": record_id}
        )
        return HttpResponseRedirect(reverse("admin:versioning_upgraderecord_changelist"))


def _with_all(records: QuerySet[UpgradeRecord]) -> Sequence[UpgradeRecord]:
    return list(
        records.select_related(
            "tracked_model__provider",
            "tracked_model__current_version",
            "from_version__tracked_model",
            "to_version",
            "canary",
        )
    )


def _page_of(record: UpgradeRecord, request: HttpRequest) -> dict[str, Any]:
    now = clock.now()
    before: ModelVersion | None = record.from_version
    decisions = open_to(request=request, record=record)
    if not _is_latest_move(record):
        decisions = [each for each in decisions if each.name != "roll_back"]
    said = discussion.rows(record, now=now)
    brief = briefing.of_approvals(records=[record], now=now)[0] if record.is_waiting else None
    gathers_evidence = brief is not None and not brief.at_once
    evidence = read(record.evidence)
    sheet = decision_sheet.of_evidence(evidence)
    return {
        "record": record,
        "question": words.question(record),
        "proof": words.proof(record),
        "sheet": sheet,
        # Of one that waits, the question says so, and the evidence may speak against it.
        "state": "" if record.is_waiting else words.state(record),
        "confidence": words.confidence(record),
        "measured": layers.measured(record.evidence_at, evidence, now=now),
        "legs": legs.of_sheet(sheet),
        **layers.of_record(record, now=now),
        "retires": _retires(record, request),
        "snoozed_until": words.ago(record.snoozed_until, now=now) if record.snoozed_until else "",
        "decisions": advice.buttons(
            [each for each in decisions if each.of_canary is None],
            record,
            gathers_evidence=gathers_evidence,
        ),
        "gather": advice.ways_to_evidence(record, request, gathers_evidence=gathers_evidence),
        "canary_decisions": [each for each in decisions if each.of_canary is not None],
        "brief": brief,
        "move_after_all": record.state in manual_move.AGAINST
        and record.to_version_id != record.tracked_model.current_version_id
        and manual_move.may_move(request),
        "was": "approved" if record.state == State.APPROVED else "",
        "progress": progress.of(record=record, now=now),
        "facts": decision_sheet.side_by_side(before, record.to_version) if before else [],
        "month": decision_sheet.of_prices(
            price_change.of_last_month(from_version=before, to_version=record.to_version, now=now)
        )
        if before and record.is_waiting
        else None,
        **discussion.context(request, record, said, now=now),
        "happened": _happened(record, said, now=now),
        "reversed_by": UpgradeRecord.objects.filter(reverses=record).first(),
    }


def _happened(
    record: UpgradeRecord, said: Sequence[discussion.CommentRow], *, now: datetime
) -> list[Any]:
    """Return the steps of a record and what was said of it, the newest first."""
    steps: list[dict[str, Any]] = [
        {
            "step": step,
            "at": step.at,
            "evidence": decision_sheet.of_evidence(read(step.evidence)),
            "ago": words.ago(step.at, now=now),
            "tone": words.STATE_TONES[step.after],
        }
        for step in record.steps.order_by("at", "pk")
    ]
    comments: list[dict[str, Any]] = [
        {"comment": row.comment, "at": row.at, "ago": row.ago, "tone": row.tone} for row in said
    ]
    return sorted([*steps, *comments], key=lambda each: each["at"])[::-1]


def _retires(record: UpgradeRecord, request: HttpRequest) -> str:
    version = record.from_version
    if version is None or version.retires_on is None or not record.is_waiting:
        return ""
    return words.retirement(version, now=clock.now())


def _is_latest_move(record: UpgradeRecord) -> bool:
    try:
        latest = rolling_back.move_to_reverse(tracked_model_id=record.tracked_model_id)
    except NothingToRollBack:
        return False
    return latest.pk == record.pk
