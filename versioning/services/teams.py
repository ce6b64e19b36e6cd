"""Whose a model is: who decides on it, and who sees it.

A model without a team is everybody's, as far as their permissions go. Superusers are in all teams;
the scheduler and the command line belong to none and are held by none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import Model, Q, QuerySet

from versioning.models import (
    CalendarFeed,
    Delivery,
    DriftFinding,
    Emergency,
    EvaluationRun,
    Event,
    Finding,
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
from versioning.models.subscriptions import Subscription
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
    Finding: "tracked_model__team",
    DriftFinding: "version__tracked_model__team",
    ServedDrift: "version__tracked_model__team",
    PerformanceSample: "version__tracked_model__team",
    EvaluationRun: "to_version__tracked_model__team",
}
"""From each table that tells of a tracked model to its team."""

_ANY = Fingerprint(lambda: Team.objects.order_by("pk").values_list("pk")[:1], parameters=0)


@dataclass(frozen=True)
class Caller:
    """Who asks: a person with their groups, and the team of a service's key.

    It knows its teams as they were when it was asked first: keep it for one request, no longer.
    """

    user_id: int | None = None
    team_id: int | None = None

    @cached_property
    def others(self) -> Mapping[int, bool]:
        """The teams that it isn't in, and which of them are closed."""
        if _ANY.read() is None:
            return {}  # most have no teams: then nobody pays for them
        teams = Team.objects.all()
        if self.user_id is not None:
            if User.objects.filter(pk=self.user_id, is_superuser=True, is_active=True).exists():
                return {}
            teams = teams.exclude(group__user=self.user_id)
        if self.team_id is not None:
            teams = teams.exclude(pk=self.team_id)
        return dict(teams.values_list("pk", "closed"))

    @classmethod
    def of(cls, actor: Actor) -> "Caller":
        return cls(user_id=actor.user_id, team_id=actor.team_id)


def foreign(caller: Caller) -> frozenset[int]:
    """Return the teams that the caller isn't in: none for a superuser."""
    return frozenset(caller.others)


def hidden(caller: Caller) -> frozenset[int]:
    """Return the teams whose models the caller doesn't see."""
    return frozenset(pk for pk, is_closed in caller.others.items() if is_closed)


def visible(rows: Rows, caller: Caller | None) -> Rows:
    """Return the rows without what the caller doesn't see; of tables of no model all.

    None is nobody in particular, such as a task: it sees everything.
    """
    path = PATHS.get(rows.model)
    if caller is None or path is None or not (unseen := hidden(caller)):
        return rows
    return rows.filter(Q(**{path: None}) | ~Q(**{f"{path}__in": unseen}))


def own(rows: Rows, caller: Caller) -> Rows:
    """Return the rows without those of teams that the caller isn't in: what it may decide on."""
    path = PATHS[rows.model]
    others = foreign(caller)
    return rows.filter(Q(**{path: None}) | ~Q(**{f"{path}__in": others})) if others else rows


def team_of(table: type[Model], pk: Any) -> int | None:
    """Return the team of the model that a row tells of; None where it has none."""
    path = PATHS.get(table)
    if path is None:
        return None
    found: int | None = table._base_manager.filter(pk=pk).values_list(path, flat=True).first()
    return found


def name_for_all(tracked: TrackedModel) -> str:
    """Return what a model is called where everybody may read it: no name, where it is a team's."""
    return str(tracked) if tracked.team_id is None else f"model {tracked.pk}"


def upgrade_for_all(record: UpgradeRecord) -> str:
    """Return what an upgrade is called where everybody may read it, as ``name_for_all`` does."""
    named = f" ({record})" if record.tracked_model.team_id is None else ""
    return f"Upgrade {record.pk}{named}"


def refuse_outsider_of(row: Model, *, actor: Actor) -> None:
    """Raise NotAllowed where a row, stored or not, is about a model of a team without the actor.

    And where it would tell of such a team's models.
    """
    about = getattr(row, "tracked_model", None) if type(row) in PATHS else None
    if isinstance(about, TrackedModel):
        refuse_outsider(tracked=about, actor=actor)
    if isinstance(row, (Subscription, CalendarFeed)) and is_foreign(row.team_id, actor):
        raise NotAllowed("Only a team's own members have others told of its models.")


def refuse_outsider(*, tracked: TrackedModel, actor: Actor) -> None:
    """Raise NotAllowed where the model belongs to a team that the actor isn't in."""
    if is_foreign(tracked.team_id, actor):
        raise NotAllowed(f"{tracked.name} belongs to a team: only its members decide on it.")


def is_foreign(team_id: int | None, actor: Actor) -> bool:
    """Say whether the actor is held by a team's rules, and is not in it."""
    if team_id is None or actor.kind in ("scheduler", "command"):
        return False
    return team_id in foreign(Caller.of(actor))
