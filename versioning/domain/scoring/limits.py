"""Was the answer quick and cheap enough?"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from versioning.domain.scoring.base import (
    Option,
    OptionKind,
    Output,
    Score,
    Scorer,
    passed,
    read_number,
)


class Latency(Scorer):
    name = "latency"
    explanation = "The answer came within a time."
    options: ClassVar[Mapping[str, Option]] = {
        "limit_ms": Option("the time in milliseconds", OptionKind.NUMBER)
    }

    def check(self, options: Mapping[str, Any]) -> None:
        super().check(options)
        read_number(options, "limit_ms", least=1, most=3_600_000, default=None)

    def score(self, *, output: Output, expected: str, options: Mapping[str, Any]) -> Score:
        limit = options["limit_ms"]
        return passed(output.latency_ms <= limit, f"{output.latency_ms:.0f} ms of {limit:g} ms")


class Cost(Scorer):
    name = "cost"
    explanation = "The answer cost no more than a limit."
    options: ClassVar[Mapping[str, Option]] = {
        "limit_usd": Option("the limit in US dollars", OptionKind.NUMBER)
    }

    def check(self, options: Mapping[str, Any]) -> None:
        super().check(options)
        read_number(options, "limit_usd", least=0, most=1_000_000, default=None)

    def score(self, *, output: Output, expected: str, options: Mapping[str, Any]) -> Score:
        if output.cost_usd is None:
            return Score(None, "its price is unknown")
        limit = Decimal(str(options["limit_usd"]))
        return passed(output.cost_usd <= limit, f"${output.cost_usd:f} of ${limit:f}")
