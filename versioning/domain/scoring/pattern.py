"""Does the answer match a regular expression?"""

from collections.abc import Mapping
from typing import Any, ClassVar

import regex

from versioning.domain.scoring.base import BadOptions, Option, Output, Score, Scorer, passed

# A pattern of a suite can take for ever on an unlucky answer, and holds up the whole run.
TIME_LIMIT_S = 0.25
LONGEST_PATTERN = 1000


def search(pattern: str, text: str) -> bool:
    """Say whether the pattern is found in the text. Raises TimeoutError after 0.25 s."""
    return regex.search(pattern, text, timeout=TIME_LIMIT_S) is not None


class RegularExpression(Scorer):
    name = "regular_expression"
    explanation = "The answer matches the pattern somewhere."
    options: ClassVar[Mapping[str, Option]] = {
        "pattern": Option(
            "the regular expression; without it, the expected text of the case is one"
        )
    }

    def check(self, options: Mapping[str, Any]) -> None:
        super().check(options)
        if "pattern" not in options:
            return
        pattern = options["pattern"]
        if not isinstance(pattern, str) or not 0 < len(pattern) <= LONGEST_PATTERN:
            raise BadOptions(f"pattern must be a text of up to {LONGEST_PATTERN} characters.")
        try:
            regex.compile(pattern)
        except regex.error as error:
            raise BadOptions(f"pattern is no regular expression: {error}.") from error

    def score(self, *, output: Output, expected: str, options: Mapping[str, Any]) -> Score:
        pattern = options.get("pattern") or expected
        if not pattern:
            return Score(None, "no pattern, and the case expects nothing")
        try:
            is_right = search(pattern, output.text)
        except TimeoutError:
            return Score(
                None, f"the pattern took longer than {TIME_LIMIT_S} s; write a simpler one"
            )
        except regex.error as error:
            return Score(None, f"the expected text is no regular expression: {error}")
        return passed(is_right, "matches" if is_right else "doesn't match")
