"""Two real models behind an OpenAI-compatible server: the worse is refused, the better taken.

HOTSWAP_REAL_SERVER=http://127.0.0.1:8080/v1 python -m benchmarks.real_server WORSE BETTER

WORSE and BETTER are ids as the server lists them. A suite of 50 short questions tests the move to
the better one, then the move back. Each estimate of tokens, cost and time must be within twice of
what happened. docs/evaluation.md says how to start such a server.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import server

if TYPE_CHECKING:
    from versioning.models import UpgradeRecord

SUITE = "short questions"
PRICES = ("0.10", "0.40")
"""USD per million tokens: made up, so that cost counts."""
TEMPLATE = """Answer each question with one word.

Question: What is the capital of Canada?
Answer: Ottawa

Question: What is 3 + 1?
Answer: 4

Question: What is the opposite of left?
Answer: right

Question: {{question}}
Answer:"""
CAPITALS = (
    "France Paris, Italy Rome, Spain Madrid, Germany Berlin, Japan Tokyo, China Beijing,"
    " Russia Moscow, Egypt Cairo, Greece Athens, Portugal Lisbon, Austria Vienna, Poland Warsaw,"
    " Cuba Havana, Peru Lima, Ireland Dublin, Norway Oslo, Sweden Stockholm, Hungary Budapest"
)
OPPOSITES = (
    "hot cold, big small, up down, day night, open closed, fast slow, happy sad, black white,"
    " old young, early late, empty full, wet dry"
)
COLOURS = (
    "grass green, snow white, blood red, coal black, milk white, gold yellow, chocolate brown,"
    " chlorophyll green, charcoal black, ivory white"
)
SUMS = ((2, 3), (4, 4), (7, 2), (5, 6), (8, 9), (10, 5), (12, 7), (20, 30), (15, 15), (9, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What one test of an upgrade was expected to take, took and said."""

    state: str
    sentence: str
    scores: tuple[float, float]
    tokens: tuple[int, int]
    """Estimated, taken; so are the next two."""
    usd: tuple[Decimal, Decimal]
    seconds: tuple[float, float]

    @property
    def ratios(self) -> dict[str, float]:
        """By how many times the larger of estimate and reality exceeds the other, at least 1."""
        pairs: dict[str, tuple[int, int] | tuple[float, float] | tuple[Decimal, Decimal]] = {
            "tokens": self.tokens,
            "cost": self.usd,
            "time": self.seconds,
        }
        return {
            name: max(float(said) / float(took), float(took) / float(said))
            for name, (said, took) in pairs.items()
        }


def main() -> int:
    """Print the figures; return 1 where a verdict or an estimate is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("worse", help="id of the worse model, as the server lists it")
    parser.add_argument("better", help="id of the better one")
    options = parser.parse_args()
    with server.database("sqlite", urls="config.urls"):
        tests = run(
            base_url=os.environ["HOTSWAP_REAL_SERVER"], worse=options.worse, better=options.better
        )
    print(f"load average {server.load()}")
    for wanted, test in zip(("completed", "failed"), tests, strict=True):
        print(f"{test.state} (should be {wanted}): {test.sentence}")
        print(f"  score {test.scores[0]:.2f} -> {test.scores[1]:.2f}")
        for name, (said, took) in {
            "tokens": test.tokens,
            "USD": test.usd,
            "seconds": test.seconds,
        }.items():
            print(f"  {name}: estimated {said:.6g}, took {took:.6g}")
    is_right = [test.state for test in tests] == ["completed", "failed"]
    return 0 if is_right and all(max(test.ratios.values()) <= 2 for test in tests) else 1


def run(*, base_url: str, worse: str, better: str) -> tuple[Tested, Tested]:
    """Track the worse model, move to the better one, try to move back; return both tests."""
    from django.core.management import call_command

    from versioning.models import EvaluationSuite, Policy, TrackedModel

    said = ["--base-url", base_url, "--prices", *PRICES]
    call_command("add_provider", "local", "--kind", "openai", *said)
    call_command("track", "local", worse, "--name", "answers")
    call_command("check_providers")
    EvaluationSuite.objects.create(
        name=SUITE,
        task="questions",
        template=TEMPLATE,
        scorers=["contains"],
        max_tokens=12,
        parameters={"temperature": 0},
        concurrency=2,
        budget_usd=Decimal(1),
    )
    with _file() as path:
        call_command("import_cases", SUITE, str(path))
    tracked = TrackedModel.objects.get()
    Policy.objects.create(tracked_model=tracked, required_suites=[SUITE])
    return _test(tracked_id=tracked.pk, to=better), _test(tracked_id=tracked.pk, to=worse)


def cases() -> Iterator[dict[str, object]]:
    """Return 50 questions with their answers."""
    for words, question in (
        (CAPITALS, "What is the capital of {}?"),
        (OPPOSITES, "What is the opposite of {}?"),
        (COLOURS, "What colour is {}?"),
    ):
        for pair in words.split(", "):
            asked, expected = pair.split()
            yield {"variables": {"question": question.format(asked)}, "expected": expected}
    for left, right in SUMS:
        yield {
            "variables": {"question": f"What is {left} + {right}?"},
            "expected": str(left + right),
            "scorers": ["number"],
        }


@contextmanager
def _file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.jsonl"
        path.write_text("\n".join(json.dumps(case) for case in cases()))
        yield path


def _test(*, tracked_id: int, to: str) -> Tested:
    """Ask for the move, carry out its tests, and take it on by what they say."""
    from django.utils import timezone

    from versioning.models import TrackedModel
    from versioning.services.actors import Actor
    from versioning.services.evaluation import running
    from versioning.services.upgrades import decisions, rollout

    record = decisions.request_upgrade(
        tracked=TrackedModel.objects.get(pk=tracked_id),
        upstream_id=to,
        actor=Actor.command(),
        now=timezone.now(),
        reason="A real server's two models.",
        evidence_hash=None,
    )
    running.carry_out_open_runs()
    rollout.carry_on(now=timezone.now())
    record.refresh_from_db()
    return _shown(record)


def _shown(record: "UpgradeRecord") -> Tested:
    run = record.evaluation_runs.get()
    began, ended, usd = run.started_at, run.ended_at, run.estimated_usd
    if began is None or ended is None or usd is None:
        raise SystemExit(f"The run did not end: {run.problem}")
    return Tested(
        state=record.state,
        sentence=run.sentence,
        scores=(run.result["current"], run.result["candidate"]),
        tokens=(run.estimated_tokens, run.spent_tokens),
        usd=(usd, run.spent_usd),
        seconds=(run.estimated_seconds, (ended - began).total_seconds()),
    )


if __name__ == "__main__":
    sys.exit(main())
