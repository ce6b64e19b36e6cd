"""What several tables ask of a value."""

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from versioning.domain import naming
from versioning.domain.evaluation.parameters import BadMap, read_map
from versioning.domain.pricing import further_prices


def check_text(value: Any) -> None:
    """Raise ValidationError for a label that others can't read: see ``domain.naming``."""
    if found := naming.problem_of_text(str(value)):
        raise ValidationError(found, code="unreadable")


def check_name(value: Any) -> None:
    """Raise ValidationError for a name that clients can't ask for: see ``domain.naming``."""
    if found := naming.problem_of_name(str(value)):
        raise ValidationError(found, code="unaddressable")


def check_time_zone(value: Any) -> None:
    """Raise ValidationError unless the value names a time zone."""
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError(
            gettext("%(value)s is no time zone; write one such as Europe/Prague.")
            % {"value": repr(value)}
        ) from error


def check_parameter_map(value: Any) -> None:
    """Raise ValidationError unless the value is a parameter map."""
    try:
        read_map(value)
    except BadMap as error:
        raise ValidationError(str(error)) from error


def check_other_prices(value: Any) -> None:
    """Raise ValidationError unless the value is a list of prices, as domain.pricing reads it."""
    try:
        further_prices(value)
    except ValueError as error:
        raise ValidationError(str(error)) from error
