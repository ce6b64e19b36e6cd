"""Requests of the sample world are the same on whatever day it is made."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from sample_world.traffic import Flow, requests

FLOW = Flow(
    provider="openai",
    model="chat",
    upstream_id="gpt-4o",
    task="answer",
    nth=3,
    count=2000,
    quality=0.8,
    latency_ms=900.0,
    input_price=Decimal(2),
    output_price=Decimal(8),
)


def told(flow: Flow, day: datetime) -> Iterator[dict[str, Any]]:
    """Yield what each request of an hour of the day gave, and when after its beginning."""
    for sample in requests(flow, begins=day, ends=day + timedelta(hours=1)):
        yield msgspec.structs.asdict(sample) | {"time": sample.time - day}


@pytest.mark.parametrize(
    "day", [datetime(2026, 11, 30, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)]
)
def test_a_date_changes_nothing(day: datetime) -> None:
    first = list(told(FLOW, datetime(2026, 11, 29, tzinfo=UTC)))
    assert any(each["error"] for each in first)
    assert list(told(FLOW, day)) == first


def test_each_hour_has_luck_of_its_own() -> None:
    day = datetime(2026, 11, 29, tzinfo=UTC)
    failed = {
        tuple(bool(each["error"]) for each in told(replace(FLOW, nth=hour), day))
        for hour in range(24)
    }
    assert len(failed) > 20
