"""Time of a comparison at 10,000 and at 10,000,000 samples: the same, since it reads roll-ups.

python -m benchmarks.comparison [--database sqlite|postgres] [--full]

Both worlds have the same versions, tasks and hours. The small one's samples are real ones; the
large one's roll-ups hold a thousand times the samples each, made by adding sums to themselves.
"""

import argparse
import random
import statistics
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benchmarks import server

if TYPE_CHECKING:
    from versioning.models import ModelVersion
    from versioning.services.samples.rollup_sums import SampleSums

TASKS = 3
MOST = 1.2


def main() -> int:
    """Print the times and their ratio; return 1 when it is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--full", action="store_true", help="more looks, for a steadier figure")
    options = parser.parse_args()
    looks = 200 if options.full else 40
    with server.database(options.database):
        small, large = _world(times=1), _world(times=1_000)
        seconds: dict[str, list[float]] = {"small": [], "large": []}
        for _ in range(looks):  # in turn, so that both meet the same load
            for name, pair in (("small", small), ("large", large)):
                began = time.perf_counter()
                n = _look(pair)
                seconds[name].append(time.perf_counter() - began)
                assert n == (10_080 if name == "small" else 10_080_000), n
    ratio = statistics.median(seconds["large"]) / statistics.median(seconds["small"])
    print(f"{options.database}, {looks} looks, load average {server.load()}")
    print(f"  comparison at 10^4 samples  {statistics.median(seconds['small']) * 1000:8.1f} ms")
    print(f"  comparison at 10^7 samples  {statistics.median(seconds['large']) * 1000:8.1f} ms")
    verdict = "met" if ratio <= MOST else "MISSED"
    print(f"  ratio {ratio:.2f}, at most {MOST}: {verdict}")
    return int(ratio > MOST)


def _world(*, times: int) -> "tuple[ModelVersion, ModelVersion]":
    """Make two versions with 10,080 samples of 70 hours, each counted so many times."""
    from providers.models import Provider
    from versioning.models import ModelVersion, TrackedModel, Word
    from versioning.services.samples import rollups, sample_store
    from versioning.services.samples.rollup_sums import HOUR_MS, Cell, hour_of
    from versioning.services.samples.sample_words import ids_of

    provider, _ = Provider.objects.get_or_create(
        slug="acme", defaults={"name": "Acme", "kind": "openai"}
    )
    model = TrackedModel.objects.create(provider=provider, name=f"writer-{times}")
    pair = tuple(
        ModelVersion.objects.create(
            tracked_model=model, label=f"1.{n}.0", upstream_id=f"{model.name}-{n}"
        )
        for n in range(2)
    )
    tasks = ids_of(Word.Kind.TASK, [f"task {n}" for n in range(TASKS)])
    whole = ids_of(Word.Kind.SLICE, [""])[""]
    hour, dice = hour_of(datetime.now(UTC)), random.Random(1)
    sample_store.append_parts(
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
    from versioning.services.samples.rollup_sums import Row, SampleSums, Terms

    terms = Terms(slice_of_tags={}, error_texts={}, foreign=frozenset())
    empty = Row._make([0, *[None] * (len(Row._fields) - 1)])
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


def _look(pair: "tuple[ModelVersion, ModelVersion]") -> int:
    """Compare, and return how many samples that was about."""
    from django.db.models import Sum

    from versioning.models import Rollup
    from versioning.services.evidence import comparison

    comparison.evidence(from_version=pair[0], to_version=pair[1], now=datetime.now(UTC))
    found = Rollup.objects.filter(version__in=pair).aggregate(all=Sum("samples"))
    return int(found["all"])


if __name__ == "__main__":
    sys.exit(main())
