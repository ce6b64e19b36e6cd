"""Rows of every table that the admin lists, whichever it is: a new list is measured from its day.

How many a table has follows from its pages: of what is large by their own word as many as there are
versions, of what only Hotswap writes as many as there are checks, of what people set up for models
one each, and of all else that people set up 200.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from benchmarks import columns

if TYPE_CHECKING:
    from benchmarks.world import Size

SET_UP = 200
"""Rows of what people set up by hand: suites, recipients, keys."""
FEW = {"AutomationSwitch": 1, "Team": 40}
"""How many rows there are of what a company has few of."""


class FurtherTables:
    """What there is of each table, by its name; asked for once more, a table keeps its rows."""

    def __init__(self, size: "Size", counts: dict[str, int]) -> None:
        self._size = size
        self._counts = counts

    def fill_listed(self) -> list[Any]:
        """Fill the tables that the admin lists, and those beside a row; return those."""
        from django.apps import apps
        from django.contrib import admin

        before = set(self._counts)
        for model, pages in admin.site._registry.items():
            if model._meta.app_label == "versioning":
                self.fill(model, count=self._count(model, pages))
                for inline in pages.inlines:
                    self.fill(inline.model, count=self._counts[model.__name__])
        return [each for each in apps.get_models() if each.__name__ in set(self._counts) - before]

    def fill(self, model: Any, *, count: int) -> None:
        """Make so many rows, unless there are some; first those of tables that they belong to."""
        from django.db.models import ForeignKey

        if model.__name__ in self._counts:
            return
        special = _special(model.__name__, self._counts)
        for field in model._meta.concrete_fields:
            if isinstance(field, ForeignKey) and not field.null and field.related_model != model:
                self.fill(field.related_model, count=min(SET_UP, count))
        differing, same = self._values(model, special)
        columns.fill(model(**same), count, differing)
        self._counts[model.__name__] = count

    def _count(self, model: Any, pages: Any) -> int:
        from versioning.admin.base import HistoryAdmin

        names = {field.name for field in model._meta.concrete_fields}
        if model.__name__ in FEW:
            return FEW[model.__name__]
        if pages.is_large:
            return self._size.versions
        if isinstance(pages, HistoryAdmin):
            return self._size.checks
        return self._size.models if "tracked_model" in names else min(SET_UP, self._size.models)

    def _values(
        self, model: Any, special: Mapping[str, str]
    ) -> tuple[dict[str, str], dict[str, Any]]:
        """Return the SQL of columns that differ, and the values of those that are all the same."""
        differing = dict(special)
        same: dict[str, Any] = {}
        for field in model._meta.concrete_fields:
            if field.primary_key or field.column in special or not _is_needed(field):
                continue
            sql = self._of_row(field) if field.related_model else _of_value(field)
            if sql is None:
                same[field.name] = {} if field.get_internal_type() == "JSONField" else 1
            else:
                differing[field.column] = sql
        return differing, same

    def _of_row(self, field: Any) -> str:
        rows = self._counts.get(field.related_model.__name__, 0)
        if not rows:
            return "NULL"
        return "n + 1" if field.unique else f"n % {rows} + 1"


def _is_needed(field: Any) -> bool:
    """Whether a row isn't one without it; what belongs to a row of ours shows it, too."""
    if field.related_model is not None:
        return field.related_model._meta.app_label != "auth" or not field.null
    if getattr(field, "auto_now_add", False):
        return False
    told_apart = any(
        field.name in each.fields for each in field.model._meta.total_unique_constraints
    )
    may_miss = field.null or field.has_default() or field.has_db_default() or field.blank
    return told_apart or not may_miss


def _of_value(field: Any) -> str | None:
    """Return SQL for a value of the row n; None: any will do."""
    kind = field.get_internal_type()
    if field.choices:
        values = [value for value, _ in field.flatchoices]
        cases = " ".join(
            f"WHEN {number} THEN {_literal(value)}" for number, value in enumerate(values)
        )
        return f"CASE n % {len(values)} {cases} END"
    if kind in ("CharField", "SlugField", "TextField", "EmailField"):
        return f"'{field.name[:6].replace('_', '-')}-' || n"
    if kind == "DateField":
        return columns.day("n % 1000")
    if kind == "DateTimeField":
        return columns.before("n", "minutes")
    if kind == "BigIntegerField":
        return f"{int(columns.NOW.timestamp())}000 - n * 1000"
    return None


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, int) else f"'{value}'"


def _special(table: str, counts: Mapping[str, int]) -> Mapping[str, str]:
    """Return what a table's constraints ask for beyond what its columns say."""
    records, models = counts["UpgradeRecord"], counts["TrackedModel"]
    ago = columns.before("n", "minutes")
    return {
        "Delivery": {
            "event_id": "n + 1",
            "channel": "CASE n % 2 WHEN 0 THEN 'webhook' ELSE 'people' END",
            "to": f"'taker-' || n % {SET_UP}",
            "state": "CASE n % 50 WHEN 0 THEN 'pending' WHEN 1 THEN 'dead' ELSE 'delivered' END",
            "ended_at": f"CASE WHEN n % 50 > 0 THEN {ago} END",
        },
        "Notice": {
            "record_id": f"{records} - n",
            "subject": "''",
            "resolved_at": f"CASE WHEN n % 20 > 0 THEN {ago} END",
        },
        "DriftFinding": {"resolved_at": f"CASE WHEN n % 20 > 0 THEN {ago} END"},
        "PerformanceSample": {"unknown_model_id": "NULL", "error_id": "NULL"},
        "EvaluationRun": {
            "state": "'cancelled'",
            "record_id": "n + 1",
            "ended_at": ago,
        },
        "EvaluationCase": {"content": """'{"prompt": "2 + 2?", "expected": "4"}'"""},
        "Recipient": {
            "name": "'recipient-' || n", "email": "'mara-' || n || '@x.example'", "url_env": "''",
        },
        "Webhook": {"url": "'https://hooks.example/' || n"},
        "ApiKey": {"prefix": "'hs_' || n"},
        "Policy": {"provider_id": "NULL", "fallback_version_id": "NULL"},
        "LineageRule": {"kind": "'ignore'"},
        "Freeze": {
            "starts_at": columns.before("n + 60", "hours"),
            "ends_at": columns.before("n + 40", "hours"),
        },
        "Emergency": {
            "declared_at": columns.before("n + 60", "minutes"),
            "ends_at": ago,
            "ended_at": ago,
            "reviewed_at": f"CASE WHEN n % 10 > 0 THEN {ago} END",
        },
        "EmergencyStep": {
            "emergency_id": "n + 1",
            "kind": "'declared'",
            "record_id": "NULL",
        },
        "UnknownModel": {
            "provider_slug": "'acme-' || n % 12",
            "samples": "n % 100 + 1",
            "tracked_model_id": f"CASE WHEN n % 10 = 0 THEN n % {models} + 1 END",
        },
    }.get(table, {})  # fmt: skip
