"""The second factor of people who sign in with a password: a code of an app on their phone."""

import hashlib
import secrets
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Of recovery codes: without those that are taken for one another, I and 1, O and 0."""
_GROUPS, _GROUP = 4, 4


class SecondFactor(models.Model):
    """What a person's app makes codes with. It is there while it is switched on.

    The secret is encrypted (``services.vault``), and shown once.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="second_factor"
    )
    kept_secret = models.TextField(editable=False)
    last_step = models.BigIntegerField(
        editable=False,
        help_text=_("Of the last code that was taken, in spans of its length: none counts twice."),
    )
    wrong = models.PositiveIntegerField(
        default=0, editable=False, help_text=_("Wrong codes since the last right one.")
    )
    blocked_until = models.DateTimeField(
        null=True, editable=False, help_text=_("Until then no code is looked at.")
    )
    made_at = models.DateTimeField(help_text=_("When it was switched on."))
    off_reason = models.CharField(
        max_length=500, blank=True, help_text=_("Why somebody else reset it.")
    )

    history = HistoricalRecords(
        excluded_fields=["kept_secret", "last_step", "wrong", "blocked_until"]
    )

    class Meta:
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")

    def __str__(self) -> str:
        return gettext("second factor of %(user_id)s") % {"user_id": self.user_id}


class RecoveryCodeQuerySet(models.QuerySet["RecoveryCode"]):
    def unused(self) -> Self:
        return self.filter(used_at=None)


class RecoveryCode(models.Model):
    """Stands in for a code of the app, once. Only its hash is kept; it is shown once."""

    factor = models.ForeignKey(
        SecondFactor, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    hashed = models.CharField(max_length=64, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    objects = RecoveryCodeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["factor", "hashed"], name="recovery_codes_of_a_person_differ"
            )
        ]

    def __str__(self) -> str:
        return gettext("recovery code %(pk)s") % {"pk": self.pk}

    @staticmethod
    def make() -> str:
        """Return a new code of 80 random bits, such as ABCD-EFGH-JKLM-NPQR."""
        return "-".join(
            "".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS)
        )

    @staticmethod
    def hash_of(code: str) -> str:
        """Return the hash (SHA-256) of a code, however it is typed."""
        plain = "".join(each for each in code.upper() if each.isalnum())
        return hashlib.sha256(plain.encode()).hexdigest()
