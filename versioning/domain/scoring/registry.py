"""All scorers by name, and how a case's scorers make one score."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from versioning.domain.scoring.base import BadOptions, NameTaken, Output, Score, Scorer
from versioning.domain.scoring.limits import Cost, Latency
from versioning.domain.scoring.number import Number
from versioning.domain.scoring.pattern import RegularExpression
from versioning.domain.scoring.similarity import Similarity
from versioning.domain.scoring.structure import JsonSchema, JsonValid
from versioning.domain.scoring.text import Contains, Exact, Normalised

_SCORERS: Final[dict[str, Scorer]] = {
    scorer.name: scorer
    for scorer in (
        Exact(),
        Normalised(),
        Contains(),
        RegularExpression(),
        Number(),
        JsonValid(),
        JsonSchema(),
        Similarity(),
        Latency(),
        Cost(),
    )
}
SCORERS: Final[Mapping[str, Scorer]] = MappingProxyType(_SCORERS)
MOST_SCORERS = 10


def register(scorer: Scorer) -> None:
    """Add a scorer of another package. Raises NameTaken."""
    if scorer.name in _SCORERS:
        raise NameTaken(f"has the name {scorer.name}, which is taken")
    _SCORERS[scorer.name] = scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerUse:
    """A scorer with its options and its weight among the scorers of a case."""

    scorer: str
    options: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is written in a suite."""
        return {"scorer": self.scorer, "options": dict(self.options), "weight": self.weight}


def read_uses(value: Any) -> tuple[ScorerUse, ...]:
    """Read scorers as they are written: a list of names, or of objects with options and weight.

    Raises BadOptions with a sentence that says which entry is wrong.
    """
    if not isinstance(value, list):
        raise BadOptions('Scorers are a list, such as ["exact"].')
    if len(value) > MOST_SCORERS:
        raise BadOptions(f"At most {MOST_SCORERS} scorers.")
    return tuple(_read_use(item) for item in value)


def _read_use(item: Any) -> ScorerUse:
    written = {"scorer": item} if isinstance(item, str) else item
    if not isinstance(written, dict) or not set(written) <= {"scorer", "options", "weight"}:
        raise BadOptions(
            'A scorer is a name or {"scorer": name, "options": {...}, "weight": number}.'
        )
    scorer = SCORERS.get(str(written.get("scorer")))
    if scorer is None:
        raise BadOptions(
            f"There is no scorer {written.get('scorer')!r}; there are {', '.join(SCORERS)}."
        )
    options = written.get("options", {})
    if not isinstance(options, dict):
        raise BadOptions(f"The options of {scorer.name} must be an object.")
    scorer.check(options)
    weight = written.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 1000:
        raise BadOptions(f"The weight of {scorer.name} must be above 0, up to 1000.")
    return ScorerUse(scorer=scorer.name, options=options, weight=float(weight))


def score_output(*, output: Output, expected: str, uses: Sequence[ScorerUse]) -> Score:
    """Return the weighted mean of what the scorers say; one that can't say is left out."""
    scored = [(use, _score(use, output=output, expected=expected)) for use in uses]
    reason = "; ".join(f"{use.scorer}: {score.reason}" for use, score in scored)[:500]
    counted = [(use.weight, score.value) for use, score in scored if score.value is not None]
    if not counted:
        return Score(None, reason or "there is no scorer")
    total = math.fsum(weight for weight, _ in counted)
    mean = math.fsum(weight * value for weight, value in counted) / total
    return Score(min(1.0, max(0.0, mean)), reason)


def _score(use: ScorerUse, *, output: Output, expected: str) -> Score:
    scorer = SCORERS.get(use.scorer)
    if scorer is None:  # a package that brought it was removed
        return Score(None, "there is no such scorer here any more")
    try:
        return scorer.score(output=output, expected=expected, options=use.options)
    except Exception as error:  # another package's fault costs its own word, not the run
        return Score(None, f"it failed with {type(error).__name__}")
