"""What a run is expected to take, from what is known of its versions."""

from dataclasses import dataclass, replace
from decimal import Decimal

from django.db.models import Avg, Q

from versioning.domain.evaluation import judging
from versioning.domain.evaluation.cases import Case
from versioning.domain.evaluation.estimate import (
    Estimate,
    Seen,
    usual_seconds,
    usual_tokens,
)
from versioning.domain.pricing import PriceList, Unknown, Usage
from versioning.domain.statistics.noninferiority import Outlook, outlook
from versioning.models import EvaluationRun, EvaluationSuite, FrozenSuite, ModelVersion, Trial
from versioning.services import prices
from versioning.services.evaluation import suites
from versioning.services.evidence import performance


def estimate(
    *,
    frozen: FrozenSuite,
    from_version: ModelVersion,
    to_version: ModelVersion,
    judge: ModelVersion | None,
) -> Estimate:
    """Say what a run of a frozen suite over two versions takes, from what is known of them."""
    suite = frozen.suite
    total = _Sum()
    before, after = _seen(from_version, suite), _seen(to_version, suite)
    # A version that was never asked is expected to answer as the other one does.
    arms = [
        (prices.list_of(from_version), before.or_as(after)),
        (prices.list_of(to_version), after.or_as(before)),
    ]
    judge_prices = prices.list_of(judge) if judge else PriceList()
    judge_seen = replace(_seen(judge, suite), input_tokens=None) if judge else Seen()
    for case in suites.frozen_cases(frozen).values():
        messages = case.filled()
        for costs, seen in arms:
            total.add(
                messages,
                max_tokens=suite.max_tokens,
                seen=seen,
                prices=costs,
                expected=case.expected,
            )
        if judge is None:
            continue
        asked = _judge_question(case, suite, [seen for _, seen in arms])
        for _ in (Trial.Arm.JUDGE, Trial.Arm.JUDGE_SWAPPED):
            total.add(asked, max_tokens=judging.MAX_TOKENS, seen=judge_seen, prices=judge_prices)
    repeats = suite.repeats
    seconds = total.seconds * repeats / suite.concurrency
    if suite.requests_per_minute:
        seconds = max(seconds, total.requests * repeats * 60 / suite.requests_per_minute)
    return Estimate(
        requests=total.requests * repeats,
        input_tokens=total.input_tokens * repeats,
        output_tokens=total.output_tokens * repeats,
        cost_usd=None if total.cost is None else total.cost * repeats,
        seconds=seconds,
    )


def outlook_of(frozen: FrozenSuite) -> Outlook:
    """Say how often an equal version passes a run of these cases.

    How often two versions answer a case differently is taken from the suite's latest run.
    """
    suite = frozen.suite
    done = EvaluationRun.objects.filter(frozen__suite=suite, state=EvaluationRun.State.DONE)
    latest = done.order_by("-pk").values_list("result", flat=True).first() or {}
    spread = latest.get("spread")
    return outlook(
        cases=frozen.case_count,
        margin=suite.margin_for(frozen.case_count),
        differing=None if spread is None else spread**2,
    )


def _seen(version: ModelVersion, suite: EvaluationSuite) -> Seen:
    """What its trials of this suite took, else those of others, else what its requests took."""
    trials = Trial.objects.done().filter(
        Q(run__from_version=version, arm=Trial.Arm.CURRENT)
        | Q(run__to_version=version, arm=Trial.Arm.CANDIDATE),
        output_tokens__isnull=False,
    )
    took = Avg("output_tokens"), Avg("latency_ms"), Avg("input_tokens")
    own = trials.filter(run__frozen__suite=suite).aggregate(*took)
    if own["output_tokens__avg"] is not None:
        return Seen(
            input_tokens=own["input_tokens__avg"],
            output_tokens=own["output_tokens__avg"],
            latency_ms=own["latency_ms__avg"],
        )
    other = trials.aggregate(*took)
    if other["output_tokens__avg"] is not None:
        return Seen(output_tokens=other["output_tokens__avg"], latency_ms=other["latency_ms__avg"])
    total = performance.figures(version_ids=[version.pk])[version.pk].total
    succeeded = total.samples - total.errors
    tokens = total.output_tokens / succeeded if succeeded and total.output_tokens else None
    return Seen(output_tokens=tokens, latency_ms=total.latency_p50_ms)


@dataclass(slots=True)
class _Sum:
    """Adds up requests."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    cost: Decimal | None = Decimal(0)

    def add(
        self,
        messages: list[dict[str, str]],
        *,
        max_tokens: int,
        seen: Seen,
        prices: PriceList,
        expected: str = "",
    ) -> None:
        tokens = usual_tokens(messages, max_tokens=max_tokens, seen=seen, expected=expected)
        cost = prices.cost(Usage(input=tokens.input, output=tokens.output))
        self.requests += 1
        self.input_tokens += tokens.input
        self.output_tokens += tokens.output
        self.seconds += usual_seconds(output_tokens=tokens.output, seen=seen)
        if self.cost is not None:
            self.cost = None if isinstance(cost, Unknown) else self.cost + cost


def _judge_question(case: Case, suite: EvaluationSuite, seen: list[Seen]) -> list[dict[str, str]]:
    """A question of about the length that the judge will get."""
    first, second = (
        "x" * int(4 * (suite.max_tokens / 3 if one.output_tokens is None else one.output_tokens))
        for one in seen
    )
    return judging.question(
        request=case.filled()[-1]["content"],
        expected=case.expected,
        first=first,
        second=second,
        criteria=suite.judge_criteria,
    )
