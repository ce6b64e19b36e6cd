"""Every figure of a request, declared once: how a sample tells it, what sums keep of it, what is
shown of it and where, which limits gate it, and how it is watched for drift.

Fields of samples, columns of the tables, sums and their rebuild, answers of the API, pages, charts,
limits of policies, findings of drift and the table in docs/samples.md follow. To add one, add it to
``FIGURES``.
"""

from dataclasses import make_dataclass
from decimal import Decimal
from typing import Any

from versioning.domain.figure_kinds import (
    DriftScale,
    DriftWatch,
    Field,
    Figure,
    Gated,
    Kept,
    Limit,
    Rate,
    Rises,
    Says,
    ShownFigure,
    Sum,
    Unit,
)


def _tokens(name: str, meaning: str, *more: Sum, watched: DriftWatch | None = None) -> Figure:
    return Figure(
        name=name,
        field=Field(name=name, unit=Unit.TOKENS, meaning=meaning),
        sums=(Sum(name=name, kept=Kept.TOTAL, of=name), *more),
        shown=(ShownFigure(name=name, says=Says.COUNT, of=lambda sums: getattr(sums, name)),),
        watched=() if watched is None else (watched,),
    )


def _latency(percentile: int, *, table: str = "", pair: str = "") -> ShownFigure:
    return ShownFigure(
        name=f"latency_p{percentile}_ms",
        says=Says.MILLISECONDS,
        of=lambda sums: sums.latency_sketch.quantile(percentile / 100),
        table=table,
        pair=pair,
    )


FIGURES = (
    Figure(
        name="requests",
        sums=(
            Sum(name="samples", kept=Kept.COUNT),
            Sum(
                name="served_otherwise",
                kept=Kept.COUNT,
                help="Samples that another id than the version's own answered.",
            ),
        ),
        shown=(
            ShownFigure(
                name="samples",
                says=Says.COUNT,
                of=lambda sums: sums.samples,
                table="Requests",
                pair="Requests",
            ),
        ),
    ),
    Figure(
        name="quality",
        field=Field(
            name="quality",
            unit=Unit.SCORE,
            meaning="how good the answer was; leave it out where nobody said: missing is not zero",
            help="From 0 to 1; empty without feedback.",
            listed="quality",
        ),
        sums=(
            Sum(name="quality", kept=Kept.MOMENTS, of="quality"),
            # A score that is corrected adds its old value here: both only grow.
            Sum(name="retracted", kept=Kept.MOMENTS),
            Sum(name="components", kept=Kept.MOMENTS_BY_NAME, help="By name: [n, mean, M2]."),
            Sum(name="retracted_components", kept=Kept.MOMENTS_BY_NAME),
        ),
        shown=(
            ShownFigure(
                name="quality",
                says=Says.SCORE,
                help="From 0 to 1: the mean of each part over the requests that have it, weighed "
                "part by part: a given score counts 1, signals by their weights, in full from 100 "
                "values on and in proportion where there are fewer.",
                pair="Quality",
            ),
            ShownFigure(
                name="quality_parts",
                says=Says.PARTS,
                help="What quality is made of: quality (a given score), or signals by their name.",
            ),
            ShownFigure(
                name="quality_n",
                says=Says.COUNT,
                of=lambda sums: sums.scores.n,
                help="How many samples have a score.",
                pair="Scores",
            ),
            ShownFigure(
                name="quality_coverage",
                says=Says.SHARE,
                of=lambda sums: Rate(sums.samples, sums.scores.n).share,
            ),
        ),
        chart="Quality, 0 to 1",
        # Where it is made of several things, services.evidence.drift watches each by itself.
        watched=(
            DriftWatch(
                measure="quality",
                title="quality",
                scale=DriftScale.PLAIN,
                of=lambda sums: sums.scores,
            ),
        ),
    ),
    Figure(
        name="errors",
        sums=(
            Sum(name="errors", kept=Kept.COUNT),
            Sum(name="errors_by_class", kept=Kept.COUNTS),
        ),
        shown=(
            ShownFigure(name="errors", says=Says.COUNT, of=lambda sums: sums.errors),
            ShownFigure(
                name="error_rate",
                says=Says.SHARE,
                of=lambda sums: Rate(sums.samples, sums.errors).share,
                table="Errors",
                pair="Errors",
            ),
            ShownFigure(
                name="errors_by_class",
                says=Says.COUNTS,
                of=lambda sums: dict(sorted(sums.errors_by_class.items())),
            ),
        ),
        rate=lambda sums: Rate(sums.samples, sums.errors),
        chart="Errors, share of requests",
        watched=(
            DriftWatch(
                measure="errors",
                title="errors",
                scale=DriftScale.RATE,
                of=lambda sums: Rate(max(sums.samples, sums.errors), sums.errors),
            ),
        ),
        gated=Gated(
            name="errors",
            title="Error rate",
            brief="Errors",
            what="error rate",
            subject="errors",
            limits=(
                Limit(
                    setting="max_error_rise",
                    rises=Rises.POINTS,
                    default=Decimal("0.02"),
                    careful=Decimal("0.01"),
                    fast=Decimal("0.02"),
                    help="Points of error rate it may rise by: 0.02 allows 5 % to become 7 %.",
                    asked="Points of error rate that it may rise by: 2 allows 5 % to become 7 %.",
                ),
                Limit(
                    setting="max_error_times",
                    rises=Rises.TIMES,
                    default=Decimal("2"),
                    careful=Decimal("1.5"),
                    fast=Decimal("2"),
                    help="How many times as many errors there may be, or a point more where that "
                    "is more: 2 allows 3 % to become 6 %, and 0.2 % to become 1.2 %. The stricter "
                    "of this and the rise in points holds. 99 is no limit.",
                    asked="How many times as many errors there may be, or a point more where that "
                    "is more: 2 allows 3 % to become 6 %, and 0.2 % to become 1.2 %. The stricter "
                    "of this and the rise in points holds.",
                ),
            ),
            unsaid="no task has requests on both sides",
        ),
    ),
    Figure(
        name="tool_call_error",
        field=Field(
            name="tool_call_error",
            unit=Unit.YES_NO,
            meaning="whether the answer called a tool that there isn't, or with arguments that "
            "don't fit; false where somebody looked and it is not so. Of a failed request nothing "
            "is kept",
            help="Of answered requests; empty where nobody looked.",
            of_answered=True,
        ),
        sums=(
            Sum(
                name="tool_call_error",
                kept=Kept.RATE,
                of="tool_call_error",
                answered=True,
                help="Answered requests of which it is known.",
            ),
        ),
        shown=(
            ShownFigure(
                name="tool_call_error_n",
                says=Says.COUNT,
                of=lambda sums: sums.tool_call_error.n,
                help="How many answered requests tell whether their tool call was invalid.",
            ),
            ShownFigure(
                name="tool_call_errors",
                says=Says.COUNT,
                of=lambda sums: sums.tool_call_error.hits,
                help="How many of these were.",
            ),
            ShownFigure(
                name="tool_call_error_rate",
                says=Says.SHARE,
                of=lambda sums: sums.tool_call_error.share,
                table="Tool call errors",
                pair="Tool call errors",
                optional=True,
            ),
        ),
        rate=lambda sums: sums.tool_call_error,
        chart="Tool call errors, share of answered requests that tell it",
        watched=(
            DriftWatch(
                measure="tool_call_error",
                title="tool call errors",
                scale=DriftScale.RATE,
                of=lambda sums: sums.tool_call_error,
            ),
        ),
        gated=Gated(
            name="tool_call_errors",
            title="Tool call errors",
            brief="Tool calls",
            what="rate of tool call errors",
            subject="tool call errors",
            limits=(
                Limit(
                    setting="max_tool_call_error_rise",
                    rises=Rises.POINTS,
                    default=None,
                    careful=None,
                    fast=None,
                    help="Points that the rate of invalid tool calls may rise by, among answered "
                    "requests that tell it: 0.02 allows 1 % to become 3 %. 1 is no limit, and "
                    "there is none unless it is set.",
                    asked="Points that the rate of invalid tool calls may rise by, among answered "
                    "requests that tell tool_call_error: 2 allows 1 % to become 3 %. 100 is no "
                    "limit, and there is none unless it is set.",
                ),
            ),
            unsaid="no task has answered requests on both sides that tell tool_call_error",
        ),
    ),
    Figure(
        name="latency",
        field=Field(
            name="latency_ms",
            unit=Unit.MILLISECONDS,
            meaning="how long the request took",
            title="latency, ms",
            listed="latency",
        ),
        sums=(
            Sum(
                name="latency",
                kept=Kept.MOMENTS,
                of="latency_ms",
                answered=True,
                help="Successful requests with a latency.",
            ),
            Sum(name="latency_sketch", kept=Kept.SKETCH, of="latency_ms", answered=True),
        ),
        shown=(
            _latency(50, table="p50", pair="Latency p50"),
            _latency(95, table="p95", pair="Latency p95"),
            _latency(99),
        ),
        chart="Latency p95, ms",
        watched=(
            DriftWatch(
                measure="latency",
                title="latency",
                scale=DriftScale.AMOUNT,
                of=lambda sums: sums.latency,
            ),
        ),
        gated=Gated(
            name="latency_p95",
            title="Latency p95",
            brief="Latency",
            what="latency p95",
            subject="latency (p95)",
            limits=(
                Limit(
                    setting="max_latency_rise",
                    rises=Rises.FRACTION,
                    default=Decimal("0.2"),
                    careful=Decimal("0.1"),
                    fast=Decimal("0.3"),
                    help="Fraction that latency p95 may rise by: 0.2 is 20 %. 99 is no limit.",
                    asked="How much latency p95 may rise by, such as 20 %.",
                ),
            ),
        ),
    ),
    Figure(
        name="ttft",
        field=Field(
            name="ttft_ms",
            unit=Unit.MILLISECONDS,
            meaning="how long the first token took",
            title="time to first token, ms",
        ),
    ),
    Figure(
        name="cost",
        field=Field(
            name="cost_usd",
            unit=Unit.USD,
            meaning="0 is free; left out or `null`, it is reckoned from the tokens (see below)",
            column="cost_nano_usd",
            title="cost, billionths of a USD",
            help="Empty means unknown, not free.",
            listed="cost",
        ),
        sums=(
            Sum(
                name="cost",
                kept=Kept.MOMENTS,
                of="cost_nano_usd",
                help="Requests whose cost is known.",
                help_of_mean="Billionths of a USD.",
            ),
        ),
        shown=(
            ShownFigure(
                name="cost_usd",
                says=Says.USD,
                help="Mean of a request whose cost is known.",
                table="Cost",
                pair="Cost of a request",
            ),
            ShownFigure(name="cost_n", says=Says.COUNT, of=lambda sums: sums.cost.n),
            ShownFigure(name="cost_per_success_usd", says=Says.USD, pair="Cost of a success"),
        ),
        chart="Cost of 1,000 requests, USD",
        watched=(
            DriftWatch(
                measure="cost",
                title="cost per success",
                words="cost per success, USD,",
                scale=DriftScale.AMOUNT,
            ),
        ),
        gated=Gated(
            name="cost_per_success",
            title="Cost per 1,000",
            brief="Cost",
            what="cost per 1,000 successful requests",
            subject="cost per successful request",
            limits=(
                Limit(
                    setting="max_cost_rise",
                    rises=Rises.FRACTION,
                    default=Decimal("0.2"),
                    careful=Decimal("0.1"),
                    fast=Decimal("0.3"),
                    help="Fraction that the cost per successful request may rise by. 99 is no "
                    "limit.",
                    asked="How much the cost per successful request may rise by.",
                ),
            ),
        ),
    ),
    _tokens(
        "input_tokens",
        "all tokens of the input; 0 of both sides of an answered request is unknown, not free",
    ),
    _tokens(
        "output_tokens",
        "all tokens of the output",
        Sum(
            name="output",
            kept=Kept.MOMENTS,
            of="output_tokens",
            answered=True,
            help_of_mean="Output tokens of successful requests.",
        ),
        watched=DriftWatch(
            measure="output_length",
            title="output length",
            scale=DriftScale.AMOUNT,
            of=lambda sums: sums.output,
        ),
    ),
    _tokens("cached_tokens", "those of the input that were read from a cache"),
    _tokens("cache_write_tokens", "those of the input that were written to a cache"),
    _tokens(
        "reasoning_tokens",
        "those of the output that were spent on reasoning",
        watched=DriftWatch(
            measure="reasoning",
            title="reasoning tokens",
            scale=DriftScale.AMOUNT_OR_NONE,
        ),
    ),
)

FIELDS: tuple[Field, ...] = tuple(each.field for each in FIGURES if each.field is not None)
SUMS: tuple[Sum, ...] = tuple(each for figure in FIGURES for each in figure.sums)
SHOWN: tuple[ShownFigure, ...] = tuple(each for figure in FIGURES for each in figure.shown)
CHARTS: tuple[Figure, ...] = tuple(figure for figure in FIGURES if figure.chart)
GATES: tuple[Gated, ...] = tuple(each.gated for each in FIGURES if each.gated is not None)
LIMITS: tuple[Limit, ...] = tuple(limit for gated in GATES for limit in gated.limits)
WATCHED: tuple[DriftWatch, ...] = tuple(each for figure in FIGURES for each in figure.watched)
TOLD_RATES: tuple[Figure, ...] = tuple(each for each in FIGURES if each.field and each.rate)
"""Rates that are known where samples tell them, and among answered requests only."""

Limits: Any = make_dataclass(
    "Limits",
    [(limit.setting, Decimal | None, limit.default) for limit in LIMITS],
    frozen=True,
    slots=True,
    kw_only=True,
)
"""The base of what has all limits, by the names of their settings."""
