"""Teams: whose a tracked model is. Who is in one, Django's groups say, as for permissions.

So a person's teams come by the same ways as their permissions: from the admin, or mapped from the
claims of single sign-on. A team adds only what a group has not: whether others may look.
"""

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords


class Team(models.Model):
    """Who decides on the models that belong to it, and sees them where it is closed."""

    name = models.SlugField(unique=True, help_text=_("Short and lasting, such as checkout."))
    group = models.OneToOneField(
        Group,
        on_delete=models.PROTECT,
        related_name="team",
        help_text=_(
            "Whoever is in this group is in the team. It needs no permissions: what its members "
            "may do, their other groups say."
        ),
    )
    closed = models.BooleanField(
        default=False,
        help_text=_(
            "Only the team and superusers see its models; else whoever may look sees them."
        ),
    )

    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.name
