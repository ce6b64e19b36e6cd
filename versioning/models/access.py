"""Keys of applications, and requests that must not be done twice."""

import hashlib
import secrets
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from versioning.models.teams import Team

PREFIX_LENGTH = 12


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self, *, at: datetime) -> Self:
        """Those that are neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=at), revoked_at=None)


class ApiKey(models.Model):
    """A key of an application. Only its hash is kept; the key is shown once."""

    class Scope(models.TextChoices):
        READ = "read", _("read: ask which version to use, see everything")
        INGEST = "ingest", _("ingest: report samples")
        DECIDE = "decide", _("decide: approve, reject, upgrade, roll back, ask providers, evaluate")
        EMERGENCY = "emergency", _("emergency: move at once, past tests, canary and approvals")
        SETUP = "setup", _("setup: providers and their keys, models, policies, suites, schedules")

    name = models.CharField(max_length=100, help_text=_("Which application uses it."))
    prefix = models.CharField(max_length=PREFIX_LENGTH, unique=True, editable=False)
    hashed = models.CharField(max_length=64, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        help_text=_(
            "Whose key it is: what is done with it, this person has done. Empty for a "
            "service's key."
        ),
    )
    maker = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        help_text=_("Who made it, and so may hold it. Empty where a command did."),
    )
    team = models.ForeignKey(
        Team,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        help_text=_("Whose models it decides on and sees, where these are a team's alone."),
    )
    scopes = models.JSONField(
        default=list,
        help_text=_(
            "What it may do: read, ingest, decide, emergency, setup. Give as few as it needs."
        ),
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Leave empty for a key that doesn't expire.")
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["hashed", "last_used_at"])

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def make_secret() -> tuple[str, str, str]:
        """Return a new key, its prefix and its hash (SHA-256 of 256 random bits)."""
        secret = f"hs_{secrets.token_urlsafe(32)}"
        return secret, secret[:PREFIX_LENGTH], ApiKey.hash_of(secret)

    @staticmethod
    def hash_of(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()


class IdempotentRequest(models.Model):
    """The stored answer of a request that carried an Idempotency-Key."""

    caller = models.CharField(max_length=100, help_text="key:<id> or user:<id>")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64, help_text=_("SHA-256 of method, path and body."))
    status = models.PositiveSmallIntegerField(
        null=True, help_text=_("HTTP status of the answer; empty while in flight.")
    )
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["caller", "key"], name="one_request_per_idempotency_key"
            ),
        ]
        indexes = [
            # The nightly clean-up drops the old ones.
            models.Index(fields=["created_at"], name="idempotent_requests_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"
