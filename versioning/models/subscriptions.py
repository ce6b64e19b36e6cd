"""Who is told of events: what goes to whom, and by which way."""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from providers.models import Provider
from versioning.domain.events import EventKind
from versioning.models.events import Event


def check_kinds(value: Any) -> None:
    """Raise ValidationError unless the value lists kinds of events."""
    known = {kind.value for kind in EventKind}
    unknown = [each for each in value if each not in known] if isinstance(value, list) else [value]
    if unknown:
        raise ValidationError(f"There is no kind of event {unknown[0]!r}.", code="unknown_kind")


def check_address(value: str) -> None:
    """Raise ValidationError unless the value is an http address without a password in it."""
    try:
        parts = urlsplit(value)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one or not value.isprintable() or " " in value:
        raise ValidationError("Write an address such as https://example.com/hooks.", code="address")
    if parts.username or parts.password or parts.fragment:
        raise ValidationError("No password and no # in the address.", code="address")


class Subscription(models.Model):
    """What of the news one taker wants."""

    name = models.SlugField(
        unique=True,
        help_text=_("Short and lasting, such as deploy-bot: deliveries are told by it."),
    )
    kinds = models.JSONField(
        _("kinds of events"),
        default=list,
        blank=True,
        validators=[check_kinds],
        help_text=_("Leave it empty for all, those that come later included."),
    )
    provider = models.ForeignKey(
        Provider,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Leave it empty for all providers."),
    )
    owner = models.EmailField(
        blank=True,
        help_text=_("Only of models with this owner. Leave it empty for all models."),
    )
    enabled = models.BooleanField(
        default=True, help_text=_("What happens while it is off is never told to it.")
    )
    off_reason = models.CharField(
        max_length=300,
        blank=True,
        editable=False,
        help_text=_("Why Hotswap switched it off."),
    )
    made_by = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def wants(self, event: Event) -> bool:
        """Say whether an event is one of those that it takes."""
        model = event.tracked_model
        return (
            self.enabled
            and (not self.kinds or event.kind in self.kinds)
            and (self.provider_id is None or self.provider_id == model.provider_id)
            and (not self.owner or self.owner == model.owner)
        )


class Webhook(Subscription):
    """A program that is told over HTTP, by the rules of Standard Webhooks 1.0.

    The secrets sign what is sent. They are encrypted (``services.vault``), and shown once.
    """

    url = models.CharField(
        _("address"),
        max_length=500,
        validators=[check_address],
        help_text=_("Where events are sent. It is shown to staff: put no secret into it."),
    )
    secret = models.TextField(editable=False)
    former_secret = models.TextField(blank=True, editable=False)
    former_until = models.DateTimeField(
        null=True,
        editable=False,
        help_text=_("Until then the former secret signs, too."),
    )

    history = HistoricalRecords(excluded_fields=["secret", "former_secret"])

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(former_secret="", former_until=None)
                | (~Q(former_secret="") & Q(former_until__isnull=False)),
                name="a_former_secret_has_its_end",
            ),
        ]
