"""What a statement broke is told by the constraint's name; the rest is raised as it is."""

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import UniqueConstraint

from tests.factories import NOW, UpgradeRecordFactory
from versioning.domain.transitions import State
from versioning.models import UpgradeRecord
from versioning.services import constraints
from versioning.services.actors import Actor
from versioning.services.errors import AnotherUnderWay
from versioning.services.upgrades import moves

pytestmark = pytest.mark.django_db

UNIQUE = [
    constraint.name
    for model in apps.get_models()
    if model.__module__.startswith("versioning.")
    for constraint in model._meta.constraints
    if isinstance(constraint, UniqueConstraint)
]


def refusal(**change: object) -> IntegrityError:
    """Return what the database says of a change of a record that it doesn't take."""
    record = UpgradeRecordFactory()
    other = UpgradeRecordFactory(tracked_model=record.tracked_model, state="canary")
    fields = {name: value(other) if callable(value) else value for name, value in change.items()}
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        UpgradeRecord.objects.filter(pk=record.pk).update(**fields)
    return caught.value


def broken_by(error: IntegrityError) -> set[str]:
    return {name for name in UNIQUE if constraints.broke(error, name)}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"state": "approved"}, "one_upgrade_under_way_per_tracked_model"),
        (
            {"state": "completed", "completed_at": NOW, "completion_number": 1},
            "completions_have_one_order",
        ),
    ],
)
def test_each_is_told_apart(change: dict[str, object], name: str) -> None:
    assert broken_by(refusal(**change)) == {name}


def test_a_check_is_no_duplicate() -> None:
    error = refusal(state="completed")
    assert broken_by(error) == set()
    assert not constraints.is_duplicate(error)
    assert not constraints.is_missing(error)


def test_another_under_way_is_told_as_that_and_nothing_else_is() -> None:
    record = UpgradeRecordFactory()
    UpgradeRecordFactory(tracked_model=record.tracked_model, state="canary")
    told = {"record_id": record.pk, "actor": Actor.command(), "now": NOW}
    with pytest.raises(AnotherUnderWay):
        moves.move(to=State.APPROVED, **told)
    number = {"completed_at": NOW, "completion_number": 1}
    UpgradeRecord.objects.under_way().update(state="aborted")
    with pytest.raises(IntegrityError):
        moves.move(to=State.APPROVED, changes=number, **told)


def test_no_two_unique_constraints_of_a_table_name_the_same_columns() -> None:
    """SQLite names the columns alone: two such could not be told apart."""
    seen: dict[frozenset[str], str] = {}
    for name in UNIQUE:
        if any(
            c.expressions
            for m in apps.get_models()
            for c in m._meta.constraints
            if isinstance(c, UniqueConstraint) and c.name == name
        ):
            continue
        columns = constraints._columns_of(name)
        assert columns not in seen, (name, seen[columns])
        seen[columns] = name
