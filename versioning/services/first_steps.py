"""How far a new server has come, from what its tables hold; nobody ticks anything."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from providers.models import Provider
from versioning.domain.transitions import WAITING, State
from versioning.models import Check, PerformanceSample, TrackedModel, UnknownModel, UpgradeRecord
from versioning.services.existence import which_have_rows


class FirstStep(StrEnum):
    """What a new server is led through, in this order."""

    PROVIDER = "provider"
    CHECK = "check"
    MODEL = "model"
    SAMPLES = "samples"
    DECISION = "decision"


SEEN = "seen"
_NOT_DECIDED = {*WAITING, State.SUPERSEDED}


def done() -> frozenset[str]:
    """Return the steps that are done, and ``SEEN`` where samples name models nobody tracks.

    One query, however much there is.
    """
    moves = UpgradeRecord.objects.exclude(origin=UpgradeRecord.Origin.TRACKING)
    answered = [Check.State.CHANGED, Check.State.UNCHANGED, Check.State.PARTLY]
    asked: Mapping[str, QuerySet[Any]] = {
        FirstStep.PROVIDER: Provider.objects.all(),
        FirstStep.CHECK: Check.objects.filter(state__in=answered),
        FirstStep.MODEL: TrackedModel.objects.all(),
        FirstStep.SAMPLES: PerformanceSample.objects.all(),
        FirstStep.DECISION: moves.exclude(state__in=[state.value for state in _NOT_DECIDED]),
        SEEN: UnknownModel.objects.open(),
    }
    return which_have_rows(asked)
