"""What people say about a model's successors, changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from versioning.models import LineageRule
from versioning.services import editing
from versioning.services.actors import Actor
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import recommendation


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
