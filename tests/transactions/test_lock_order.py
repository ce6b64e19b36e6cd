"""One order of locks, kept by one module: no transaction takes them in another."""

import ast
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import Model

from tests.transactions.acts import ACTS
from tests.transactions.tracing import traced
from tests.transactions.world import Bustle
from versioning.models import TrackedModel
from versioning.services import locks
from versioning.services.errors import ServiceError

OURS = ("config", "providers", "versioning")
LOCKS = "versioning/services/locks.py"
SAVEPOINTS = {
    "versioning/services/transactions.py": "the one place that begins a transaction",
    "versioning/services/samples/rollups.py": "whoever changes roll-ups holds their lock",
    "versioning/services/samples/rollup_rebuild.py": "reads as of one moment",
    "versioning/services/upgrades/moves.py": "a savepoint: law 3 refuses",
    "versioning/services/upgrades/retirement.py": "a savepoint: another wrote it",
    "versioning/services/checks/detection.py": "a savepoint: another asks already",
    "versioning/services/evaluation/planning.py": "a savepoint: such a run is open",
    "versioning/services/keys.py": "notes of use: never waited for",
    "versioning/services/readiness.py": "tries a write, and takes it back",
    "versioning/services/evaluation/results.py": "a savepoint: what fails ends its run",
    "versioning/services/idempotency.py": "the claim of a key, and the work under it",
}
"""Where ``transaction.atomic`` may stand by itself, and why."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    root = Path(settings.BASE_DIR)
    for folder in OURS:
        for file in sorted((root / folder).rglob("*.py")):
            if "migrations" not in file.parts:
                yield file.relative_to(root).as_posix(), ast.parse(file.read_text())


def naming(name: str) -> set[str]:
    """Return the files in which something of this name is used."""
    return {
        path
        for path, tree in sources()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr == name)
        or (isinstance(node, ast.Name) and node.id == name)
        or (isinstance(node, ast.Constant) and node.value == name)
    }


def test_only_one_module_locks_rows() -> None:
    assert naming("select_for_update") == {LOCKS}


def test_only_one_module_begins_transactions() -> None:
    assert naming("atomic") == SAVEPOINTS.keys()


def rank(model: type[Model]) -> int | None:
    return next((number for number, group in enumerate(locks.ORDER) if model in group), None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ACTS)
def test_each_transaction_locks_from_above_to_below(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    act, bustle = ACTS[name], Bustle()
    busy = bustle.busy(act.state or "canary")
    # Where it is refused, it has taken its locks.
    with traced(monkeypatch) as trace, suppress(ServiceError):
        act.do(bustle, busy)
    unknown = {model.__name__ for model in trace.taken if rank(model) is None}
    assert not unknown, f"{unknown} are changed: give them a place in locks.ORDER"
    models_own = rank(TrackedModel) + 1
    for locked in trace.transactions:
        ranks = [rank(model) for model in locked]
        assert ranks == sorted(ranks), f"{name}: {[model.__name__ for model in locked]}"
        # One row is changed without its model, by a statement that needs nothing else.
        assert models_own not in ranks or TrackedModel in locked or len(locked) == 1
