"""A check of a listing of 400 models, 50 of them tracked: under 5 s, and how many queries.

``python -m benchmarks.checking``: prints a table; exit code 1 where the budget is broken.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

LISTED, TRACKED = 400, 50
BUDGET_S = 5.0
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def main() -> int:
    """Measure a first check, one without news and one with news for every tracked model."""
    from django.core.management import call_command

    from sample_world.simulator import Simulator
    from sample_world.simulator.world import World
    from versioning.models import TrackedModel

    call_command("migrate", interactive=False, verbosity=0)
    with Simulator(page_size=LISTED) as simulator:
        simulator.world = World(dict.fromkeys(simulator.world.kinds(), ()))
        _list_models(simulator)
        slug = _add_provider(simulator)
        print(f"{'check':<28} {'seconds':>8} {'queries':>8} {'per tracked model':>18}")
        slow = [_measure("first, nothing tracked", slug)]
        _track(slug)
        slow.append(_measure("nothing new", slug))
        for number in range(TRACKED):
            simulator.catalogue.add("openrouter", f"maker{number}/zeta-4-8b-instruct-20260201")
        slow.append(_measure("50 new versions", slug))
        assert TrackedModel.objects.filter(upgrades__state="recommended").count() == TRACKED
        slow.append(_measure("the same again", slug))
    print(f"Budget: {BUDGET_S:g} s each. {'Broken.' if any(slow) else 'Kept.'}")
    return int(any(slow))


def _list_models(simulator: "object") -> None:
    for number in range(LISTED):
        name = f"maker{number}/zeta-4-8b-instruct-20250101"
        simulator.catalogue.add("openrouter", name, context=8000)  # type: ignore[attr-defined]


def _add_provider(simulator: "object") -> str:
    from sample_world.simulator.server import KEY
    from versioning.services import providers
    from versioning.services.actors import Actor

    os.environ["BENCHMARK_KEY"] = KEY
    providers.add(
        slug="openrouter",
        kind="openrouter",
        base_url=simulator.base_url("openrouter"),  # type: ignore[attr-defined]
        api_key_env="BENCHMARK_KEY",
        actor=Actor.command(),
    )
    return "openrouter"


def _track(slug: str) -> None:
    from providers.models import Provider
    from versioning.services import tracking
    from versioning.services.actors import Actor

    provider = Provider.objects.get(slug=slug)
    for number in range(TRACKED):
        tracking.start_tracking(
            provider_id=provider.pk,
            name=f"model-{number}",
            upstream_id=f"maker{number}/zeta-4-8b-instruct-20250101",
            actor=Actor.command(),
            now=NOW,
        )


def _measure(name: str, slug: str) -> bool:
    """Print what one check took; return whether it broke the budget."""
    from versioning.models import Check
    from versioning.services.checks import detection

    with _counted() as queries:
        begun = time.perf_counter()
        (check,) = detection.run_checks(provider_slugs=[slug], trigger="command", now=NOW)
        took = time.perf_counter() - begun
    assert check.state != Check.State.FAILED, check.error
    print(f"{name:<28} {took:>8.2f} {len(queries):>8} {len(queries) / TRACKED:>18.1f}")
    return took > BUDGET_S


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
    os.environ["HOTSWAP_DATA_DIR"] = tempfile.mkdtemp(prefix="hotswap-checking-")
    os.environ["DATABASE_URL"] = ""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    sys.exit(main())
