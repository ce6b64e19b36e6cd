"""Checks that Django runs at start, and with ``manage.py check``."""

from typing import Any

from django.core.checks import CheckMessage, Warning, register

from providers import plugins, registry


@register()
def plugins_can_be_used(**_: Any) -> list[CheckMessage]:
    """Warn of each plug-in that can't be used."""
    registry.adapter_classes()  # looks for those that bring adapters
    return [Warning(str(broken), id="providers.W001") for broken in plugins.broken()]
