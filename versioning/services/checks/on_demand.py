"""Begin checks for a worker to run, and look at them."""

from datetime import datetime

from django.db.models import Prefetch

from versioning.models import Check, Finding
from versioning.services import lookups, teams
from versioning.services.actors import Actor
from versioning.services.checks import detection
from versioning.services.errors import FieldError, Invalid, NotFound
from versioning.services.teams import Caller


def begin_checks(*, provider_slug: str | None, actor: Actor, now: datetime) -> list[Check]:
    """Return the checks that run now: begun here, or running already for the same providers.

    Raises Invalid where the slug is unknown.
    """
    slugs = None if provider_slug is None else [provider_slug]
    try:
        begun = detection.begin_checks(
            provider_slugs=slugs,
            trigger=Check.Trigger.API if actor.kind == "api" else Check.Trigger.STAFF,
            asked_by=actor.name,
            now=now,
            for_a_worker=True,
        )
    except NotFound as error:
        raise Invalid(str(error), [FieldError("/provider", "unknown", str(error))]) from error
    running = Check.objects.running().exclude(pk__in=[check.pk for check in begun])
    if provider_slug is not None:
        running = running.filter(provider__slug=provider_slug)
    return begun + list(running.select_related("provider").order_by("pk"))


def check(*, check_id: int, caller: Caller | None = None) -> Check:
    """Return a check with those of its findings that the caller sees. Raises NotFound."""
    return lookups.one(
        Check.objects.select_related("provider")
        .prefetch_related(
            Prefetch("findings", queryset=teams.visible(Finding.objects.order_by("id"), caller))
        )
        .filter(pk=check_id),
        missing=f"There is no check {check_id}.",
    )
