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


class SavedFilter(models.Model):
    """What a person asked a list for, under a name of theirs."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(
        max_length=150, help_text=_("The list, as its address is called: admin:index.")
    )
    name = models.CharField(max_length=80)
    query = models.CharField(
        max_length=2000, help_text=_("What follows the question mark in the address.")
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "page", "name"], name="a_person_s_filters_of_a_list_differ_by_name"
            )
        ]

    def __str__(self) -> str:
        return self.name
