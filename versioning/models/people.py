"""What each person keeps for themselves."""

from django.conf import settings
from django.db import models


class OwnInbox(models.Model):
    """How a person sees the inbox: what they narrow it to, and until when they have seen it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    narrowed_to = models.JSONField(
        default=dict, help_text="What the inbox shows where its address asks for nothing."
    )
    seen_at = models.DateTimeField(
        null=True, help_text="When they last said that they had seen what is new."
    )

    def __str__(self) -> str:
        return f"inbox of {self.user_id}"
