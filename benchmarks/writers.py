"""64 writers while staff pages load (PostgreSQL): no error, no lost sample, pages stay quick.

python -m benchmarks.writers [--full]
"""

import argparse
import json
import random
import statistics
import sys
import threading
import time
from datetime import UTC, datetime

from benchmarks import server

WRITERS = 64
BATCH = 100
PAGES = (
    "/admin/",
    "/admin/versioning/modelversion/",
    "/admin/versioning/upgraderecord/",
    "/admin/versioning/performancesample/",
    "/admin/versioning/trackedmodel/",
)
MOST_SECONDS = 0.5


def main() -> int:
    """Print the figures; return 1 for an error, a lost sample or slow pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="60 seconds instead of 10")
    options = parser.parse_args()
    if not server.has_postgres():
        print("No PostgreSQL at BENCHMARK_POSTGRES: nothing measured.")
        return 0
    with server.database("postgres", urls="config.urls"):
        from benchmarks.ingestion import world

        key, cookie = world(scopes=["ingest"]), staff()
        # Writers may wait for each other; pages have a process of their own, as in production.
        with server.gunicorn(threads=16) as port, server.gunicorn(threads=4) as pages:
            for page in PAGES:  # the first of each reads its templates
                server.ask(port=pages, data=server.request(page, headers=[cookie]))
            until = time.monotonic() + (60 if options.full else 10)
            sent, seconds, errors = _load(port=port, pages=pages, key=key, cookie=cookie, end=until)
        stored = _stored()
    print(f"postgres, {WRITERS} writers, load average {server.load()}")
    for error in sorted(set(errors))[:5]:
        print(f"  {error}")
    rows = [
        ("errors", float(len(errors)), -0.0),
        ("samples accepted", float(sent), None),
        ("samples lost", float(sent - stored[0]), -0.0),
        ("samples missing in roll-ups", float(sent - stored[1]), -0.0),
        ("pages loaded", float(len(seconds)), None),
        ("page p95, s", statistics.quantiles(seconds, n=20)[18], -MOST_SECONDS),
    ]
    return server.table(rows)


def staff() -> str:
    """Make a member of staff and return the cookie of a session."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, models
    from django.contrib.sessions.backends.db import SessionStore

    user = models.User.objects.create_superuser("benchmark")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"Cookie: {settings.SESSION_COOKIE_NAME}={session.session_key}"


def _load(
    *, port: int, pages: int, key: str, cookie: str, end: float
) -> tuple[int, list[float], list[str]]:
    """Write and look until the end; return samples accepted, seconds of pages, and errors."""
    accepted: list[int] = []
    seconds: list[float] = []
    errors: list[str] = []

    def write(writer: int) -> None:
        from benchmarks.ingestion import sample

        dice, number = random.Random(writer), writer * 10**9
        while time.monotonic() < end:
            now = datetime.now(UTC)
            batch = [sample(number + n, at=now, dice=dice) for n in range(BATCH)]
            number += BATCH
            body = json.dumps(batch).encode()
            data = server.request("/api/performance-samples", body, key=key)
            try:
                answer = server.ask(port=port, data=data)
                accepted.append(json.loads(answer.partition(b"\r\n\r\n")[2])["accepted"])
            except (OSError, RuntimeError, KeyError, ValueError) as error:
                errors.append(str(error)[:200])

    def look() -> None:
        number = 0
        while time.monotonic() < end:
            data = server.request(PAGES[number % len(PAGES)], headers=[cookie])
            number += 1
            began = time.perf_counter()
            try:
                server.ask(port=pages, data=data)
            except (OSError, RuntimeError) as error:
                errors.append(str(error)[:200])
            seconds.append(time.perf_counter() - began)
            time.sleep(0.2)

    threads = [threading.Thread(target=write, args=[n]) for n in range(WRITERS)]
    threads.append(threading.Thread(target=look))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(accepted), seconds, errors


def _stored() -> tuple[int, int]:
    """Return how many samples the table has, and how many the roll-ups count after a fold."""
    from django.db.models import Sum

    from versioning.models import PerformanceSample, Rollup
    from versioning.services.samples import rollups

    rollups.fold(now=datetime.now(UTC))
    counted = Rollup.objects.aggregate(all=Sum("samples"))["all"]
    return PerformanceSample.objects.count(), int(counted or 0)


if __name__ == "__main__":
    sys.exit(main())
