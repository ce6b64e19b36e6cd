"""One way to write a moment on every page: "25 Nov 2026 14:03 CET", in the reader's zone."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format


def stamp(moment: datetime) -> str:
    """Return "25 Nov 2026 14:03 CET" in the active zone: on a page, its reader's."""
    return date_format(timezone.localtime(moment), "j M Y H:i T")


def stamp_to_the_second(moment: datetime) -> str:
    """Return "25 Nov 2026 14:03:59 CET", where it matters what came first."""
    return date_format(timezone.localtime(moment), "j M Y H:i:s T")
