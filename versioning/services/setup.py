"""Change providers, tracked models, versions and rules by name, as programs do."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from providers.calls import NoRoom
from providers.models import ConnectionTest, Provider
from versioning.models import LineageRule, ModelVersion, TrackedModel
from versioning.services import locks
from versioning.services.actors import Actor
from versioning.services.checks import curation
from versioning.services.errors import Busy, FieldError, Invalid, NotFound
from versioning.services.tracking import check, save_checked
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import recommendation

Row = TypeVar("Row", bound=Model)


def provider(*, slug: str) -> Provider:
    """Return the provider with the slug. Raises NotFound."""
    found = Provider.objects.filter(slug=slug).first()
    if found is None:
        raise NotFound(f"There is no provider {slug}.")
    return found


def has_provider(*, slug: str) -> bool:
    """Tell whether there is a provider of that name."""
    return Provider.objects.filter(slug=slug).exists()


def provider_meant(*, slug: str) -> Provider:
    """Return the provider that a request's body names. Raises Invalid."""
    found = Provider.objects.filter(slug=slug).first()
    if found is None:
        message = f"There is no provider {slug}. Add it first."
        raise Invalid(message, [FieldError("/provider", "unknown", message)])
    return found


def tracked_model(*, tracked_model_id: int) -> TrackedModel:
    """Return a tracked model with its provider and current version. Raises NotFound."""
    models = TrackedModel.objects.select_related("provider", "current_version")
    found = models.filter(pk=tracked_model_id).first()
    if found is None:
        raise NotFound(f"There is no tracked model {tracked_model_id}.")
    return found


def version(*, version_id: int) -> ModelVersion:
    """Return a version. Raises NotFound."""
    found = ModelVersion.objects.filter(pk=version_id).first()
    if found is None:
        raise NotFound(f"There is no version {version_id}.")
    return found


@one_transaction
def change_provider(*, slug: str, changes: Mapping[str, Any], actor: Actor) -> Provider:
    """Set the given fields of a provider. Raises NotFound and Invalid."""
    found = _locked(Provider.objects.filter(slug=slug), f"There is no provider {slug}.")
    return _change(found, changes, actor=actor)


@dataclass(frozen=True, slots=True)
class Updated:
    """A provider, and the names of the fields that say something else than before."""

    provider: Provider
    fields: tuple[str, ...]


@one_transaction
def update_provider(
    *, slug: str, changes: Mapping[str, Any], options: Mapping[str, str], actor: Actor
) -> Updated:
    """Set the given fields and options of a provider; an option of "" is taken away.

    For somebody at the machine itself: a new address or variable is released as for a provider
    that is added. Raises NotFound and Invalid.
    """
    found = _locked(Provider.objects.filter(slug=slug), f"There is no provider {slug}.")
    merged = {name: value for name, value in {**found.options, **options}.items() if value}
    wanted = {**changes, "options": merged}
    fields = tuple(name for name, value in wanted.items() if getattr(found, name) != value)
    if not fields:
        return Updated(found, ())
    for name in fields:
        setattr(found, name, wanted[name])
    actor.sign(found)
    check(found)
    if found.unreleased_pairs():
        found.release_first_key()
    save_checked(found)
    return Updated(found, fields)


def test_connection(*, slug: str, now: datetime) -> ConnectionTest:
    """Ask a provider for its list once; nothing is stored. Raises NotFound and Busy."""
    try:
        return provider(slug=slug).test_connection(at=now)
    except NoRoom as error:
        raise Busy(str(error)) from error


@one_transaction
def release_key(*, slug: str, places: Collection[str], actor: Actor) -> Provider:
    """Let a provider's variables go to the places that its addresses name now.

    ``places`` are those that the releasing person has read, such as https://api.example.com:443:
    the history keeps who released what. Raises NotFound, and Invalid where they are others now.
    """
    found = _locked(Provider.objects.filter(slug=slug), f"There is no provider {slug}.")
    wanted = {pair.split(" ")[1] for pair in found.key_pairs()}
    if set(places) != wanted:
        message = f"Its key would go to {', '.join(sorted(wanted)) or 'nobody'}."
        raise Invalid(message, [FieldError("/places", "others", message)])
    found.release_key()
    actor.sign(found)
    save_checked(found)
    return found


@one_transaction
def change_tracked_model(
    *, tracked_model_id: int, changes: Mapping[str, Any], actor: Actor
) -> TrackedModel:
    """Set the given fields of a tracked model. Raises NotFound and Invalid."""
    found = _locked(
        TrackedModel.objects.filter(pk=tracked_model_id),
        f"There is no tracked model {tracked_model_id}.",
    )
    pinned = changes.get("pinned", found.pinned)
    if pinned and not str(changes.get("pin_reason", found.pin_reason)).strip():
        message = "Say why it is pinned, for whoever looks at it later."
        raise Invalid(message, [FieldError("/pin_reason", "missing", message)])
    if not pinned:
        changes = {**changes, "pin_reason": ""}
    return _change(found, changes, actor=actor)


@one_transaction
def change_version(*, version_id: int, changes: Mapping[str, Any], actor: Actor) -> ModelVersion:
    """Set what staff know of a version; checks leave it alone. Raises NotFound and Invalid."""
    found = _locked(
        ModelVersion.objects.filter(pk=version_id), f"There is no version {version_id}."
    )
    for name, value in changes.items():
        setattr(found, name, value)
    save_checked(found)
    return curation.save_version(version=found, changed=sorted(changes), actor=actor)


@one_transaction
def add_rule(
    *,
    tracked_model_id: int,
    kind: str,
    pattern: str,
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> LineageRule:
    """Say something about a model's successors, and look for one anew.

    Raises NotFound and Invalid (a second successor).
    """
    _locked(
        TrackedModel.objects.filter(pk=tracked_model_id),
        f"There is no tracked model {tracked_model_id}.",
    )
    rule = LineageRule(
        tracked_model_id=tracked_model_id,
        kind=kind,
        pattern=pattern,
        reason=reason,
        made_by=actor.name,
    )
    actor.sign(rule)
    save_checked(rule)
    recommendation.recommend(tracked_model_id=tracked_model_id, now=now)
    return rule


@one_transaction
def remove_rule(*, tracked_model_id: int, rule_id: int, actor: Actor, now: datetime) -> None:
    """Take a rule back, and look for the successor anew. Raises NotFound."""
    rules = LineageRule.objects.filter(pk=rule_id, tracked_model=tracked_model_id)
    rule = locks.hold(rules).first()
    if rule is None:
        raise NotFound(f"The model has no rule {rule_id}.")
    actor.sign(rule)
    rule.delete()
    recommendation.recommend(tracked_model_id=tracked_model_id, now=now)


def find_version(*, tracked: TrackedModel, text: str, pointer: str) -> ModelVersion:
    """Return the version with this label, else this id, else this upstream id (the newest).

    Raises Invalid with ``pointer`` to the field that named it.
    """
    versions = tracked.versions.order_by("-pk")
    by_number = versions.filter(pk=int(text)) if re.fullmatch(r"[0-9]{1,18}", text) else None
    for candidates in (versions.filter(label=text), by_number, versions.filter(upstream_id=text)):
        found = candidates.first() if candidates is not None else None
        if found is not None:
            return found
    labels = ", ".join(versions.values_list("label", flat=True)[:10])
    message = f"{tracked.name} has no version {text}. Its latest are {labels}."
    raise Invalid(message, [FieldError(pointer, "unknown", message)])


def _locked(rows: QuerySet[Row], message: str) -> Row:
    row = locks.hold(rows).first()
    if row is None:
        raise NotFound(message)
    return row


def _change(row: Row, changes: Mapping[str, Any], *, actor: Actor) -> Row:
    """Set the fields and save the row; its history says who did it."""
    for name, value in changes.items():
        setattr(row, name, value)
    actor.sign(row)
    save_checked(row)
    return row
