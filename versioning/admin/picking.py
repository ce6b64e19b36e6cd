"""The field that finds a version by its name: a list of all of them has no end."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect

from versioning.models import ModelVersion


def version_picker(**attributes: Any) -> AutocompleteSelect:
    """Return a field that asks for versions while somebody types; the page needs its media."""
    relation = ModelVersion._meta.get_field("previous_version")
    looks = {
        "data-theme": "admin-autocomplete",
        "class": "unfold-admin-autocomplete admin-autocomplete",
    }
    return AutocompleteSelect(relation, admin.site, attrs={**looks, **attributes})
