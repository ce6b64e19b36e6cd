"""Who is told of events: what goes to whom, and by which way."""

import re
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from providers.models import Provider
from providers.variables import NOTICE
from versioning.domain.events import CONCERN_ALL, EventKind
from versioning.models.catalogue import TrackedModel
from versioning.models.events import Event
from versioning.models.teams import Team


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


def check_way(value: str) -> None:
    """Raise ValidationError unless the value looks like an address that apprise takes."""
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://\S+", value) or not value.isprintable():
        raise ValidationError("Write an address such as slack://… or ntfys://….", code="address")


def check_way_variable(value: str) -> None:
    """Raise ValidationError unless the value names a variable that is meant for this."""
    if not NOTICE.fullmatch(value):
        raise ValidationError("Name a variable that begins with NOTIFY_.", code="variable_name")


def check_zone(value: str) -> None:
    """Raise ValidationError unless the value is a time zone."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValidationError(
            "Write a time zone such as Europe/Prague.", code="time_zone"
        ) from error


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
        help_text=_("Only of models with this owner and of their providers. Empty: of all."),
    )
    team = models.ForeignKey(
        Team,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Models of a closed team are told of to its own alone. Empty: to none."),
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
        if not self.enabled or event.kind == EventKind.DIGEST:
            return False
        if self.kinds and event.kind not in self.kinds:
            return False
        if event.kind in CONCERN_ALL:
            return True
        if self.provider_id is not None and self.provider_id != event.provider_id:
            return False
        if self._is_closed(event):
            return False
        return not self.owner or self._owns(event)

    def _is_closed(self, event: Event) -> bool:
        """Say whether it is about a model that only another team may see."""
        team = event.tracked_model.team if event.tracked_model is not None else None
        return team is not None and team.closed and team.pk != self.team_id

    def _owns(self, event: Event) -> bool:
        """Say whether an event is about the owner's model, or a provider that serves one."""
        if event.tracked_model is not None:
            return event.tracked_model.owner.lower() == self.owner.lower()
        served = TrackedModel.objects.active().filter(provider=event.provider_id)
        return event.provider_id is not None and served.filter(owner__iexact=self.owner).exists()


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


class Recipient(Subscription):
    """People who are told: by e-mail, in a chat, by a pager, by whatever apprise speaks to.

    The address of all but e-mail is a secret: a variable of the environment has it, or it is
    encrypted (``services.vault``).
    """

    email = models.EmailField(blank=True, help_text=_("By e-mail; leave it empty for other ways."))
    url_env = models.CharField(
        _("variable with the address"),
        max_length=128,
        blank=True,
        validators=[check_way_variable],
        help_text=_(
            "The name of an environment variable with an apprise address, such as "
            "NOTIFY_OPS_SLACK. Empty where the address is kept here, encrypted."
        ),
    )
    kept_url = models.TextField(blank=True, editable=False)
    way = models.CharField(
        max_length=30,
        blank=True,
        editable=False,
        help_text=_("By which way, such as slack: the only part of the address that is shown."),
    )
    quiet_from = models.TimeField(
        null=True, blank=True, help_text=_("Nothing is sent from then on, such as 20:00 ...")
    )
    quiet_until = models.TimeField(
        null=True, blank=True, help_text=_("... until then; what happens meanwhile comes after.")
    )
    time_zone = models.CharField(
        max_length=64,
        blank=True,
        validators=[check_zone],
        help_text=_("Of these hours and of digests, such as Europe/Prague. Empty: the server's."),
    )
    daily_digest = models.BooleanField(
        default=True,
        help_text=_("Each morning what still waits for a decision, if anything does."),
    )
    weekly_digest = models.BooleanField(
        default=False,
        help_text=_("On Monday what moved, what waits, what retires, and what was saved."),
    )

    history = HistoricalRecords(excluded_fields=["kept_url"])

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(url_env="", kept_url="") & ~Q(email=""))
                | (Q(email="", kept_url="") & ~Q(url_env=""))
                | (Q(email="", url_env="") & ~Q(kept_url="")),
                name="a_recipient_is_told_by_one_way",
                violation_error_message=_(
                    "Give one of e-mail, variable and address: a recipient is told by one way."
                ),
            ),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_have_both_ends",
                violation_error_message=_("Quiet hours need both ends, or none."),
            ),
        ]


class Digest(models.Model):
    """What one recipient is told of a day or a week, as it was then. Never changed."""

    class Span(models.TextChoices):
        DAY = "day", _("day")
        WEEK = "week", _("week")

    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="digests")
    span = models.CharField(max_length=10, choices=Span.choices)
    day = models.DateField(help_text=_("On which it is told, in the recipient's time zone."))
    title = models.CharField(max_length=200)
    body = models.TextField()
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "span", "day"], name="one_digest_of_a_span_and_day"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class CalendarFeed(models.Model):
    """A calendar of retirements that people subscribe to. Its address holds a token.

    Only the token's hash is kept.
    """

    name = models.SlugField(unique=True, help_text=_("Short and lasting, such as ada or ops."))
    hashed = models.CharField(max_length=64, unique=True, editable=False)
    owner = models.EmailField(
        blank=True, help_text=_("Only of models with this owner. Leave it empty for all models.")
    )
    provider = models.ForeignKey(
        Provider,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Leave it empty for all providers."),
    )
    team = models.ForeignKey(
        Team,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Models of a closed team stand in its own calendars alone. Empty: in none."),
    )
    made_by = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    history = HistoricalRecords(excluded_fields=["hashed"])

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")

    def __str__(self) -> str:
        return self.name
