"""Tracked models: begin to track one, change it, and say what its successors may be."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from providers.models import Provider
from versioning.domain.labels import FIRST_LABEL
from versioning.models import CatalogueEntry, LineageRule, ModelVersion, TrackedModel
from versioning.services import editing, locks, lookups, versions
from versioning.services.actors import Actor
from versioning.services.errors import FieldError, Invalid
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import moves, recommendation


def by_id(*, tracked_model_id: int) -> TrackedModel:
    """Return a tracked model with its provider and current version. Raises NotFound."""
    models = TrackedModel.objects.select_related("provider", "current_version")
    return lookups.one(
        models.filter(pk=tracked_model_id), missing=f"There is no tracked model {tracked_model_id}."
    )


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

    ``upstream_id`` is the id that the provider takes, ``name`` itself where it is empty. What
    follows it in the list that its provider gave last is recommended at once, not at the next
    check. Raises NotFound (no such provider) and Invalid.
    """
    provider = lookups.one(
        Provider.objects.filter(pk=provider_id), missing=f"There is no provider {provider_id}."
    )
    tracked = TrackedModel(provider=provider, name=name, owner=owner)
    editing.save_checked(tracked)
    entry = _entry_for(provider=provider, upstream_id=upstream_id or name)
    version = (
        ModelVersion(tracked_model=tracked, label=FIRST_LABEL, upstream_id=upstream_id or name)
        if entry is None
        else versions.of_entry(tracked=tracked, entry=entry)
    )
    editing.save_checked(version)
    moves.begin(tracked=tracked, version=version, actor=actor, now=now)
    if provider.enabled:
        recommendation.recommend(tracked_model_id=tracked.pk, now=now)
    tracked.refresh_from_db()
    return tracked


@one_transaction
def change(*, tracked_model_id: int, changes: Mapping[str, Any], actor: Actor) -> TrackedModel:
    """Set the given fields of a tracked model. Raises NotFound and Invalid."""
    found = moves.locked_model(tracked_model_id)
    pinned = changes.get("pinned", found.pinned)
    if pinned and not str(changes.get("pin_reason", found.pin_reason)).strip():
        message = "Say why it is pinned, for whoever looks at it later."
        raise Invalid(message, [FieldError("/pin_reason", "missing", message)])
    if not pinned:
        changes = {**changes, "pin_reason": ""}
    editing.set_fields(found, changes)
    actor.sign(found)
    editing.save_checked(found)
    return found


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
    moves.locked_model(tracked_model_id)
    rule = LineageRule(
        tracked_model_id=tracked_model_id,
        kind=kind,
        pattern=pattern,
        reason=reason,
        made_by=actor.name,
    )
    actor.sign(rule)
    editing.save_checked(rule)
    recommendation.recommend(tracked_model_id=tracked_model_id, now=now)
    return rule


@one_transaction
def change_rule(
    *,
    tracked_model_id: int,
    rule_id: int,
    changes: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> LineageRule:
    """Change what somebody said about a model's successors, and look for one anew.

    Raises NotFound, and Invalid (a second successor).
    """
    rows = LineageRule.objects.filter(pk=rule_id, tracked_model=tracked_model_id)
    rule = editing.change(rows, changes=changes, actor=actor)
    recommendation.recommend(tracked_model_id=tracked_model_id, now=now)
    return rule


@one_transaction
def remove_rule(*, tracked_model_id: int, rule_id: int, actor: Actor, now: datetime) -> None:
    """Take a rule back, and look for the successor anew. Raises NotFound."""
    rule = locks.hold_one(
        LineageRule.objects.filter(pk=rule_id, tracked_model=tracked_model_id),
        missing=f"The model has no rule {rule_id}.",
    )
    actor.sign(rule)
    rule.delete()
    recommendation.recommend(tracked_model_id=tracked_model_id, now=now)


def rules_changed(*, tracked_model_id: int, made_by: str, now: datetime) -> None:
    """Sign the rules that nobody signed yet, and look for the successor under the new rules."""
    LineageRule.objects.filter(tracked_model=tracked_model_id, made_by="").update(
        made_by=made_by[:150]
    )
    recommendation.recommend(tracked_model_id=tracked_model_id, now=now)


def _entry_for(*, provider: Provider, upstream_id: str) -> CatalogueEntry | None:
    """Return the listed model of this id; else the only one whose id ends with ``/id``."""
    entries = CatalogueEntry.objects.filter(provider=provider)
    exact = entries.filter(upstream_id=upstream_id).first()
    if exact is not None:
        return exact
    ending = list(entries.filter(upstream_id__endswith=f"/{upstream_id}")[:2])
    return ending[0] if len(ending) == 1 else None
