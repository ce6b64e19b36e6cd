"""How a simulated model answers: right as often as its quality says, always the same way."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Finish = Literal["stop", "length", "refusal"]

REFUSE, EMPTY, CUT = "[[refuse]]", "[[empty]]", "[[cut]]"
"""Marks in a prompt that make any simulated model refuse, say nothing or break off."""

CACHED, KEPT = "[[cached]]", "[[kept]]"
"""Marks in a prompt: what stands before the first is read from the provider's cache, what stands
before the second is written to it."""

REFUSAL_TEXT = "I can't help with that."


@dataclass(frozen=True, slots=True)
class Said:
    """What a simulated model said, with the tokens it took."""

    text: str
    finish: Finish
    input_tokens: int
    """All of them, those of the cache among them."""
    output_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def plain_input_tokens(self) -> int:
        """Those that have nothing to do with the cache: some providers count only them as input."""
        return self.input_tokens - self.cached_tokens - self.cache_write_tokens


@dataclass(frozen=True, slots=True)
class Solution:
    """The right answer to a prompt, one that looks plausible and is wrong, and the task."""

    task: str
    right: str
    wrong: str


def say(
    *,
    model_id: str,
    messages: Sequence[Mapping[str, Any]],
    quality: Callable[[str], float],
    max_tokens: int | None = None,
) -> Said:
    """Answer the last message; ``quality`` gives the share of right answers for a task."""
    prompt = next((_text(m) for m in reversed(messages) if m.get("role") != "system"), "")
    whole = "\n".join(_text(m) for m in messages)
    said = _say(whole, prompt, model_id=model_id, quality=quality, max_tokens=max_tokens)
    cached = tokens(whole.partition(CACHED)[0]) if CACHED in whole else 0
    kept = tokens(whole.partition(KEPT)[0]) - cached if KEPT in whole else 0
    return replace(said, cached_tokens=cached, cache_write_tokens=max(0, kept))


def _say(
    whole: str,
    prompt: str,
    *,
    model_id: str,
    quality: Callable[[str], float],
    max_tokens: int | None,
) -> Said:
    if REFUSE in whole:
        return Said(REFUSAL_TEXT, "refusal", tokens(whole), tokens(REFUSAL_TEXT))
    if EMPTY in whole:
        return Said("", "stop", tokens(whole), 0)
    solution = solve(prompt)
    is_right = chance(model_id, prompt) < quality(solution.task)
    text = solution.right if is_right else solution.wrong
    limit = 1 if CUT in whole else max_tokens
    if limit is not None and tokens(text) > limit:
        return Said(text[: limit * 4], "length", tokens(whole), limit)
    return Said(text, "stop", tokens(whole), tokens(text))


def tokens(text: str) -> int:
    """Return about how many tokens the text has: one for each four characters."""
    return -(-len(text) // 4)


def chance(model_id: str, prompt: str) -> float:
    """Return a number in 0..1 that is the same for this model and prompt for ever."""
    digest = hashlib.sha256(f"{model_id}\0{prompt}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def solve(prompt: str) -> Solution:
    """Return right and wrong answers for the kinds of prompt that suites and the demo use."""
    for solver in (_arithmetic, _email, _sentiment, _name_and_age, _summary):
        if found := solver(prompt):
            return found
    words = prompt.split()
    return Solution("chat", " ".join(words[:12]) or "Hello.", "I am not sure what you mean.")


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content", "")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content)


def _arithmetic(prompt: str) -> Solution | None:
    found = re.search(r"(-?\d{1,9})\s*([-+*x×])\s*(-?\d{1,9})", prompt)
    if not found:
        return None
    left, right = int(found[1]), int(found[3])
    total = {"+": left + right, "-": left - right}.get(found[2], left * right)
    return Solution("arithmetic", str(total), str(total + 1 + abs(left) % 9))


def _email(prompt: str) -> Solution | None:
    found = re.search(r"[\w.+-]+@[\w-]+\.[\w.-]*\w", prompt)
    if not found:
        return None
    return Solution("extract", found[0], found[0].replace("@", "@mail."))


_GOOD = re.compile(r"\b(love|great|good|excellent|happy|wonderful|perfect|recommend)\w*", re.I)
_BAD = re.compile(r"\b(hate|bad|terrible|awful|broken|angry|poor|worst|disappoint)\w*", re.I)


def _sentiment(prompt: str) -> Solution | None:
    if not re.search(r"sentiment|positive or negative", prompt, re.I):
        return None
    is_good = len(_GOOD.findall(prompt)) >= len(_BAD.findall(prompt))
    right, wrong = ("positive", "negative") if is_good else ("negative", "positive")
    return Solution("classify", right, wrong)


def _name_and_age(prompt: str) -> Solution | None:
    found = re.search(r"JSON.*?:\s*(\w+) is (\d{1,3})", prompt, re.I | re.S)
    if not found:
        return None
    right = json.dumps({"name": found[1], "age": int(found[2])})
    return Solution("extract", right, f"Name: {found[1]}, age: {found[2]}")


def _summary(prompt: str) -> Solution | None:
    found = re.search(r"summari[sz]e[^:]*:\s*(.+)", prompt, re.I | re.S)
    if not found:
        return None
    sentences = re.split(r"(?<=[.!?])\s+", found[1].strip())
    return Solution("summarise", sentences[0], "The text is about several things.")
