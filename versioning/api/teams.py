"""Whose is what an address is about: asked before any operation, so that none can forget it."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from rest_framework.request import Request

from versioning.models import (
    ApiKey,
    Delivery,
    DriftFinding,
    Emergency,
    EvaluationRun,
    ModelVersion,
    Notice,
    PerformanceSample,
    Policy,
    TrackedModel,
    UpgradeRecord,
)
from versioning.services import teams
from versioning.services.errors import NotAllowed, NotFound
from versioning.services.teams import Caller

ID = "<int:id>"
SUBJECTS: Mapping[str, type[Model] | None] = {
    "api/model-versions/upgrade-recommendations/<int:id>": UpgradeRecord,
    "api/tracked-models/<int:id>": TrackedModel,
    "api/versions/<int:id>": ModelVersion,
    "api/performance-samples/<int:id>": PerformanceSample,
    "api/deliveries/<int:id>": Delivery,
    "api/notices/<int:id>": Notice,
    "api/drift-findings/<int:id>": DriftFinding,
    "api/evaluation-runs/<int:id>": EvaluationRun,
    "api/policies/<int:id>": Policy,
    "api/emergencies/<int:id>": Emergency,
    "api/checks/<int:id>": None,
    "api/slice-tags/<int:id>": None,
    "api/freezes/<int:id>": None,
    "api/schedules/<int:id>": None,
    "api/evaluation-suites/<int:id>": None,
}
"""Of which table the id in an address is, by the address up to it; None: it tells of no model."""

_CALLER = "hotswap_caller"


def caller_of(request: Request) -> Caller:
    """Return who asks, as far as teams go: the same for all of a request."""
    found: Caller | None = getattr(request, _CALLER, None)
    if found is None:
        key = request.auth
        found = of_key(key) if isinstance(key, ApiKey) else Caller(user_id=request.user.pk)
        setattr(request, _CALLER, found)
    return found


def of_key(key: ApiKey) -> Caller:
    return Caller(user_id=key.person_id, team_id=key.team_id)


def subject_of(route: str) -> type[Model] | None:
    """Return the table of the id in an address. Raises KeyError for one that nobody named here."""
    if ID not in route:
        return None
    begin = route.replace("api/v1/", "api/", 1)
    return SUBJECTS[begin[: begin.index(ID) + len(ID)]]


def let_in(request: Request, *, changes: bool, parts: Mapping[str, Any]) -> None:
    """Raise NotFound where the caller doesn't see what the address is about.

    And NotAllowed where the operation ``changes`` what is another team's.
    """
    if not parts.keys() & {"id", "model"}:
        return  # an address that names nobody's: nobody is asked whose it is
    caller = caller_of(request)
    others = teams.foreign(caller)
    if not others:
        return
    team_id = _team_of(request._request, parts)
    if team_id is None or team_id not in others:
        return
    if team_id in teams.hidden(caller):
        raise NotFound("There is no such thing.")
    if changes:
        raise NotAllowed("It belongs to a team: only its members decide on it.")


def _team_of(request: HttpRequest, parts: Mapping[str, Any]) -> int | None:
    if "provider" in parts and "model" in parts:
        found = TrackedModel.objects.filter(
            provider__slug=parts["provider"], name=parts["model"]
        ).first()
        return found.team_id if found else None
    match = request.resolver_match
    table = subject_of(match.route) if match else None
    return teams.team_of(table, parts["id"]) if table is not None else None
