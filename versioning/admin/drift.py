"""Versions that behave otherwise although their name did not change."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import ChoicesCheckboxFilter

from versioning.admin import words
from versioning.admin.base import HistoryAdmin
from versioning.models import DriftFinding
from versioning.services import clock
from versioning.services.evidence import drift


@admin.register(DriftFinding)
class DriftFindingAdmin(HistoryAdmin):
    """In the inbox until somebody resolves it, or the version is no longer in use."""

    when_empty = gettext_lazy(
        "A version that changed behind its name appears here. "
        "It takes three weeks with ten samples a day."
    )
    list_display = ("in_words", "version", "measure", "began_on", "found", "standing")
    list_filter = (
        ("measure", ChoicesCheckboxFilter),
        ("resolved_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("sentence", "version__tracked_model__name")
    list_select_related = ("version__tracked_model",)
    ordering = ("-found_at", "-pk")
    actions = ("resolve_selected",)

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("versioning.change_driftfinding")

    @admin.action(
        description=gettext_lazy("Resolve: somebody has dealt with it"), permissions=["resolve"]
    )
    def resolve_selected(self, request: HttpRequest, chosen: QuerySet[DriftFinding]) -> None:
        now = clock.now()
        open_ones = list(chosen.filter(resolved_at=None).values_list("pk", flat=True))
        for finding_id in open_ones:
            drift.resolve(finding_id=finding_id, now=now)
        count = len(open_ones)
        messages.success(
            request,
            ngettext("%(count)s finding resolved.", "%(count)s findings resolved.", count)
            % {"count": count},
        )

    @admin.display(description=gettext_lazy("found"), ordering="found_at")
    def found(self, finding: DriftFinding) -> SafeString:
        return words.ago(finding.found_at, now=clock.now())

    @admin.display(description=gettext_lazy("standing"), ordering="resolved_at")
    def standing(self, finding: DriftFinding) -> SafeString:
        return words.badge(_("resolved")) if finding.resolved_at else words.badge(_("open"), "warn")
