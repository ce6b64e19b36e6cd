"""A large team's tables, made for measuring: models, versions, years of upgrades, checks, news.

Rows are made in the database from one row each, so that a million take seconds.
"""

from dataclasses import dataclass
from typing import Any

from benchmarks import columns
from benchmarks.columns import NOW
from benchmarks.further_tables import FurtherTables

PROVIDERS = 12
PROVIDER, MODEL = "acme-0", "writer-0"
SEARCHES = ("writer-1", "zeta-7", "nobody-has-this", "e", "acme-3", "writer-17 zeta")


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows there are; versions and records are spread evenly over the models."""

    models: int
    versions: int
    records: int
    checks: int

    def __str__(self) -> str:
        return (
            f"{self.models:,} tracked models, {self.versions:,} versions and catalogue entries, "
            f"{self.records:,} upgrade records and steps, {self.checks:,} checks and findings"
        )


WHOLE = Size(models=2_000, versions=200_000, records=1_000_000, checks=50_000)
TENTH = Size(models=200, versions=20_000, records=100_000, checks=5_000)


def make_once(size: Size) -> None:
    """Fill the database in use, unless it is filled."""
    from versioning.models import TrackedModel

    if not TrackedModel.objects.exists():
        make(size)


def make(size: Size) -> None:
    """Fill the empty database in use. Rows are numbered from 0, and their keys from 1."""
    from django.core.management import call_command
    from django.core.management.color import no_style
    from django.db import connection, transaction

    from providers.models import Provider
    from versioning.models import (
        CatalogueEntry,
        Check,
        Finding,
        ModelVersion,
        TrackedModel,
        UpgradeRecord,
        UpgradeStep,
    )

    each = size.versions // size.models
    with transaction.atomic():
        provider = Provider(kind="openai", base_url="http://127.0.0.1:9")
        columns.fill(provider, PROVIDERS, {"slug": "'acme-' || n", "name": "'Acme ' || n"})
        tracked = TrackedModel(provider_id=1)
        places = {
            "name": "'writer-' || n",
            "provider_id": f"n % {PROVIDERS} + 1",
            "owner": "'team-' || (n % 40) || '@x.example'",
        }
        columns.fill(tracked, size.models, places)
        columns.fill(
            ModelVersion(tracked_model_id=1, parameters=["tools"]), size.versions, _version(size)
        )
        TrackedModel.objects.update(current_version_id=_current(each))
        entry = CatalogueEntry(provider_id=1, first_seen_at=NOW, last_seen_at=NOW)
        columns.fill(entry, size.versions, {
            "provider_id": f"n % {PROVIDERS} + 1",
            "upstream_id": "'acme/zeta-' || n",
            "first_seen_at": columns.before("n", "minutes"),
            "gone_at": f"CASE WHEN n % 5 = 0 THEN {columns.before('n', 'minutes')} END",
        })  # fmt: skip
        columns.fill(_record(), size.records, _course(size))
        step = UpgradeStep(record_id=1, at=NOW, actor_kind="staff", actor_name="mara")
        columns.fill(step, size.records, {
            "record_id": "n + 1",
            "after": _state(size),
            "at": columns.before(f"{size.records} - n", "minutes"),
        })  # fmt: skip
        check = Check(provider_id=1, started_at=NOW, lease_until=NOW, trigger="schedule")
        states = "('{unchanged,changed,failed,unchanged}'::text[])[n % 4 + 1]"
        if connection.vendor == "sqlite":
            states = "CASE n % 4 WHEN 1 THEN 'changed' WHEN 2 THEN 'failed' ELSE 'unchanged' END"
        columns.fill(check, size.checks, {
            "provider_id": f"n % {PROVIDERS} + 1",
            "state": states,
            "started_at": columns.before(f"{size.checks} - n", "hours"),
            "finished_at": columns.before(f"{size.checks} - n", "hours"),
        })  # fmt: skip
        columns.fill(Finding(check_run_id=1, kind="metadata", found_at=NOW), size.checks, {
            "check_run_id": "n + 1",
            "tracked_model_id": f"n % {size.models} + 1",
            "upstream_id": "'acme/zeta-' || n",
            "sentence": "'acme/zeta-' || n || ': context tokens changed.'",
            "found_at": columns.before(f"{size.checks} - n", "hours"),
        })  # fmt: skip
        counts = {
            "Provider": PROVIDERS, "TrackedModel": size.models, "ModelVersion": size.versions,
            "CatalogueEntry": size.versions, "UpgradeRecord": size.records,
            "UpgradeStep": size.records, "Check": size.checks, "Finding": size.checks,
        }  # fmt: skip
        further = FurtherTables(size, counts).fill_listed()
    filled = [
        Provider, TrackedModel, ModelVersion, CatalogueEntry, UpgradeRecord, UpgradeStep, Check,
        Finding, *further,
    ]  # fmt: skip
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), filled):
            cursor.execute(statement)
        cursor.execute("ANALYZE")
    call_command("setup_schedules", verbosity=0)


def _version(size: Size) -> dict[str, str]:
    """Return what differs between versions: those of a model stand together, oldest first."""
    each = size.versions // size.models
    nth = f"(n % {each})"
    return {
        "tracked_model_id": f"n / {each} + 1",
        "label": f"({nth} / 10 + 1) || '.' || ({nth} % 10) || '.0'",
        "upstream_id": f"'acme/zeta-' || (n / {each}) || '-' || {nth}",
        "released_on": columns.day(f"{each * 7} - {nth} * 7"),
        "retires_on": f"CASE WHEN {nth} % 9 = 0 THEN {columns.day(f'60 - {nth} * 3')} END",
        "gone_at": f"CASE WHEN {nth} % 3 = 0 THEN {columns.before('n', 'seconds')} END",
    }


def _current(each: int) -> Any:
    """Return the key of each model's last version but one: the last waits for a decision."""
    from django.db.models import F

    return F("id") * each - 1


def _record() -> Any:
    from versioning.models import UpgradeRecord

    return UpgradeRecord(
        tracked_model_id=1,
        to_version_id=1,
        origin="detection",
        step="minor",
        evidence={"decision": "UPGRADE", "improvement": "0.13", "sentence": "0.75 → 0.85: +13 %"},
        recommended_at=NOW,
        changed_at=NOW,
    )


def _course(size: Size) -> dict[str, str]:
    """Return what differs between records: each model has one in turn, oldest first."""
    each = size.versions // size.models
    nth = f"(n / {size.models})"
    version = f"(n % {size.models}) * {each} + 1 + {nth} % {each - 2}"
    latest = f"(n % {size.models} + 1) * {each}"
    is_last = f"n >= {size.records - size.models}"
    at = columns.before(f"{size.records} - n", "minutes")
    is_done = f"({_state(size)}) IN ('completed', 'rolled_back')"
    return {
        "tracked_model_id": f"n % {size.models} + 1",
        "from_version_id": f"CASE WHEN {is_last} THEN {latest} - 1 ELSE {version} END",
        "to_version_id": f"CASE WHEN {is_last} THEN {latest} ELSE {version} + 1 END",
        "state": _state(size),
        "origin": "CASE WHEN n % 500 = 0 THEN 'rollback' ELSE 'detection' END",
        "step": "CASE WHEN n % 500 = 1 THEN 'revision' ELSE 'minor' END",
        "recommended_at": at,
        "changed_at": at,
        "completed_at": f"CASE WHEN {is_done} THEN {at} END",
        "completion_number": f"CASE WHEN {is_done} THEN {nth} + 1 END",
        "urgent_on": columns.day("n % 300 - 310"),
    }


def _state(size: Size) -> str:
    """Most records are done; of the last of each model a third waits and a third is under way."""
    return (
        f"CASE WHEN n >= {size.records - size.models} AND n % 3 = 0 THEN 'recommended' "
        f"WHEN n >= {size.records - size.models} AND n % 3 = 1 THEN 'approved' "
        "WHEN n % 7 < 4 THEN 'completed' WHEN n % 7 = 4 THEN 'rejected' "
        "WHEN n % 700 = 5 THEN 'rolled_back' ELSE 'superseded' END"
    )
