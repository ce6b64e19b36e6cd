"""Checks that Django runs with ``manage.py check --database default``, and at each migration."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError

from versioning.services import mail, second_factors


@register(Tags.database)
def owners_can_be_mailed(**_: Any) -> list[CheckMessage]:
    """Warn where models have owners and no mail server is named."""
    try:
        sentence = mail.warning()
    except DatabaseError:
        return []  # its tables are not made yet
    return [Warning(sentence, id="versioning.W001")] if sentence else []


@register(Tags.security, deploy=True)
def second_factor_is_asked_for(**_: Any) -> list[CheckMessage]:
    """Warn where a second factor is required, and nobody is asked for one."""
    told = settings.HOTSWAP
    if told["SECOND_FACTOR"] != second_factors.REQUIRED or second_factors.is_asked_after({}):
        return []
    sentence = (
        "HOTSWAP_SECOND_FACTOR is required, and nobody is asked: all sign in at the identity "
        "provider. Let it ask, or set HOTSWAP_SECOND_FACTOR_AFTER_SSO."
    )
    return [Warning(sentence, id="versioning.W002")]
