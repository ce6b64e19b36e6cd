"""Write down what samples showed beside their numbers: models not tracked, other ids that answer.

Apart from the counting: that takes no model's lock, and events are written with it held.
"""

from datetime import datetime, timedelta

from providers.models import Provider
from versioning.domain.events import EventKind
from versioning.models import Event, ServedDrift, TrackedModel, UnknownModel
from versioning.services import events, locks
from versioning.services.actors import Actor
from versioning.services.samples import rollups
from versioning.services.transactions import one_transaction

PAUSE = timedelta(hours=1)
"""A client that names another model with each request makes one event an hour, not thousands."""

NAMED = 20
AT_ONCE = 200


def write(*, now: datetime) -> int:
    """Write the events of what nobody was told of yet; return how many."""
    written = 0
    for slug in sorted(_unheard()):
        written += _untracked(slug, now=now)
    drifts = ServedDrift.objects.filter(told_at=None).order_by("pk")
    for drift_id, model_id in drifts.values_list("pk", "version__tracked_model")[:AT_ONCE]:
        written += _served_otherwise(drift_id, model_id=model_id, now=now)
    return written


def _unheard() -> set[str]:
    waiting = UnknownModel.objects.open().filter(told_at=None).order_by()
    return set(waiting.values_list("provider_slug", flat=True).distinct())


@one_transaction
def _untracked(slug: str, *, now: datetime) -> bool:
    """Write one event of all models of a provider that nobody tracks and heard of."""
    told = Event.objects.filter(kind=EventKind.UNTRACKED, at__gt=now - PAUSE)
    if slug in {each.payload["provider_slug"] for each in told}:
        return False
    with rollups.folding():
        unheard = UnknownModel.objects.open().filter(told_at=None, provider_slug=slug)
        names = dict(unheard.order_by("pk").values_list("pk", "name"))
        UnknownModel.objects.filter(pk__in=names).update(told_at=now)
        if not names:
            return False
        first = list(names.values())[:NAMED]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        of = f" of {slug}" if slug else ""
        events.write(
            EventKind.UNTRACKED,
            provider=Provider.objects.filter(slug=slug).first(),
            sentence=f"Samples name models{of} that nobody tracks: {', '.join(first[:3])}{more}.",
            actor=Actor.scheduler(),
            now=now,
            details={"provider_slug": slug, "names": first, "count": len(names)},
        )
    return True


@one_transaction
def _served_otherwise(drift_id: int, *, model_id: int, now: datetime) -> bool:
    with rollups.folding():
        locks.take(TrackedModel.objects.filter(pk=model_id))
        drift = (
            ServedDrift.objects.filter(pk=drift_id, told_at=None)
            .select_related("version__tracked_model__provider")
            .first()
        )
        if drift is None:
            return False  # another worker was first, or its samples were taken back
        ServedDrift.objects.filter(pk=drift_id).update(told_at=now)
        version = drift.version
        events.write(
            EventKind.SERVED_OTHERWISE,
            tracked=version.tracked_model,
            version=version,
            sentence=f"{version.tracked_model}: {drift.served} answered, not "
            f"{version.upstream_id}.",
            actor=Actor.scheduler(),
            now=now,
            details={"served": drift.served, "since": drift.since.isoformat()},
        )
    return True
