"""What would the new version refuse? Each thing that requests use, ok or must change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from versioning.domain.evaluation.parameters import ParameterMap
from versioning.domain.statistics.figures import counted


class Fit(StrEnum):
    """Whether the new version takes it."""

    OK = "ok"
    MUST_CHANGE = "must_change"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """What requests use; shares are fractions of the requests, from 0 to 1.

    ``longest_input`` and ``longest_output`` are tokens.
    """

    parameters: Mapping[str, float]
    modalities: Mapping[str, float]
    capabilities: Mapping[str, float]
    longest_input: int = 0
    longest_output: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Takes:
    """What a version takes; empty or None where its provider doesn't say."""

    parameters: Sequence[str] = ()
    modalities: Sequence[str] = ()
    capabilities: Sequence[str] = ()
    context_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class PreflightRow:
    """One thing that requests use, and whether the new version takes it."""

    what: str
    fit: Fit
    share: float
    sentence: str


_ANY_PARAMETERS = frozenset({"max_tokens", "temperature"})
"""Adapters say these in each provider's own words."""


def preflight(*, uses: Uses, takes: Takes, mapping: ParameterMap) -> tuple[PreflightRow, ...]:
    """Compare what requests use with what a version takes, its parameter map applied.

    What must change comes first, then what is unknown.
    """
    rows = [
        *(_parameter(name, share, takes, mapping) for name, share in uses.parameters.items()),
        *(
            _listed("input", name, share, takes.modalities)
            for name, share in uses.modalities.items()
        ),
        *(
            _listed("", name, share, takes.capabilities)
            for name, share in uses.capabilities.items()
        ),
        _limit("context", uses.longest_input + uses.longest_output, takes.context_tokens),
        _limit("output", uses.longest_output, takes.output_tokens),
    ]
    order = [Fit.MUST_CHANGE, Fit.UNKNOWN, Fit.OK]
    return tuple(sorted(rows, key=lambda row: (order.index(row.fit), -row.share, row.what)))


def _parameter(name: str, share: float, takes: Takes, mapping: ParameterMap) -> PreflightRow:
    if name in _ANY_PARAMETERS:
        return PreflightRow(name, Fit.OK, share, f"{name} is taken by every kind of provider.")
    if name in mapping.rename:
        new = mapping.rename[name]
        return PreflightRow(name, Fit.OK, share, f"{name} is renamed {new} by the parameter map.")
    if name in mapping.drop:
        return PreflightRow(name, Fit.OK, share, f"{name} is dropped by the parameter map.")
    return _listed("", name, share, takes.parameters)


def _listed(before: str, name: str, share: float, known: Sequence[str]) -> PreflightRow:
    what = f"{name} {before}".strip()
    if not known:
        return PreflightRow(
            what, Fit.UNKNOWN, share, f"The provider doesn't say whether it takes {what}."
        )
    if name in known:
        return PreflightRow(what, Fit.OK, share, f"It takes {what}.")
    return PreflightRow(
        what, Fit.MUST_CHANGE, share, f"It doesn't take {what}, which {share:.0%} of requests use."
    )


def _limit(what: str, needed: int, limit: int | None) -> PreflightRow:
    name = f"{what} length"
    if limit is None:
        return PreflightRow(name, Fit.UNKNOWN, 1.0, f"The provider doesn't say the longest {what}.")
    if needed <= limit:
        return PreflightRow(
            name, Fit.OK, 1.0, f"Up to {needed:,} of {limit:,} tokens of {what} are used."
        )
    return PreflightRow(
        name,
        Fit.MUST_CHANGE,
        1.0,
        f"{counted(needed, 'token')} of {what} in use; it takes {limit:,}.",
    )
