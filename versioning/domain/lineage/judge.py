"""May one listed model be the upgrade of the one in use? A verdict with its reasons."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from versioning.domain import dates
from versioning.domain.lineage import vocabulary
from versioning.domain.lineage.answer import HeldBy, StepKind
from versioning.domain.lineage.entry import Entry
from versioning.domain.lineage.identity import Identity, ReleaseStage
from versioning.domain.lineage.line import differences, same_model
from versioning.domain.lineage.order import day_of, rank
from versioning.domain.lineage.twins import clearly_later, told_apart

# Release dates of different generations are noted loosely; a snapshot's are not.
_GENERATION_SLACK_DAYS: Final = 31
# Further apart it is no odd date: somebody counts anew, or the numbers are no versions.
_MOST_CONTRADICTED_DAYS: Final = 364


@dataclass(frozen=True, slots=True)
class Candidacy:
    """A step where the candidate is an upgrade, else why it is not; `distance` sorts the latter.

    `is_doubt` says that nothing but what is not known stands against it: it is a maybe. `held_by`
    is the one thing that stands against it where there is but one.
    """

    step: StepKind | None
    why_not: str = ""
    distance: int = 0
    is_doubt: bool = False
    held_by: HeldBy | None = None


def judge(
    current: Entry,
    candidate: Entry,
    *,
    provider: str = "",
    allow_previews: bool = False,
    is_leaving: bool = False,
    has_moved: bool = False,
    at: date | None = None,
) -> Candidacy:
    """Compare one candidate with the model in use, on the day `at` where it is known.

    `is_leaving` says that the model in use is deprecated or no longer listed, which makes a
    bare name or the settled form of a preview acceptable without a date; `has_moved` that the
    bare name in use stands for a later snapshot already.
    """
    if current.identity.says_nothing or candidate.identity.says_nothing:
        return Candidacy(None, "An id that says nothing of the model behind it.", distance=9)
    apart = differences(current.identity, candidate.identity)
    if apart:
        return Candidacy(None, _sentence(apart[0]), distance=len(apart))
    if same_model(current, candidate):
        held_by = HeldBy.LOOK_ALIKE if _came_later(current, candidate) else None
        return Candidacy(None, "The same model under another name.", held_by=held_by)
    unsettled = _unsettled(current, candidate, allow_previews=allow_previews, is_leaving=is_leaving)
    reason = (
        _itself_leaving(current, candidate, is_leaving=is_leaving, at=at)
        or _not_newer(current, candidate, provider=provider, is_leaving=is_leaving)
        or _only_another_name(current, candidate, provider=provider, is_leaving=is_leaving)
        or _made_earlier(current, candidate, is_leaving=is_leaving)
        or _gives_something_else(current, candidate)
        or candidate.known.why_not_callable(current.known)
    )
    if unsettled:
        is_all = unsettled == _A_PREVIEW and not reason
        return Candidacy(None, unsettled, held_by=HeldBy.PREVIEWS if is_all else None)
    if reason:
        return Candidacy(None, reason, held_by=HeldBy.LOOK_ALIKE if reason == _ONE_NAME else None)
    doubt = (
        _goes_too(candidate)
        or _may_be_its_alias(current, candidate, is_leaving=is_leaving)
        or _may_be_its_snapshot(current, candidate, provider=provider, has_moved=has_moved)
    )
    if doubt:
        return Candidacy(None, doubt, is_doubt=True)
    return Candidacy(_step(current, candidate))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _unsettled(current: Entry, candidate: Entry, *, allow_previews: bool, is_leaving: bool) -> str:
    """Refuse previews and aliases, but for the alias of the snapshot in use."""
    new, old = candidate.identity, current.identity
    if new.stage is ReleaseStage.ROUTER:
        return "It chooses a model for each request, it is no version."
    if new.moves and not old.moves and not _is_its_alias(current, candidate):
        return "An alias that moves by itself, not a version."
    was_preview = old.is_preview or current.known.is_called_preview
    is_preview = new.is_preview or candidate.known.is_called_preview
    if is_preview and not (was_preview or allow_previews):
        return _A_PREVIEW
    return ""


def _came_later(current: Entry, candidate: Entry) -> bool:
    here, there = day_of(current), day_of(candidate)
    return here is not None and there is not None and there > here


_A_PREVIEW: Final = "A preview, and the model in use is a settled one."


def _is_its_alias(current: Entry, candidate: Entry) -> bool:
    """True for the moving name of the line and generation of a snapshot in use."""
    old, new = current.identity, candidate.identity
    return (
        new.stage is ReleaseStage.ALIAS
        and old.snapshot is not None
        and (old.ordinal, old.base) == (new.ordinal, new.base)
        and bool(old.generation) == bool(new.generation)
        and not old.is_preview
        and new.id.startswith("~") == old.id.startswith("~")
    )


def _may_be_its_alias(current: Entry, candidate: Entry, *, is_leaving: bool) -> str:
    """Doubt the moving name, but where it is all that its maker leaves of the line.

    Where dates are the only versions of a line and the dated one in use goes, the line's alias
    is where the maker continues it.
    """
    old, new = current.identity, candidate.identity
    if not new.moves or old.moves or (is_leaving and not old.generation):
        return ""
    if candidate.stands_for:
        return f"Only a moving name is listed; it stands for {candidate.stands_for} now."
    return "Only a moving name is listed: nothing tells what it stands for now."


def _itself_leaving(current: Entry, candidate: Entry, *, is_leaving: bool, at: date | None) -> str:
    if candidate.known.is_called_out and not (is_leaving and candidate.known.is_still_served):
        return f"Its provider calls it {candidate.known.status.lower()}."
    if candidate.known.is_leaving(at) and not is_leaving:
        return "It is on its way out itself."
    ends, candidate_ends = current.known.retires_on, candidate.known.retires_on
    if ends and candidate_ends and candidate_ends <= ends:
        return "It ends no later than the model in use."
    return ""


def _goes_too(candidate: Entry) -> str:
    """Doubt what its maker calls old, too: somebody whose model goes may still win time by it."""
    if not candidate.known.is_called_out:
        return ""
    return f"The model in use goes, and its provider calls this one {candidate.known.status}, too."


def _not_newer(current: Entry, candidate: Entry, *, provider: str, is_leaving: bool) -> str:
    if _continues_undated(current, candidate, provider=provider, is_leaving=is_leaving):
        return ""
    if current.identity.generation and not candidate.identity.generation:
        return "Its name has no version number, the model in use has one."
    if _is_undated_pair(current, candidate):
        return ""
    if rank(candidate) <= rank(current) or _earlier_in_some_year(current, candidate):
        return "Not newer than the model in use."
    return ""


def _is_undated_pair(current: Entry, candidate: Entry) -> bool:
    """True for a bare or moving name and a snapshot of its generation that no date orders."""
    old, new = current.identity, candidate.identity
    if (old.ordinal, old.base, old.revision) != (new.ordinal, new.base, new.revision):
        return False
    if _is_its_alias(current, candidate):
        return candidate.stands_for is None
    is_bare = not (old.moves or current.snapshot) and new.snapshot is not None
    return is_bare and (day_of(current) is None or day_of(candidate) is None)


def _continues_undated(
    current: Entry, candidate: Entry, *, provider: str, is_leaving: bool
) -> bool:
    """True for the name that its own maker keeps while a snapshot of it goes away."""
    old, new = current.identity, candidate.identity
    return (
        is_leaving
        and old.snapshot is not None
        and new.snapshot is None
        and (old.ordinal, old.base) == (new.ordinal, new.base)
        and not (new.is_preview or old.is_preview)
        and (new.stage is ReleaseStage.ALIAS or vocabulary.OWN_SERVICES.get(provider) == new.vendor)
    )


def _earlier_in_some_year(current: Entry, candidate: Entry) -> bool:
    """Two snapshots of one generation, of which one hides its year: months must decide."""
    old, new = current.identity.snapshot, candidate.identity.snapshot
    if old is None or new is None or current.identity.ordinal != candidate.identity.ordinal:
        return False
    if (day_of(current) is None) == (day_of(candidate) is None):
        return False
    return (new.month, new.day) <= (old.month, old.day)


def _only_another_name(current: Entry, candidate: Entry, *, provider: str, is_leaving: bool) -> str:
    """Refuse a bare name for a snapshot of its generation, and a snapshot for a moving name.

    Which snapshot a bare name stands for is not written in it, so only a clear difference of
    dates makes it another version.
    """
    old, new = current.identity, candidate.identity
    if old.ordinal != new.ordinal or old.base != new.base:
        return ""
    if old.moves:
        return "A name that moves by itself, and a version that it may stand for."
    if old.is_preview and not new.is_preview:
        return ""
    if new.snapshot or not old.snapshot or new.moves:
        return ""
    undated = _continues_undated(current, candidate, provider=provider, is_leaving=is_leaving)
    if undated or clearly_later(current, candidate):
        return ""
    return _ONE_NAME


_ONE_NAME: Final = "A name and its own snapshot: nothing says that they differ."


def _may_be_its_snapshot(
    current: Entry, candidate: Entry, *, provider: str, has_moved: bool
) -> str:
    """Doubt a snapshot of the bare name in use, but where something tells that they differ."""
    old, new = current.identity, candidate.identity
    if old.snapshot or not new.snapshot or old.moves:
        return ""
    if old.ordinal != new.ordinal or old.base != new.base:
        return ""
    if old.is_preview and not new.is_preview:
        return ""
    if _stands_still(current, candidate, provider):
        return ""
    if not has_moved and told_apart(current, candidate):
        return ""
    return _ONE_NAME


def _stands_still(current: Entry, candidate: Entry, provider: str) -> bool:
    """Open weights keep their bare name, and some services keep what a numberless name is."""
    if _is_open(current) and _is_open(candidate):
        return clearly_later(current, candidate)
    return provider in vocabulary.NAMES_STAND_STILL and not current.identity.generation


def _is_open(entry: Entry) -> bool:
    known = entry.known
    return bool(known.hugging_face_id) or "open_weights" in known.capabilities


def _made_earlier(current: Entry, candidate: Entry, *, is_leaving: bool) -> str:
    """Refuse what was made earlier.

    Between generations a release date against the order of the numbers is a doubt (see
    `evidence`), no proof, unless both dates stand in the ids or a year lies between them.
    """
    old, new = current.identity, candidate.identity
    same = old.ordinal == new.ordinal
    if is_leaving and old.is_preview and same and new.snapshot is None:
        return ""
    here, there = day_of(current), day_of(candidate)
    if here is None or there is None:
        return ""
    if same:
        slack = 0
    else:
        is_written = old.snapshot and new.snapshot
        slack = _GENERATION_SLACK_DAYS if is_written else _MOST_CONTRADICTED_DAYS
    if (here - there).days > slack:
        return f"Made on {dates.day(there)}, before the model in use ({dates.day(here)})."
    return ""


def _gives_something_else(current: Entry, candidate: Entry) -> str:
    old, new = set(current.known.output_modalities), set(candidate.known.output_modalities)
    if old and new and not old <= new:
        return f"It gives {', '.join(sorted(new))}, not {', '.join(sorted(old))}."
    return ""


def _step(current: Entry, candidate: Entry) -> StepKind:
    old, new = current.identity, candidate.identity
    if old.ordinal == new.ordinal and old.base == new.base:
        dated = old.snapshot or new.snapshot or old.is_preview != new.is_preview
        return StepKind.SNAPSHOT if dated else StepKind.REVISION
    before, after = _major(old), _major(new)
    return StepKind.MINOR if before == after else StepKind.MAJOR


def _major(identity: Identity) -> tuple[int, ...]:
    """The first part of each version, or of the parents' where the name has none of its own."""
    versions = identity.generation or tuple(version for _, version in identity.base)
    return tuple(version[0] for version in versions or identity.ordinal if version)
