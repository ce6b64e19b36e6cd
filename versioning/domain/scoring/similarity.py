"""How alike are the answer and the expected text?"""

from collections.abc import Mapping
from typing import Any, ClassVar

from versioning.domain.scoring.base import Option, OptionKind, Output, Score, Scorer, read_number
from versioning.domain.scoring.text import normalised


class Similarity(Scorer):
    """Normalised indel similarity: 1 - (insertions + deletions) / (both lengths)."""

    name = "similarity"
    explanation = "The share of letters in common with the expected text, in order (0 to 1)."
    needs_expected = True
    options: ClassVar[Mapping[str, Option]] = {
        "at_least": Option(
            "1 from this similarity on, else 0; without it, the similarity itself",
            OptionKind.NUMBER,
        ),
        "ignore_order": Option("if the order of words doesn't count", OptionKind.YES_OR_NO),
    }

    def check(self, options: Mapping[str, Any]) -> None:
        super().check(options)
        if "at_least" in options:
            read_number(options, "at_least", least=0, most=1, default=None)

    def score(self, *, output: Output, expected: str, options: Mapping[str, Any]) -> Score:
        from rapidfuzz import fuzz  # most processes never score: they do without its memory

        measure = fuzz.token_sort_ratio if options.get("ignore_order") else fuzz.ratio
        alike = measure(normalised(output.text), normalised(expected)) / 100
        reason = f"{alike:.0%} alike"
        if "at_least" in options:
            return Score(1.0 if alike >= options["at_least"] else 0.0, reason)
        return Score(alike, reason)
