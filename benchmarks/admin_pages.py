"""Server time of every admin list, search, filter and deep page, and API list, in a large world.

python -m benchmarks.admin_pages [--database sqlite|postgres] [--full] [--only TEXT]

`current` and the list of recommendations at that size: with --full --only /current, and with
--full --only upgrade-recommendations.

The world: 2,000 tracked models, 200,000 versions, 1,000,000 upgrade records with their steps,
200,000 catalogue entries, 50,000 checks and findings (a tenth of each without --full). Each page is
asked in this process, three times, and the middle time counts; the budget is 150 ms. Server time is
what the processor worked, here and in the connection's process of PostgreSQL, which must be on this
machine and does without parallel workers: so other work on the machine counts little.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import server, world

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.test import Client

API_LISTS = (
    "model-versions/upgrade-recommendations", "tracked-models", "checks", "findings", "notices",
    "events", "unknown-models", "providers/acme-0/models",
)  # fmt: skip
BUDGET_MS = 150.0
LOOKS = 3


def main() -> int:
    """Print each page's time and queries; return 1 when one is over the budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--full", action="store_true", help="the whole world")
    parser.add_argument("--only", default="", help="pages whose address has this text")
    options = parser.parse_args()
    with server.database(options.database, urls="config.urls"):
        began = time.perf_counter()
        size = world.WHOLE if options.full else world.TENTH
        world.make(size)
        print(
            f"{options.database}: {size}, made in {time.perf_counter() - began:.0f} s; "
            f"load average {server.load()}"
        )
        _work_alone()
        client, key = _staff(), _key()
        missed = 0
        for path in _paths():
            if options.only in path:
                missed += _measure(client, path, key=key)
    print(f"Budget: {BUDGET_MS:g} ms each. {f'{missed} missed.' if missed else 'Kept.'}")
    return int(bool(missed))


def _work_alone() -> None:
    """Have one process of PostgreSQL do all the work of a query, so that it can be told."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET max_parallel_workers_per_gather = 0")


def _measure(client: "Client", path: str, *, key: str) -> bool:
    """Print what one page took; return whether it broke the budget."""
    from django.db import connection

    queries: list[float] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            queries.append(time.perf_counter() - begun)

    headers = {"Authorization": f"Bearer {key}"} if path.startswith("/api/") else {}
    took = []
    for _ in range(LOOKS):
        queries.clear()
        with connection.execute_wrapper(count):
            began = _worked()
            answer = client.get(path, headers=headers)
            took.append((_worked() - began) * 1000)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
    middle = statistics.median(took)
    over = middle > BUDGET_MS
    slowest = max(queries, default=0.0) * 1000
    print(
        f"  {middle:>8.1f} ms {len(queries):>4} queries, slowest {slowest:>7.1f} ms  {path}"
        f"{'  MISSED' if over else ''}",
        flush=True,
    )
    return over


def _worked() -> float:
    """Return for how many seconds the processor has worked for us, in the database, too."""
    from django.db import connection

    if connection.vendor == "sqlite":
        return time.process_time()
    connection.ensure_connection()
    process = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return time.process_time() + int(process.read_text().split()[0]) / 1e9


def _paths() -> Iterator[str]:
    """Return the address of every list of the admin with its searches, filters and orders."""
    from django.contrib import admin
    from django.urls import reverse

    yield reverse("admin:index")
    yield reverse("admin:index") + "?verdict=upgrade&owner=mine"
    for page in ("upgraderecord_held", "trackedmodel_retirements"):
        yield reverse(f"admin:versioning_{page}")
        yield reverse(f"admin:versioning_{page}") + "?p=3"
    for model, model_admin in admin.site._registry.items():
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        changelist = reverse(f"{base}_changelist")
        yield changelist
        for query in _queries(model_admin):
            yield f"{changelist}?{query}"
        newest = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
        if newest is not None and model._meta.app_label == "versioning":
            yield reverse(f"{base}_change", args=[newest])
    for address in API_LISTS:
        yield f"/api/{address}"
        yield f"/api/{address}?limit=100"
    yield "/api/retirements"
    yield "/api/retirements?this_week=true"
    for end in ("current", "upgrades", "history", "explain", "why"):
        yield f"/api/model-versions/{world.PROVIDER}/{world.MODEL}/{end}"


def _queries(model_admin: "ModelAdmin[Any]") -> Iterator[str]:
    """Return a query for each search, page, order and value of a filter."""
    rows = model_admin.model._default_manager.count()
    if rows > model_admin.list_per_page:
        yield "p=2"
        yield f"p={min(rows // model_admin.list_per_page, 2_000)}"
    if model_admin.search_fields:
        for words in world.SEARCHES:
            yield f"q={words}"
    for number, name in enumerate(model_admin.list_display, start=1):
        if _is_sortable(model_admin, str(name)):
            yield f"o={number}"
            yield f"o=-{number}"
    for each in model_admin.list_filter:
        yield from _values(model_admin, each)


def _is_sortable(model_admin: "ModelAdmin[Any]", name: str) -> bool:
    shown = getattr(model_admin, name, None)
    return shown is None or getattr(shown, "admin_order_field", None) is not None


def _values(model_admin: "ModelAdmin[Any]", each: Any) -> Iterator[str]:
    """Return a query for some values of one filter."""
    from django.contrib.admin import EmptyFieldListFilter, SimpleListFilter
    from django.db.models import Field, ForeignKey

    if isinstance(each, type) and issubclass(each, SimpleListFilter):
        found = each(None, {}, model_admin.model, model_admin)  # type: ignore[arg-type]
        for value, _ in found.lookups(None, model_admin) or ():  # type: ignore[arg-type]
            yield f"{each.parameter_name}={value}"
        return
    name, kind = each if isinstance(each, tuple) else (each, None)
    if kind is EmptyFieldListFilter:
        yield from (f"{name}__isempty={value}" for value in (0, 1))
        return
    field: Any = model_admin.model
    for part in name.split("__"):
        field = field._meta.get_field(part)
        if isinstance(field, ForeignKey):
            field = field.related_model
    if isinstance(field, Field) and field.choices:
        for value, _ in field.choices:
            yield f"{name}__exact={value}" if kind is None else f"{name}={value}"
    elif isinstance(field, Field):
        yield from (f"{name}__exact={value}" for value in (0, 1))
    else:
        yield f"{name}__id__exact={field._default_manager.values_list('pk', flat=True).first()}"


def _staff() -> "Client":
    from django.contrib.auth import get_user_model
    from django.test import Client

    user = get_user_model().objects.create_superuser("boss", password=None)
    client = Client(headers={"Host": "localhost"})
    client.force_login(user)
    return client


def _key() -> str:
    from versioning.models import ApiKey

    secret, prefix, hashed = ApiKey.make_secret()
    ApiKey.objects.create(name="pages", scopes=["read"], prefix=prefix, hashed=hashed)
    return secret


if __name__ == "__main__":
    sys.exit(main())
