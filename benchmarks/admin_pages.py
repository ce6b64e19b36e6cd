"""Server time of every admin list, search, filter and deep page, and API list, in a large world.

python -m benchmarks.admin_pages [--database sqlite|postgres] [--full] [--only TEXT] [--kept FOLDER]

`current` and the list of recommendations at that size: with --full --only /current, and with
--full --only upgrade-recommendations.

The world: 2,000 tracked models, 200,000 versions, 1,000,000 upgrade records with their steps,
200,000 catalogue entries, events, deliveries and samples, 50,000 checks, findings and notices (a
tenth of each without --full). Each page is asked in this process, up to three times until it keeps
the budget of 150 ms; of three that don't the middle one is told. Server time is what the processor
worked, here and in the connection's process of PostgreSQL, which must be on this
machine and does without parallel workers: so other work on the machine counts little.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import addresses, server, world

if TYPE_CHECKING:
    from django.test import Client

BUDGET_MS = 150.0
LOOKS = 3
NO_PAGE = {302, 400, 403, 405, 409}
"""Of addresses that only change something, lead on, or ask for more than an address."""


def main() -> int:
    """Print each page's time and queries; return 1 when one is over the budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--full", action="store_true", help="the whole world")
    parser.add_argument("--only", default="", help="pages whose address has this text")
    parser.add_argument("--kept", default="", help="a folder whose world is used again")
    options = parser.parse_args()
    with server.database(options.database, urls="config.urls", kept=options.kept):
        began = time.perf_counter()
        size = world.WHOLE if options.full else world.TENTH
        world.make_once(size)
        print(
            f"{options.database}: {size}, made in {time.perf_counter() - began:.0f} s; "
            f"load average {server.load()}"
        )
        _work_alone()
        client, key = _staff(), _key()
        missed = 0
        authorized = {"Authorization": f"Bearer {key}"}
        for path in (*addresses.of_admin(), *addresses.of_api(client, authorized)):
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
    took: list[float] = []
    while len(took) < LOOKS and (not took or took[-1] > BUDGET_MS):
        queries.clear()
        with connection.execute_wrapper(count):
            began = _worked()
            answer = client.get(path, headers=headers)
            took.append((_worked() - began) * 1000)
        if answer.status_code in NO_PAGE:
            return False
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
    took = took[-1:] if took[-1] <= BUDGET_MS else took
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


def _staff() -> "Client":
    from django.contrib.auth import get_user_model
    from django.test import Client

    people = get_user_model().objects
    user = people.filter(username="boss").first() or people.create_superuser("boss", password=None)
    client = Client(headers={"Host": "localhost"})
    client.force_login(user)
    return client


def _key() -> str:
    from versioning.models import ApiKey

    secret, prefix, hashed = ApiKey.make_secret()
    ApiKey.objects.create(name="pages", scopes=["read", "setup"], prefix=prefix, hashed=hashed)
    return secret


if __name__ == "__main__":
    sys.exit(main())
