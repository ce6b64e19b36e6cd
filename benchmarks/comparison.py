"""Times at 10,000 and at 10,000,000 samples: the same, since pages read roll-ups.

python -m benchmarks.comparison [--database sqlite|postgres] [--full]

Measured are a comparison, the data of a version's page, and the inbox. Both worlds have the same
versions, tasks and hours. The small one's samples are real ones; the large one's roll-ups hold a
thousand times the samples each, made by adding sums to themselves.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks import server

if TYPE_CHECKING:
    from versioning.models import ModelVersion
    from versioning.services.samples.rollup_sums import SampleSums

    Pair = tuple[ModelVersion, ModelVersion]

TASKS = 3
MOST = 1.2


def main() -> int:
    """Print the times and their ratios; return 1 when one is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--full", action="store_true", help="more looks, for a steadier figure")
    options = parser.parse_args()
    looks = 200 if options.full else 40
    rows: list[tuple[str, float, float | None]] = []
    with server.database(options.database):
        small, large = _world(times=1), _world(times=1_000)
        assert (_samples(small), _samples(large)) == (10_080, 10_080_000)
        for name, look in {"comparison": _compare, "version page": _page, "inbox": _inbox}.items():
            seconds: tuple[list[float], list[float]] = ([], [])
            for _ in range(looks):  # in turn, so that both meet the same load
                for pair, found in zip((small, large), seconds, strict=True):
                    found.append(look(pair))
            times = [statistics.median(found) for found in seconds]
            rows += [
                (f"{name} at 10^4 samples, ms", times[0] * 1000, None),
                (f"{name} at 10^7 samples, ms", times[1] * 1000, None),
                (f"{name}: ratio", times[1] / times[0], -MOST),
            ]
    print(f"{options.database}, {looks} looks, load average {server.load()}")
    return server.table(rows)


def _world(*, times: int) -> "Pair":
    """Make two versions with 10,080 samples of 70 hours, each counted so many times."""
    from providers.models import Provider
    from versioning.models import ModelVersion, Policy, TrackedModel, Word
    from versioning.services.samples import rollups, store
    from versioning.services.samples.rollup_sums import HOUR_MS, Cell, hour_of
    from versioning.services.samples.vocabulary import ids_of

    provider, _ = Provider.objects.get_or_create(
        slug="acme", defaults={"name": "Acme", "kind": "openai"}
    )
    model = TrackedModel.objects.create(provider=provider, name=f"writer-{times}")
    pair = tuple(
        ModelVersion.objects.create(
            tracked_model=model,
            label=f"1.{n}.0",
            upstream_id=f"{model.name}-{n}",
            retires_on=(datetime.now(UTC) + timedelta(days=20)).date(),
        )
        for n in range(2)
    )
    TrackedModel.objects.filter(pk=model.pk).update(current_version=pair[0])
    steps = [{"weight": 5, "samples": 1_000}]
    Policy.objects.create(tracked_model=model, canary_steps=steps)
    tasks = ids_of(Word.Kind.TASK, [f"task {n}" for n in range(TASKS)])
    whole = ids_of(Word.Kind.SLICE, [""])[""]
    hour, dice = hour_of(datetime.now(UTC)), random.Random(1)
    store.append_parts(
        {
            Cell(version.pk, task, whole, 1, hour - ago * HOUR_MS): _sums(dice, times=times)
            for version in pair
            for task in tasks.values()
            for ago in range(70)
        }
    )
    rollups.fold(now=datetime.now(UTC))
    return pair[0], pair[1]


def _sums(dice: random.Random, *, times: int) -> "SampleSums":
    from versioning.services.samples.rollup_sums import SampleRow, SampleSums, Terms

    terms = Terms(slice_of_tags={}, error_texts={}, foreign=frozenset())
    empty = SampleRow._make([0, *[None] * (len(SampleRow._fields) - 1)])
    rows = [
        empty._replace(
            quality=dice.betavariate(6, 2),
            latency_ms=dice.lognormvariate(6.5, 0.5),
            cost_nano_usd=dice.randrange(10**7),
            output_tokens=dice.randrange(800),
        )
        for _ in range(24)
    ]
    sums = SampleSums.of_rows(rows, terms=terms)
    return SampleSums.total([sums] * times)


def _samples(pair: "Pair") -> int:
    from django.db.models import Sum

    from versioning.models import Rollup

    found = Rollup.objects.filter(version__in=pair).aggregate(all=Sum("samples"))
    return int(found["all"])


def _compare(pair: "Pair") -> float:
    from versioning.services.evidence import comparison

    now = datetime.now(UTC)
    return _seconds(lambda: comparison.evidence(from_version=pair[0], to_version=pair[1], now=now))


def _page(pair: "Pair") -> float:
    from versioning.services.evidence import performance

    ids = [version.pk for version in pair]
    return _seconds(
        lambda: (performance.figures(version_ids=ids), performance.daily(version_id=ids[0]))
    )


def _inbox(pair: "Pair") -> float:
    """Look at the inbox of a team that tracks only this model."""
    from versioning.models import TrackedModel
    from versioning.services import inbox
    from versioning.services.own_inbox import Narrowing

    TrackedModel.objects.exclude(pk=pair[0].tracked_model_id).update(active=False)
    TrackedModel.objects.filter(pk=pair[0].tracked_model_id).update(active=True)
    return _seconds(
        lambda: inbox.gather(
            now=datetime.now(UTC), narrowing=Narrowing(), own_address="", since=None
        )
    )


def _seconds(look: Callable[[], object]) -> float:
    began = time.perf_counter()
    look()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
