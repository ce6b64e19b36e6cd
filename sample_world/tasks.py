"""Tasks of the demo's worker."""

from celery import shared_task
from django.utils import timezone

from sample_world import lapse


@shared_task(name="sample_world.time_lapse")
def time_lapse(*, record_id: int) -> str:
    """Tell the hours of a canary, a few seconds each; return how it ended."""
    return str(lapse.go_on(record_id=record_id, now=timezone.now()).state)
