"""What each person keeps for themselves."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class OwnInbox(models.Model):
    """How a person sees the inbox: what they narrow it to, and until when they have seen it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    narrowed_to = models.JSONField(
        default=dict, help_text=_("What the inbox shows where its address asks for nothing.")
    )
    seen_at = models.DateTimeField(
        null=True, help_text=_("When they last said that they had seen what is new.")
    )

    def __str__(self) -> str:
        return gettext("inbox of %(user_id)s") % {"user_id": self.user_id}
