"""Checks of large listings: seconds and queries, first, without news and with news for every model.

python -m benchmarks.checking [--database sqlite|postgres] [--full | --long]

One provider that lists 400 models, 50 of them tracked. With --full 12 such providers, each answer
of which takes 50 ms, and 1,000 tracked models among them. With --long one provider that lists
20,000 models of 50 makers, 1,000 of them tracked. Budget: 5 s a check, otherwise 30 s for all. The
new versions are asked for directly, too, which is most of the time with --full.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks import server

if TYPE_CHECKING:
    from sample_world.simulator import Simulator

MAKERS_OF_A_LONG_LIST = 50
KEY_VARIABLE = "BENCHMARK_KEY"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Size:
    """How many providers and tracked models, what an answer takes and what a round may."""

    providers: int
    listed: int
    tracked: int
    answer_ms: float
    budget_s: float
    makers: int = 0
    """How many makers have the models; 0: each has one."""

    def id(self, number: int, version: str = "8b-instruct-20250101") -> str:
        """Return the id of a model by its number."""
        if not self.makers:
            return f"maker{number}/zeta-4-{version}"
        # Words in letters: a number in a name would be its version.
        line = "".join(chr(ord("a") + int(digit)) for digit in str(number // self.makers))
        return f"maker{number % self.makers}/zeta-{line}-4-{version}"


SMALL = Size(providers=1, listed=400, tracked=50, answer_ms=0, budget_s=5)
WHOLE = Size(providers=12, listed=400, tracked=1_000, answer_ms=50, budget_s=30)
LONG = Size(
    providers=1,
    listed=20_000,
    tracked=1_000,
    answer_ms=0,
    budget_s=30,
    makers=MAKERS_OF_A_LONG_LIST,
)


def main() -> int:
    """Print each round of checks; return 1 when one is over the budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--full", action="store_true", help="1,000 models at 12 providers")
    sizes.add_argument("--long", action="store_true", help="1,000 models in a list of 20,000")
    options = parser.parse_args()
    os.environ["HOTSWAP_PROVIDER_KEYS"] = KEY_VARIABLE
    if options.long:  # its list is longer than any that is known
        os.environ["HOTSWAP_HTTP_MAX_BYTES"] = str(64 * 1024 * 1024)
    with server.database(options.database):
        size = WHOLE if options.full else LONG if options.long else SMALL
        return _rounds(size, database=options.database)


def _rounds(size: Size, *, database: str) -> int:
    from sample_world.simulator import Simulator
    from sample_world.simulator.world import World
    from versioning.models import UpgradeRecord

    with Simulator(page_size=size.listed, list_latency_ms=size.answer_ms) as simulator:
        simulator.world = World(dict.fromkeys(simulator.world.kinds(), ()))
        for number in range(size.listed):
            simulator.catalogue.add("openrouter", size.id(number), context=8000)
        slugs = _add_providers(simulator, size)
        print(
            f"{database}: {size.providers} providers, {size.listed:,} models listed by each in "
            f"{size.answer_ms:g} ms, {size.tracked:,} tracked; load average {server.load()}"
        )
        print(f"{'check':<24} {'seconds':>8} {'CPU':>8} {'queries':>8} {'per tracked model':>18}")
        slow = [_measure("first, nothing tracked", slugs, size, now=NOW)]
        _track(slugs, size)
        slow.append(_measure("nothing new", slugs, size, now=NOW + timedelta(days=1)))
        for number in range(-(-size.tracked // size.providers)):
            new = size.id(number, version="8b-instruct-20260201")
            simulator.catalogue.add("openrouter", new)
        slow.append(_measure("news for every model", slugs, size, now=NOW + timedelta(days=2)))
        waiting = UpgradeRecord.objects.filter(state="recommended").count()
        slow.append(_measure("the same again", slugs, size, now=NOW + timedelta(days=3)))
        print(f"{waiting:,} upgrades recommended after the news.")
        assert waiting == size.tracked
    print(f"Budget: {size.budget_s:g} s each. {'Broken.' if any(slow) else 'Kept.'}")
    return int(any(slow))


def _add_providers(simulator: "Simulator", size: Size) -> list[str]:
    from sample_world.simulator.server import KEY
    from versioning.services import providers
    from versioning.services.actors import Actor

    os.environ[KEY_VARIABLE] = KEY
    slugs = [f"openrouter-{number}" for number in range(size.providers)]
    for slug in slugs:
        providers.add(
            slug=slug,
            kind="openrouter",
            base_url=simulator.base_url("openrouter"),
            api_key_env=KEY_VARIABLE,
            actor=Actor.command(),
        )
    return slugs


def _track(slugs: list[str], size: Size) -> None:
    from providers.models import Provider
    from versioning.services import tracking
    from versioning.services.actors import Actor

    providers = list(Provider.objects.filter(slug__in=slugs))
    for number in range(size.tracked):
        tracking.start_tracking(
            provider_id=providers[number % size.providers].pk,
            name=f"model-{number}",
            upstream_id=size.id(number // size.providers),
            actor=Actor.command(),
            now=NOW,
        )


def _measure(name: str, slugs: list[str], size: Size, *, now: datetime) -> bool:
    """Print what one round of checks took; return whether it broke the budget."""
    from versioning.models import Check
    from versioning.services.checks import detection

    with _counted() as queries:
        begun, cpu = time.perf_counter(), time.process_time()
        checks = detection.run_checks(provider_slugs=slugs, trigger="command", now=now)
        took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    for check in checks:
        assert check.state != Check.State.FAILED, check.error
    each = len(queries) / size.tracked
    print(f"{name:<24} {took:>8.2f} {cpu:>8.2f} {len(queries):>8,} {each:>18.1f}", flush=True)
    return took > size.budget_s


@contextmanager
def _counted() -> Iterator[list[str]]:
    from django.db import connection

    queries: list[str] = []

    def count(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        queries.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield queries


if __name__ == "__main__":
    sys.exit(main())
