"""Checks that Django runs at start, and with ``manage.py check``."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from providers import plugins, registry

PROVIDERS = "providers"
"""The tag of these checks."""


@register(PROVIDERS)
def plugins_can_be_used(**_: Any) -> list[CheckMessage]:
    """Warn of each plug-in that can't be used."""
    registry.adapter_classes()  # looks for those that bring adapters
    return [Warning(str(broken), id="providers.W001") for broken in plugins.broken()]


@register(PROVIDERS)
def variables_are_read(**_: Any) -> list[CheckMessage]:
    """Warn of variables that look like Hotswap's and that nothing reads: mostly slips."""
    return [Warning(slip, id="providers.W002") for slip in settings.HOTSWAP["SLIPS"]]
