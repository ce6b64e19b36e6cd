"""Recipients: people who are told of events, tried with a button; their address is never shown."""

from typing import TYPE_CHECKING, Any

from django import forms as django_forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms.models import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
)

from versioning.admin.base import actor_of
from versioning.admin.subscriptions import SubscriptionPages, kinds_field
from versioning.domain.events import EventKind
from versioning.models import Recipient
from versioning.services import clock, recipients
from versioning.services.errors import ServiceError

if TYPE_CHECKING:
    _Form = ModelForm[Recipient]
else:
    _Form = ModelForm


class RecipientForm(_Form):
    """Whom to tell, by which way, of what, and when not."""

    url = django_forms.CharField(
        label=gettext_lazy("Address"),
        max_length=1000,
        required=False,
        strip=True,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy(
            "An apprise address, such as slack://… or ntfys://…. It is kept encrypted and never "
            "shown again; leave it empty to keep the one there is."
        ),
    )
    kinds = kinds_field((kind for kind in EventKind if kind is not EventKind.DIGEST), of=Recipient)

    class Meta:
        model = Recipient
        fields = (
            "name",
            "enabled",
            "email",
            "url_env",
            "kinds",
            "provider",
            "owner",
            "team",
            "quiet_from",
            "quiet_until",
            "time_zone",
            "daily_digest",
            "weekly_digest",
        )

    def clean(self) -> dict[str, Any]:
        """Take one way, and turn an address into what is kept of it."""
        cleaned: dict[str, Any] = super().clean() or {}
        url = cleaned.pop("url", "")
        others = [bool(cleaned.get("email")), bool(cleaned.get("url_env"))]
        keeps = not url and not any(others) and bool(self.instance.kept_url)
        if sum([bool(url) or keeps, *others]) != 1:
            raise ValidationError(
                gettext_lazy("Tell them by one way: e-mail, variable or address.")
            )
        try:
            self.kept = {} if keeps else recipients.kept({"url": url})
        except ServiceError as error:
            raise ValidationError({"url": str(error)}) from error
        return cleaned


@admin.register(Recipient)
class RecipientAdmin(SubscriptionPages):
    when_empty = gettext_lazy(
        "Add the people who shall hear of what waits, moves, fails and retires: by e-mail, in a "
        "chat, or by a pager."
    )
    form = RecipientForm
    list_display = ("name", "by", "of", "quiet", "standing", "made_by")
    search_fields = ("name", "email", "url_env")
    fieldsets = (
        (None, {"fields": ("name", "enabled", ("email", "url_env"), "url")}),
        (gettext_lazy("What they hear of"), {"fields": ("kinds", ("provider", "owner"), "team")}),
        (
            gettext_lazy("When"),
            {
                "fields": (
                    ("quiet_from", "quiet_until"),
                    "time_zone",
                    ("daily_digest", "weekly_digest"),
                )
            },
        ),
    )

    @admin.display(description=gettext_lazy("by"))
    def by(self, recipient: Recipient) -> str:
        return recipient.email or recipient.url_env or recipient.way

    @admin.display(description=gettext_lazy("quiet"))
    def quiet(self, recipient: Recipient) -> str | None:
        if recipient.quiet_from is None or recipient.quiet_until is None:
            return None
        return f"{recipient.quiet_from:%H:%M}–{recipient.quiet_until:%H:%M}"

    def get_urls(self) -> list[URLPattern]:
        test = require_POST(self.test)
        return [
            self.further_page("<int:recipient_id>/test/", test, name="test"),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save it by the service; of a new address only what is kept of it."""
        fields = {name: form.cleaned_data[name] for name in form.cleaned_data} | form.kept
        if change:
            recipients.change(
                name=obj.name,
                changes=fields,
                actor=actor_of(request),
                revision=None,
                now=clock.now(),
            )
            return
        obj.pk = recipients.add(fields=fields, actor=actor_of(request)).pk

    def test(self, request: HttpRequest, recipient_id: int) -> HttpResponse:
        """Send a notice that tells of nothing, and say what came of it."""
        found = self.get_object(request, str(recipient_id))
        if not self.has_change_permission(request) or found is None:
            raise PermissionDenied
        result = recipients.test(name=found.name)
        tone = messages.SUCCESS if result.ok else messages.ERROR
        messages.add_message(request, tone, result.sentence)
        where = reverse("admin:versioning_recipient_change", args=[found.pk])
        return HttpResponseRedirect(where)
