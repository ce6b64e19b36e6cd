"""Scorers of other packages, and the notices about plug-ins that can't be used."""

from datetime import datetime
from typing import Any

from providers import plugins, registry
from versioning.domain import scoring
from versioning.models import Notice
from versioning.services import notices

_SUBJECT = "plug-in "


def take_scorers() -> None:
    """Add the scorers that other packages bring to those of the domain."""
    plugins.take_all(plugins.SCORERS, _take_scorer)


def _take_scorer(found: Any) -> None:
    if not (isinstance(found, type) and issubclass(found, scoring.Scorer)):
        raise plugins.Unfit("is no class on versioning.domain.scoring.Scorer")
    try:
        scoring.register(found())
    except scoring.NameTaken as error:
        raise plugins.Unfit(str(error)) from error


def raise_faults(*, now: datetime) -> None:
    """Raise a notice for each package that can't be used, and resolve those that now can."""
    registry.adapter_classes()
    told = {_SUBJECT + each.package: str(each) for each in plugins.broken()}
    for subject, sentence in told.items():
        notices.raise_fault(subject=subject, sentence=sentence, now=now)
    open_ones = Notice.objects.open().filter(kind=Notice.Kind.FAULT, subject__startswith=_SUBJECT)
    for subject in open_ones.values_list("subject", flat=True):
        if subject not in told:
            notices.resolve_fault(subject=subject, by="prepare", now=now)
