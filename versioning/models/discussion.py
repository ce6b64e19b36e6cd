"""What people say to each other about an upgrade: kept for good, and never changed."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from versioning.models.upgrades import UpgradeRecord, UpgradeStep


class CommentQuerySet(models.QuerySet["Comment"]):
    def open_requests(self) -> Self:
        """Requests for changes that nobody has withdrawn or overridden."""
        return self.filter(kind=Comment.Kind.CHANGES, answered_by=None)


class Comment(models.Model):
    """One thing that somebody said; what ends a request for changes is said of it, too."""

    class Kind(models.TextChoices):
        COMMENT = "comment", _("comment")
        CHANGES = "changes", _("asks for changes")
        WITHDRAWN = "withdrawn", _("request withdrawn")
        OVERRIDDEN = "overridden", _("request overridden")

    record = models.ForeignKey(UpgradeRecord, on_delete=models.PROTECT, related_name="comments")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    text = models.TextField(max_length=2000, blank=True)
    answers = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="answered_by",
        help_text=_("The request for changes that this ends."),
    )
    actor_kind = models.CharField(max_length=10, choices=UpgradeStep.ActorKind.choices)
    actor_name = models.CharField(max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    at = models.DateTimeField()

    objects = CommentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["withdrawn", "overridden"], answers__isnull=False)
                | Q(kind__in=["comment", "changes"], answers__isnull=True),
                name="only_what_ends_a_request_answers_one",
            ),
        ]
        indexes = [models.Index(fields=["record", "-id"], name="comments_of_a_record")]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.get_kind_display()}"
