"""Is the answer the expected text, or does it hold it?"""

import unicodedata
from collections.abc import Mapping
from typing import Any, ClassVar

from versioning.domain.scoring.base import (
    Option,
    OptionKind,
    Output,
    Score,
    Scorer,
    passed,
    shortened,
)


def normalised(text: str) -> str:
    """Return the text without differences of case, spaces, Unicode form and outer marks."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return plain.strip(" .,;:!?\"'`*")


class Exact(Scorer):
    name = "exact"
    explanation = "The answer is the expected text, but for spaces around it."
    needs_expected = True

    def score(self, *, output: Output, expected: str, options: Mapping[str, Any]) -> Score:
        is_right = output.text.strip() == expected.strip()
        return passed(is_right, _said(is_right, output.text, expected))


class Normalised(Scorer):
    name = "normalised"
    explanation = "Like exact, but case, spaces and marks at the ends don't count."
    needs_expected = True

    def score(self, *, output: Output, expected: str, options: Mapping[str, Any]) -> Score:
        is_right = normalised(output.text) == normalised(expected)
        return passed(is_right, _said(is_right, output.text, expected))


class Contains(Scorer):
    name = "contains"
    explanation = "The answer holds the expected text somewhere; case doesn't count."
    needs_expected = True
    options: ClassVar[Mapping[str, Option]] = {
        "case_sensitive": Option("if case counts", OptionKind.YES_OR_NO)
    }

    def score(self, *, output: Output, expected: str, options: Mapping[str, Any]) -> Score:
        if options.get("case_sensitive"):
            is_right = expected.strip() in output.text
        else:
            is_right = expected.strip().casefold() in output.text.casefold()
        verb = "holds" if is_right else "doesn't hold"
        return passed(is_right, f"{verb} {shortened(expected)}")


def _said(is_right: bool, text: str, expected: str) -> str:
    if is_right:
        return "as expected"
    return f"{shortened(text)} instead of {shortened(expected)}"
