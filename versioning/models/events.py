"""The outbox: what happened to models and providers, and to whom each event still has to go."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from providers.models import Provider
from providers.moments import stamp_to_the_second
from versioning.domain.events import EventKind
from versioning.models.catalogue import ModelVersion, TrackedModel
from versioning.models.upgrades import UpgradeRecord, UpgradeStep


def kinds() -> list[tuple[str, str]]:
    """Return the choices; called by name in migrations, so a new kind needs none."""
    return [(kind.value, kind.value) for kind in EventKind]


class EventQuerySet(models.QuerySet["Event"]):
    def with_subjects(self) -> Self:
        return self.select_related("tracked_model", "provider")


class Event(models.Model):
    """One thing that happened to a tracked model, else to a provider or to all; never changed.

    It is written in the transaction that made it happen, while the model is locked: so the ids of
    one model's events are in the order in which they happened.
    """

    kind = models.CharField(max_length=32, choices=kinds)
    version = models.PositiveSmallIntegerField(help_text=_("Of the kind's payload."))
    at = models.DateTimeField()
    provider = models.ForeignKey(
        Provider,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text=_("Of a model's events the model's. Empty: it concerns all."),
    )
    tracked_model = models.ForeignKey(
        TrackedModel,
        on_delete=models.PROTECT,
        null=True,
        related_name="events",
        help_text=_("Empty: it concerns a provider, or all."),
    )
    record = models.ForeignKey(
        UpgradeRecord, on_delete=models.PROTECT, null=True, related_name="events"
    )
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, null=True, related_name="events"
    )
    actor_kind = models.CharField(max_length=10, choices=UpgradeStep.ActorKind.choices)
    actor_name = models.CharField(max_length=150)
    sentence = models.CharField(max_length=500)
    payload = models.JSONField(default=dict, help_text=_("No key and no prompt is ever in it."))

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            # A model's and a kind's events, newest or oldest first.
            models.Index(fields=["tracked_model", "id"], name="events_of_a_model"),
            models.Index(fields=["kind", "id"], name="events_of_a_kind"),
            # Retention drops the oldest.
            models.Index(fields=["at"], name="events_by_time"),
        ]

    def __str__(self) -> str:
        return self.sentence or self.kind


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def pending(self) -> Self:
        return self.filter(state=Delivery.State.PENDING)

    def claimable(self, at: datetime) -> Self:
        """Those that may be tried now, each with nothing of its lane before it that is pending."""
        earlier = Delivery.objects.pending().filter(
            channel=OuterRef("channel"),
            to=OuterRef("to"),
            lane=OuterRef("lane"),
            event__lt=OuterRef("event"),
        )
        return self.pending().filter(Q(due_at__lte=at) & ~Exists(earlier)).order_by("event", "pk")


class Delivery(models.Model):
    """One event on its way to one taker: claimed with a lease, tried again, at last given up."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        DELIVERED = "delivered", _("delivered")
        DEAD = "dead", _("given up")

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    tracked_model = models.ForeignKey(
        TrackedModel, on_delete=models.PROTECT, null=True, related_name="+"
    )
    lane = models.CharField(
        max_length=30,
        default="",
        editable=False,
        help_text=_("Those of one lane go to a taker in their order: of a model, of a provider."),
    )
    channel = models.CharField(max_length=20)
    to = models.CharField(max_length=254, help_text=_("Whom the channel gives it to."))
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(
        help_text=_("When it may be tried; while somebody tries, when their lease ends.")
    )
    last_error = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "channel", "to"], name="each_event_once_to_each_taker"
            ),
            models.CheckConstraint(
                condition=Q(state="pending", ended_at=None)
                | (~Q(state="pending") & Q(ended_at__isnull=False)),
                name="a_delivery_that_ended_says_when",
            ),
        ]
        indexes = [
            # The reader asks for these, and for what comes before each.
            models.Index(
                fields=["channel", "to", "lane", "event"],
                condition=Q(state="pending"),
                name="pending_deliveries",
            ),
            # How much is stuck: readiness and the inbox.
            models.Index(fields=["state", "due_at"], name="deliveries_by_state"),
        ]

    def __str__(self) -> str:
        return gettext("delivery to %(to)s by %(channel)s") % {
            "to": self.to,
            "channel": self.channel,
        }


class DeliveryAttempt(models.Model):
    """One try of a delivery, written when it begins: one without an end is of a worker that died.

    Neither what was sent nor what came back is kept.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="log")
    began_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(
        null=True, help_text=_("Empty while it runs, or where the worker died over it.")
    )
    status = models.PositiveSmallIntegerField(
        null=True, help_text=_("What the taker answered with, where the way has statuses (HTTP).")
    )
    error = models.CharField(
        max_length=300, blank=True, help_text=_("Why it was not taken; empty where it was.")
    )

    class Meta:
        verbose_name = _("attempt")

    def __str__(self) -> str:
        return gettext("attempt of %(moment)s") % {"moment": stamp_to_the_second(self.began_at)}
