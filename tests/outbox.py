"""What always holds of events, whatever crashes: they tell exactly the steps that were taken."""

from typing import Any

from versioning.models import Event, UpgradeStep


def each_step_is_told_once(**which: Any) -> None:
    """Check the steps of all records, or of those that ``which`` picks, such as record=7."""
    steps = UpgradeStep.objects.filter(**which).order_by("record", "pk")
    moves = Event.objects.filter(record__isnull=False, payload__has_key="before", **which)
    told = [(each.record_id, each.payload["state"]) for each in moves.order_by("record", "pk")]
    assert told == list(steps.values_list("record", "after"))
