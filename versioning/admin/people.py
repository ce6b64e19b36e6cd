"""Users and groups, in the look of the rest."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as PlainGroupAdmin
from django.contrib.auth.admin import UserAdmin as PlainUserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from versioning.admin.base import Admin

if TYPE_CHECKING:
    PlainUsers = PlainUserAdmin[User]
else:
    PlainUsers = PlainUserAdmin

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(PlainUsers, Admin):
    """Nobody is deleted, for the history names them: switch “active” off instead."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(PlainGroupAdmin, Admin):
    """What its members may do; viewer, reviewer and operator come with Hotswap."""
