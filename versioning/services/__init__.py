"""Verbs: each function is one transaction, or one conversation.

The three uses from Python are here by name.
"""

from versioning.services.upgrades.python_api import (
    auto_upgrade,
    check_for_upgrade,
    list_recommendations,
)

__all__ = ["auto_upgrade", "check_for_upgrade", "list_recommendations"]
