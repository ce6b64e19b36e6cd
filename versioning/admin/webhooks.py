"""Webhooks: programs that are told of events, tried with a button, their secret shown once."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms.models import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST

from versioning.admin.base import actor_of
from versioning.admin.subscriptions import SubscriptionPages, kinds_field
from versioning.domain.events import EventKind
from versioning.models import Webhook
from versioning.services import clock, webhooks
from versioning.services.errors import ServiceError

if TYPE_CHECKING:
    _Form = ModelForm[Webhook]
else:
    _Form = ModelForm


class WebhookForm(_Form):
    """What a program is told, and where it is."""

    kinds = kinds_field(EventKind, of=Webhook)

    class Meta:
        model = Webhook
        fields = ("name", "url", "enabled", "kinds", "provider", "owner", "team")


@admin.register(Webhook)
class WebhookAdmin(SubscriptionPages):
    when_empty = gettext_lazy(
        "Add the programs that shall hear of moves, retirements and decisions at once."
    )
    form = WebhookForm
    list_display = ("name", "url", "of", "standing", "made_by")
    search_fields = ("name", "url")
    fields = ("name", "url", "enabled", "kinds", "provider", "owner", "team")

    def get_urls(self) -> list[URLPattern]:
        test, rotate = require_POST(self.test), require_POST(self.rotate)
        return [
            self.further_page("<int:webhook_id>/test/", test, name="test"),
            self.further_page("<int:webhook_id>/rotate/", rotate, name="rotate"),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save it by the service: a new one gets its secret, one switched on its notice closed."""
        fields = {name: form.cleaned_data[name] for name in form.cleaned_data}
        if change:
            webhooks.change(
                name=obj.name,
                changes=fields,
                actor=actor_of(request),
                revision=None,
                now=clock.now(),
            )
            return
        made = webhooks.add(fields=fields, actor=actor_of(request))
        obj.pk, obj.shown_once = made.webhook.pk, made.secret

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add one; where no secret can be kept, say so instead of failing."""
        try:
            return super().add_view(request, form_url, extra_context)
        except ServiceError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(reverse("admin:versioning_webhook_changelist"))

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._shown_once(request, obj, obj.shown_once)

    def test(self, request: HttpRequest, webhook_id: int) -> HttpResponse:
        """Send a message that tells of nothing, and say what came of it."""
        webhook = self._of(request, webhook_id)
        try:
            result = webhooks.test(name=webhook.name, now=clock.now())
        except ServiceError as error:
            messages.error(request, str(error))
        else:
            tone = messages.SUCCESS if result.ok else messages.ERROR
            messages.add_message(request, tone, f"{result.sentence} ({result.ms:,} ms)")
        return self._back(webhook)

    def rotate(self, request: HttpRequest, webhook_id: int) -> HttpResponse:
        """Make another secret, and show it this once."""
        webhook = self._of(request, webhook_id)
        try:
            made = webhooks.rotate(name=webhook.name, actor=actor_of(request), now=clock.now())
        except ServiceError as error:
            messages.error(request, str(error))
            return self._back(webhook)
        return self._shown_once(request, webhook, made.secret)

    def _of(self, request: HttpRequest, webhook_id: int) -> Webhook:
        if not self.has_change_permission(request):
            raise PermissionDenied
        found = self.get_object(request, str(webhook_id))
        if found is None:
            raise PermissionDenied
        return found  # type: ignore[no-any-return]

    def _back(self, webhook: Webhook) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:versioning_webhook_change", args=[webhook.pk]))

    def _shown_once(self, request: HttpRequest, webhook: Webhook, secret: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Secret of %(name)s") % {"name": webhook.name},
            "opts": self.opts,
            "belongs_to": webhook,
            "webhook": webhook,
            "secret": secret,
        }
        page = TemplateResponse(request, "admin/versioning/webhook/secret.html", context)
        page["Cache-Control"] = "no-store"
        return page
