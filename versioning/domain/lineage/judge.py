"""May one listed model be the upgrade of the one in use? A verdict with its reasons."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from versioning.domain.lineage import vocabulary
from versioning.domain.lineage.answer import Step
from versioning.domain.lineage.identity import Stage
from versioning.domain.lineage.line import ONE_RELEASE_DAYS, differences, same_model
from versioning.domain.lineage.listing import Entry
from versioning.domain.lineage.order import day_of, rank

# Release dates of different generations are noted loosely; a snapshot's are not.
_GENERATION_SLACK_DAYS: Final = 31


@dataclass(frozen=True, slots=True)
class Verdict:
    """A step where the candidate is an upgrade, else why it is not; `distance` sorts the latter."""

    step: Step | None
    why_not: str = ""
    distance: int = 0


def judge(
    current: Entry,
    candidate: Entry,
    *,
    provider: str = "",
    allow_previews: bool = False,
    is_leaving: bool = False,
) -> Verdict:
    """Compare one candidate with the model in use.

    `is_leaving` says that the model in use is deprecated or no longer listed, which makes a
    bare name or the settled form of a preview acceptable without a date.
    """
    apart = differences(current.identity, candidate.identity)
    if apart:
        return Verdict(None, _sentence(apart[0]), distance=len(apart))
    if same_model(current, candidate):
        return Verdict(None, "The same model under another name.")
    reason = (
        _unsettled(current, candidate, allow_previews=allow_previews)
        or _not_newer(current, candidate)
        or _only_another_name(current, candidate, provider=provider, is_leaving=is_leaving)
        or _made_earlier(current, candidate, is_leaving=is_leaving)
        or _gives_something_else(current, candidate)
    )
    if reason:
        return Verdict(None, reason)
    return Verdict(_step(current, candidate))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _unsettled(current: Entry, candidate: Entry, *, allow_previews: bool) -> str:
    new, old = candidate.identity, current.identity
    if new.stage is Stage.ALIAS and old.stage is not Stage.ALIAS:
        return "An alias that moves by itself, not a version."
    if new.is_preview and not (old.is_preview or allow_previews):
        return "A preview, and the model in use is a settled one."
    return ""


def _not_newer(current: Entry, candidate: Entry) -> str:
    if rank(candidate) <= rank(current):
        return "Not newer than the model in use."
    return ""


def _only_another_name(current: Entry, candidate: Entry, *, provider: str, is_leaving: bool) -> str:
    """Refuse a bare name for a snapshot of its generation, and the other way round.

    Which snapshot a bare name stands for is not written in it, so only a clear difference of
    dates makes it another version.
    """
    old, new = current.identity, candidate.identity
    if old.generation != new.generation or old.base != new.base:
        return ""
    if old.is_preview and not new.is_preview:
        return ""
    if bool(old.snapshot) == bool(new.snapshot):
        return ""
    if new.snapshot and not old.generation and _stands_still(current, candidate, provider):
        return ""
    if old.snapshot and (is_leaving or _clearly_later(current, candidate)):
        return ""
    return "A name and its own snapshot: nothing says that they differ."


def _stands_still(current: Entry, candidate: Entry, provider: str) -> bool:
    return provider in vocabulary.NAMES_STAND_STILL or _clearly_later(current, candidate)


def _clearly_later(current: Entry, candidate: Entry) -> bool:
    earlier, later = day_of(current), day_of(candidate)
    return bool(earlier and later and (later - earlier).days > ONE_RELEASE_DAYS)


def _made_earlier(current: Entry, candidate: Entry, *, is_leaving: bool) -> str:
    old, new = current.identity, candidate.identity
    if is_leaving and old.is_preview and old.generation == new.generation:
        return ""
    here, there = day_of(current), day_of(candidate)
    if here is None or there is None:
        return ""
    slack = _GENERATION_SLACK_DAYS if old.generation != new.generation else 0
    if (here - there).days > slack:
        return f"Made on {_day(there)}, before the model in use ({_day(here)})."
    return ""


def _day(day: date) -> str:
    return day.isoformat()


def _gives_something_else(current: Entry, candidate: Entry) -> str:
    old, new = set(current.known.output_modalities), set(candidate.known.output_modalities)
    if old and new and not old <= new:
        return f"It gives {', '.join(sorted(new))}, not {', '.join(sorted(old))}."
    return ""


def _step(current: Entry, candidate: Entry) -> Step:
    old, new = current.identity, candidate.identity
    if old.generation == new.generation and old.base == new.base:
        dated = old.snapshot or new.snapshot or old.is_preview != new.is_preview
        return Step.SNAPSHOT if dated else Step.REVISION
    before, after = _major(old.generation, old.base), _major(new.generation, new.base)
    return Step.MINOR if before == after else Step.MAJOR


def _major(
    generation: tuple[tuple[int, ...], ...], base: tuple[tuple[str, tuple[int, ...]], ...]
) -> tuple[int, ...]:
    versions = generation or tuple(version for _, version in base)
    return tuple(version[0] for version in versions if version)
