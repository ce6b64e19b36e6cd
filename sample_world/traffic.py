"""Requests of the sample world: what each cost and gave, the same at every seeding."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from versioning.services.samples.incoming import SampleIn

SPREAD = 0.2
"""Widest distance of a score from its version's quality."""

SCORED_SHARE = 0.9
ERROR_SHARE = 0.008
ERRORS = ("timeout", "rate-limited", "server-error")
MILLION = Decimal(10) ** 6


@dataclass(frozen=True, slots=True)
class Flow:
    """Requests of one task to one version within a day or an hour.

    ``quality`` is the mean of the scores, 0..1; prices are USD per million tokens. ``nth`` is the
    day of the story, or the hour: each has luck of its own, and the same on whatever date it falls.
    """

    provider: str
    model: str
    upstream_id: str
    task: str
    nth: int
    count: int
    quality: float
    latency_ms: float
    input_price: Decimal | None
    output_price: Decimal | None
    is_trial: bool = False
    served_id: str = ""
    languages: tuple[str, ...] = ()


def requests(flow: Flow, *, begins: datetime, ends: datetime) -> Iterator[SampleIn]:
    """Yield the flow's samples, spread evenly over the time, in pairs.

    The two scores of a pair lie as far above the quality as below, so that the mean is exact.
    """
    luck = random.Random(f"{flow.upstream_id} {flow.task} {flow.nth} {flow.is_trial}")  # noqa: S311
    reach = min(SPREAD, flow.quality, 1 - flow.quality)
    step = (ends - begins) / max(flow.count, 1)
    for pair in range(flow.count // 2):
        distance = luck.uniform(0, reach)
        is_scored = luck.random() < SCORED_SHARE
        for side, score in enumerate((flow.quality - distance, flow.quality + distance)):
            moment = begins + step * (2 * pair + side) + step * luck.random()
            yield _request(flow, luck=luck, moment=moment, score=score if is_scored else None)


def _request(flow: Flow, *, luck: random.Random, moment: datetime, score: float | None) -> SampleIn:
    tokens_in, tokens_out = luck.randint(200, 1800), luck.randint(40, 400)
    failed = score is None and luck.random() < ERROR_SHARE / (1 - SCORED_SHARE)
    cost = None
    if flow.input_price is not None and flow.output_price is not None:
        cost = (flow.input_price * tokens_in + flow.output_price * tokens_out) / MILLION
    return SampleIn(
        provider=flow.provider,
        model=flow.model,
        upstream_id=flow.upstream_id,
        task=flow.task,
        source="canary" if flow.is_trial else "production",
        quality=score,
        latency_ms=round(flow.latency_ms * luck.lognormvariate(0, 0.35), 1),
        input_tokens=tokens_in,
        output_tokens=0 if failed else tokens_out,
        cost_usd=cost,
        error=luck.choice(ERRORS) if failed else "",
        served_id="" if failed else flow.served_id,
        tags={"language": luck.choice(flow.languages)} if flow.languages else None,
        time=moment.replace(microsecond=0) + timedelta(milliseconds=luck.randrange(1000)),
    )
