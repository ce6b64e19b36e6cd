"""Checks that Django runs with ``manage.py check --database default``, and at each migration."""

from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError

from versioning.services import mail


@register(Tags.database)
def owners_can_be_mailed(**_: Any) -> list[CheckMessage]:
    """Warn where models have owners and no mail server is named."""
    try:
        sentence = mail.warning()
    except DatabaseError:
        return []  # its tables are not made yet
    return [Warning(sentence, id="versioning.W001")] if sentence else []
