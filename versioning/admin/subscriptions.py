"""What the pages of webhooks and of recipients share: who is told of events, and of which."""

from collections.abc import Iterable

from django import forms as django_forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from versioning.admin import event_words, words
from versioning.admin.base import Admin, SetUpPages, WithPast, may_set_up
from versioning.domain.events import EventKind
from versioning.models.subscriptions import Subscription


def kinds_field(kinds: Iterable[EventKind], *, of: type[Subscription]) -> django_forms.Field:
    """Return a field that offers the kinds of events to choose from."""
    offered = list(kinds)
    return django_forms.MultipleChoiceField(
        label=gettext_lazy("Kinds of events"),
        choices=lambda: event_words.choices(offered),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=of._meta.get_field("kinds").help_text,
    )


class SubscriptionPages(SetUpPages, Admin, WithPast):
    list_select_related = ("provider",)
    ordering = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str]:
        return ("name",) if obj else ()  # type: ignore[return-value]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What was sent stays in the deliveries; the row's history stays, too."""
        return may_set_up(request, f"versioning.delete_{self.opts.model_name}", obj)

    @admin.display(description=gettext_lazy("is told of"))
    def of(self, taker: Subscription) -> str:
        count = ngettext("%(n)s kind", "%(n)s kinds", len(taker.kinds)) % {"n": len(taker.kinds)}
        kinds = count if taker.kinds else gettext("all")
        parts = [kinds, str(taker.provider or ""), taker.owner]
        return ", ".join(part for part in parts if part)

    @admin.display(description=gettext_lazy("standing"), ordering="enabled")
    def standing(self, taker: Subscription) -> SafeString:
        if taker.enabled:
            return words.badge(gettext("on"), "good")
        failed = gettext("switched off: it failed")
        return words.badge(failed if taker.off_reason else gettext("off"), "warn")
