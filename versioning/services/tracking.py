"""Set up providers and tracked models."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from providers.models import Provider
from versioning.domain.labels import FIRST_LABEL
from versioning.models import CatalogueEntry, ModelVersion, TrackedModel
from versioning.services import constraints, knowledge
from versioning.services.actors import Actor
from versioning.services.errors import FieldError, Invalid, NotFound
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import rollout


def add_provider(
    *,
    slug: str,
    kind: str,
    base_url: str = "",
    api_key_env: str = "",
    name: str = "",
    options: Mapping[str, str] | None = None,
    actor: Actor,
) -> Provider:
    """Add a provider. Raises Invalid with an error for each field that can't be used.

    Its key may go to the address that is given with it, unless it serves elsewhere already: then
    it is sent to nobody before ``setup.release_key``.
    """
    if Provider.objects.filter(slug=slug).exists():
        message = (
            f"A provider {slug} already exists. To change it: manage.py add_provider {slug} "
            f"--update, its page in the admin, or PATCH /api/providers/{slug}."
        )
        raise Invalid(message, [FieldError("/slug", "unique", message)])
    provider = Provider(
        slug=slug,
        kind=kind,
        base_url=base_url,
        api_key_env=api_key_env,
        name=name or slug,
        options=dict(options or {}),
    )
    actor.sign(provider)
    check(provider)
    provider.release_first_key()
    save_checked(provider)
    return provider


@one_transaction
def start_tracking(
    *,
    provider_id: int,
    name: str,
    upstream_id: str = "",
    owner: str = "",
    actor: Actor,
    now: datetime,
) -> TrackedModel:
    """Track a model under a stable name, with its first version 1.0.0 as the current one.

    ``upstream_id`` is the id that the provider takes, ``name`` itself where it is empty.
    Raises NotFound (no such provider) and Invalid.
    """
    provider = Provider.objects.filter(pk=provider_id).first()
    if provider is None:
        raise NotFound(f"There is no provider {provider_id}.")
    tracked = TrackedModel(provider=provider, name=name, owner=owner)
    save_checked(tracked)
    entry = _entry_for(provider=provider, upstream_id=upstream_id or name)
    version = ModelVersion(
        tracked_model=tracked,
        label=FIRST_LABEL,
        upstream_id=entry.upstream_id if entry else upstream_id or name,
    )
    if entry is not None:
        knowledge.fill_version(version=version, entry=entry)
    save_checked(version)
    rollout.begin(tracked=tracked, version=version, actor=actor, now=now)
    tracked.refresh_from_db()
    return tracked


def _entry_for(*, provider: Provider, upstream_id: str) -> CatalogueEntry | None:
    """Return the listed model of this id; else the only one whose id ends with ``/id``."""
    entries = CatalogueEntry.objects.filter(provider=provider)
    exact = entries.filter(upstream_id=upstream_id).first()
    if exact is not None:
        return exact
    ending = list(entries.filter(upstream_id__endswith=f"/{upstream_id}")[:2])
    return ending[0] if len(ending) == 1 else None


def check(row: Any) -> None:
    """Check a row. Raises Invalid with an error for each field that can't be used."""
    try:
        row.full_clean()
    except ValidationError as error:
        raise Invalid(_first_sentence(error), _field_errors(error)) from error


def save_checked(row: Any) -> None:
    """Check and save a row. Raises Invalid with an error for each field that can't be used."""
    check(row)
    try:
        row.save()
    except IntegrityError as error:
        if not constraints.is_duplicate(error):
            raise
        raise Invalid("Somebody else has just added the same thing.") from error


def _first_sentence(error: ValidationError) -> str:
    return str(error.messages[0])


def _field_errors(error: ValidationError) -> list[FieldError]:
    return [
        FieldError(
            pointer="" if field == "__all__" else f"/{field}",
            code=problem.code or "invalid",
            detail=" ".join(problem.messages),
        )
        for field, problems in error.error_dict.items()
        for problem in problems
    ]
