"""What happened, and to whom it has gone: to be read; what has ended can be delivered again."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesCheckboxFilter, RelatedCheckboxFilter

from versioning.admin import event_words, words
from versioning.admin.base import HistoryAdmin, HistoryInline, actor_of, may_set_up, raw
from versioning.models import Delivery, DeliveryAttempt, Event
from versioning.services import clock, mail, outbox
from versioning.services.channels import CHANNELS
from versioning.services.errors import ServiceError


class DeliveryInline(HistoryInline):
    model = Delivery
    fields = ("channel", "to", "state", "attempts", "due_at", "last_error", "ended_at")
    readonly_fields = fields
    ordering = ("pk",)
    show_change_link = False


@admin.register(Event)
class EventAdmin(HistoryAdmin):
    when_empty = gettext_lazy(
        "What happens to models, their upgrades and providers is kept here for 90 days."
    )
    list_display = ("in_words", "kind_words", "tracked_model", "by", "happened")
    list_filter = (
        ("kind", ChoicesCheckboxFilter),
        ("provider", RelatedCheckboxFilter),
    )
    search_fields = ("tracked_model__name", "sentence")
    list_select_related = ("tracked_model__provider",)
    ordering = ("-pk",)
    is_large = True
    inlines = (DeliveryInline,)
    fields = (
        "kind_words",
        "kind",
        "in_words",
        "provider",
        "tracked_model",
        "record",
        "model_version",
        "by",
        "at",
        "version",
        "raw",
    )

    @admin.display(description=gettext_lazy("what it is"), ordering="kind")
    def kind_words(self, event: Event) -> str:
        return event_words.of(event.kind)

    @admin.display(description=gettext_lazy("by"))
    def by(self, event: Event) -> str:
        return event.actor_name

    @admin.display(description=gettext_lazy("when"), ordering="pk")
    def happened(self, event: Event) -> SafeString:
        return words.ago(event.at, now=clock.now())

    @admin.display(description=gettext_lazy("payload"))
    def raw(self, event: Event) -> SafeString:
        return raw(event.payload)


class AttemptInline(HistoryInline):
    model = DeliveryAttempt
    fields = ("began_at", "duration_ms", "status", "error")
    readonly_fields = fields
    ordering = ("-pk",)
    show_change_link = False
    verbose_name_plural = gettext_lazy("attempts, the latest first")


class ChannelFilter(admin.SimpleListFilter):
    """By which way: those that there are, since the ways of a million deliveries take a second."""

    title = gettext_lazy("channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(CHANNELS)]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(channel=self.value()) if self.value() else rows


@admin.register(Delivery)
class DeliveryAdmin(HistoryAdmin):
    when_empty = gettext_lazy(
        "What has to go out, such as a reminder by e-mail, waits here until it has gone."
    )
    list_display = ("event", "channel", "to", "state", "attempts", "last_error", "due")
    list_filter = (("state", ChoicesCheckboxFilter), ChannelFilter)
    search_fields = ("tracked_model__name", "to")
    list_select_related = ("event", "tracked_model__provider")
    ordering = ("-pk",)
    is_large = True
    inlines = (AttemptInline,)
    actions = ("try_anew",)

    @admin.display(description=gettext_lazy("due"))
    def due(self, delivery: Delivery) -> SafeString | None:
        if delivery.state != Delivery.State.PENDING:
            return None
        return words.ago(delivery.due_at, now=clock.now())

    def get_urls(self) -> list[URLPattern]:
        test = require_POST(self.test_mail)
        return [self.further_page("test-mail/", test, name="test_mail"), *super().get_urls()]

    def test_mail(self, request: HttpRequest) -> HttpResponse:
        """Send a mail that tells of nothing to whoever asks, and say what came of it."""
        if not may_set_up(request, "versioning.view_delivery"):
            raise PermissionDenied
        to = getattr(request.user, "email", "")
        try:
            if not to:
                raise ServiceError(_("Your user has no e-mail address: add it under Users."))
            messages.success(request, mail.send_test(to=to))
        except ServiceError as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(reverse("admin:versioning_delivery_changelist"))

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        return found if may_set_up(request, "versioning.view_delivery") else {}

    @admin.action(description=gettext_lazy("Deliver again what was given up or taken"))
    def try_anew(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        tried = 0
        for delivery in chosen.order_by("pk"):
            try:
                outbox.try_anew(delivery_id=delivery.pk, actor=actor_of(request), now=clock.now())
            except ServiceError as error:
                messages.warning(request, f"{delivery}: {error}")
            else:
                tried += 1
        if tried:
            messages.success(
                request, _("%(tried)s will be delivered again within a minute.") % {"tried": tried}
            )
