"""Is the number in the answer near enough to the expected one?"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

import regex

from versioning.domain.scoring.base import (
    Option,
    OptionKind,
    Output,
    Score,
    Scorer,
    passed,
    read_number,
)

_NUMBER = regex.compile(
    r"[-+−]?(?:\d{1,3}(?:[,\u202f\u00a0' ]\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?"
)


def last_number(text: str) -> Decimal | None:
    """Return the last number in the text: answers give the result at their end."""
    found = _NUMBER.findall(text)
    if not found:
        return None
    plain = regex.sub(r"[,\u202f\u00a0' ]", "", found[-1]).replace("−", "-")
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None


class Number(Scorer):
    name = "number"
    explanation = "The last number of the answer is the expected one, within a tolerance."
    needs_expected = True
    options: ClassVar[Mapping[str, Option]] = {
        "tolerance": Option(
            "how far it may be off, in the number's own unit; 0 without it", OptionKind.NUMBER
        ),
        "relative": Option(
            "how far it may be off as a fraction of the expected number, such as 0.01",
            OptionKind.NUMBER,
        ),
    }

    def check(self, options: Mapping[str, Any]) -> None:
        super().check(options)
        read_number(options, "tolerance", least=0, most=1e30, default=0)
        read_number(options, "relative", least=0, most=10, default=0)

    def score(self, *, output: Output, expected: str, options: Mapping[str, Any]) -> Score:
        wanted = last_number(expected)
        if wanted is None:
            return Score(None, "the case expects no number")
        given = last_number(output.text)
        if given is None:
            return Score(0.0, "there is no number in the answer")
        allowed = max(
            Decimal(str(options.get("tolerance", 0))),
            abs(wanted) * Decimal(str(options.get("relative", 0))),
        )
        is_right = abs(given - wanted) <= allowed
        return passed(
            is_right, f"{given} where {wanted} is expected" if not is_right else f"{given}"
        )
