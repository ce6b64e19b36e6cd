"""Whose a model is: who decides on it, and who sees it.

A model without a team is everybody's, as far as their permissions go. Superusers are in all teams;
the scheduler and the command line belong to none and are held by none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import Model, Q, QuerySet

from versioning.models import (
    Delivery,
    DriftFinding,
    Emergency,
    EvaluationRun,
    Event,
    LineageRule,
    ModelVersion,
    Notice,
    PerformanceSample,
    Policy,
    ServedDrift,
    Team,
    TrackedModel,
    UpgradeRecord,
    UpgradeStep,
)
from versioning.services.actors import Actor
from versioning.services.errors import NotAllowed
from versioning.services.process_cache import Fingerprint

Rows = TypeVar("Rows", bound=QuerySet[Any])

PATHS: Mapping[type[Model], str] = {
    TrackedModel: "team",
    ModelVersion: "tracked_model__team",
    LineageRule: "tracked_model__team",
    Policy: "tracked_model__team",
    UpgradeRecord: "tracked_model__team",
    UpgradeStep: "record__tracked_model__team",
    Event: "tracked_model__team",
    Delivery: "tracked_model__team",
    Emergency: "tracked_model__team",
    Notice: "record__tracked_model__team",
    DriftFinding: "version__tracked_model__team",
    ServedDrift: "version__tracked_model__team",
    PerformanceSample: "version__tracked_model__team",
    EvaluationRun: "to_version__tracked_model__team",
}
"""From each table that tells of a tracked model to its team."""

_ANY = Fingerprint(lambda: Team.objects.order_by("pk").values_list("pk")[:1], parameters=0)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a person with their groups, and the team of a service's key."""

    user_id: int | None = None
    team_id: int | None = None

    @classmethod
    def of(cls, actor: Actor) -> "Caller":
        return cls(user_id=actor.user_id, team_id=actor.team_id)


def foreign(caller: Caller) -> frozenset[int]:
    """Return the teams that the caller isn't in: none for a superuser."""
    return _others(caller, closed=False)


def hidden(caller: Caller) -> frozenset[int]:
    """Return the teams whose models the caller doesn't see."""
    return _others(caller, closed=True)


def visible(rows: Rows, caller: Caller | None) -> Rows:
    """Return the rows without what the caller doesn't see; of tables of no model all.

    None is nobody in particular, such as a task: it sees everything.
    """
    path = PATHS.get(rows.model)
    if caller is None or path is None or not (unseen := hidden(caller)):
        return rows
    return rows.filter(Q(**{path: None}) | ~Q(**{f"{path}__in": unseen}))


def team_of(table: type[Model], pk: Any) -> int | None:
    """Return the team of the model that a row tells of; None where it has none."""
    path = PATHS.get(table)
    if path is None:
        return None
    found: int | None = table._base_manager.filter(pk=pk).values_list(path, flat=True).first()
    return found


def refuse_outsider(*, tracked: TrackedModel, actor: Actor) -> None:
    """Raise NotAllowed where the model belongs to a team that the actor isn't in."""
    if tracked.team_id is None or actor.kind in ("scheduler", "command"):
        return
    if tracked.team_id in foreign(Caller.of(actor)):
        raise NotAllowed(f"{tracked.name} belongs to a team: only its members decide on it.")


def _others(caller: Caller, *, closed: bool) -> frozenset[int]:
    if _ANY.read() is None:
        return frozenset()  # most have no teams: then nobody pays for them
    teams = Team.objects.filter(closed=True) if closed else Team.objects.all()
    if caller.user_id is not None:
        if User.objects.filter(pk=caller.user_id, is_superuser=True, is_active=True).exists():
            return frozenset()
        teams = teams.exclude(group__user=caller.user_id)
    if caller.team_id is not None:
        teams = teams.exclude(pk=caller.team_id)
    return frozenset(teams.values_list("pk", flat=True))
