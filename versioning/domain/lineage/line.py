"""Are two ids versions of one thing? Slot by slot, and why not in a sentence."""

import re
from typing import Final

from versioning.domain.lineage import vocabulary
from versioning.domain.lineage.entry import Entry
from versioning.domain.lineage.id_parts import BASE_OF_TUNES
from versioning.domain.lineage.identity import Identity, Version
from versioning.domain.lineage.order import day_of

# A digest or an owner's dated name; `001` is a revision of many models.
_NAMES_ONE_THING: Final = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}\Z|[^/]{1,100}/.")
# A bare name and a snapshot this close are one release under two names.
ONE_RELEASE_DAYS: Final = 45
# So many differences are never shown.
FAR_APART: Final = 3


def differences(current: Identity, other: Identity) -> tuple[str, ...]:
    """Say in which slots two ids differ; empty for two versions of one line.

    A size or a context that only one side states is no difference where the tier, or a newer
    generation, already tells the line (see `unsaid`); a newer generation may state a longer one.
    """
    pairs = (
        (current.vendor, other.vendor, "another maker"),
        (_tuned_by(current, other), other.fine_tune, "another fine-tune"),
        (current.words, other.words, "another family or word in the name"),
        (current.kinds, other.kinds, "another kind"),
        (current.tier, other.tier, "another tier"),
        (current.route, other.route, "another region or route"),
        (current.packaging, other.packaging, "another way to serve it"),
        (current.limit, other.limit, "another limit bought with it"),
    )
    unequal = [pair for pair in pairs if pair[0] != pair[1]]
    if len(unequal) >= FAR_APART:  # nobody reads these sentences, and most of a list is far
        return tuple([what for _, _, what in unequal])
    sentences = [f"{what}: {_change(_text(left), _text(right))}" for left, right, what in unequal]
    return (*sentences, *_sized(current, other), *_tuned(current, other), *_based(current, other))


def _text(slot: str | tuple[str, ...]) -> str:
    return slot if isinstance(slot, str) else _joined(slot)


def _change(left: str, right: str) -> str:
    """Return "mini instead of pro", "adds code" or "lacks code"."""
    if left and right:
        return f"{right} instead of {left}"
    return f"adds {right}" if right else f"lacks {left}"


def _tuned_by(current: Identity, other: Identity) -> str:
    """The base of fine-tunes goes on in the model of the next generation."""
    is_base = current.fine_tune == BASE_OF_TUNES and not other.fine_tune
    return "" if is_base else current.fine_tune


def is_newer_generation(current: Identity, other: Identity) -> bool:
    """True where the version numbers, or else those of the parent family, are higher."""
    return (other.ordinal, _parents(other)) > (current.ordinal, _parents(current))


def _parents(identity: Identity) -> tuple[Version, ...]:
    return tuple(version for _, version in identity.base)


def unsaid(current: Identity, other: Identity) -> tuple[str, ...]:
    """Say what only one of two ids of a line states: a reason for care, not a difference."""
    said = []
    if bool(current.size) != bool(other.size):
        said.append("only one of the names says its size")
    if bool(current.tuning) != bool(other.tuning):
        said.append("only one of the names says that it is tuned for instructions")
    if bool(current.base) != bool(other.base):
        said.append("only one of the names says what it was built on")
    return tuple(said)


def same_model(a: Entry, b: Entry) -> bool:
    """True where two entries are one model: other channel, other spelling, own snapshot."""
    left, right = a.identity, b.identity
    if left.id == right.id:
        return True
    if _same_files(a, b):
        return True
    if not _same_weights(left, right):
        return False
    if a.snapshot and b.snapshot:
        return a.snapshot == b.snapshot
    if not a.snapshot and not b.snapshot:
        return _same_revision(left.revision, right.revision)
    return _names_the_other(a, b) or (_same_release(a, b) and not other_weights(a, b))


def _same_files(a: Entry, b: Entry) -> bool:
    """True where the provider says so: one digest or dated name, or one repository of weights."""
    left, right = a.identity, b.identity
    if not _may_be_one_maker(left, right) or left.fine_tune != right.fine_tune:
        return False
    if _precision(left) != _precision(right):
        return False
    if left.snapshot and right.snapshot and left.snapshot != right.snapshot:
        return False
    repository = a.known.hugging_face_id.lower()
    is_one_repository = bool(repository) and repository == b.known.hugging_face_id.lower()
    revision = a.known.revision
    is_one_revision = revision == b.known.revision and bool(_NAMES_ONE_THING.match(revision))
    return is_one_repository or is_one_revision


def other_weights(a: Entry, b: Entry) -> bool:
    """True where both name their weights, and the names differ beside the owner and case."""
    left, right = (entry.known.hugging_face_id.casefold().rpartition("/")[2] for entry in (a, b))
    return bool(left and right) and left != right


def _same_weights(left: Identity, right: Identity) -> bool:
    return (
        _may_be_one_maker(left, right)
        and left.fine_tune == right.fine_tune
        and _words_beside(left, right.vendor) == _words_beside(right, left.vendor)
        and left.kinds == right.kinds
        and left.tier == right.tier
        and left.ordinal == right.ordinal
        and left.base == right.base
        and left.is_preview == right.is_preview
        and _precision(left) == _precision(right)
        and (left.size == right.size or not (left.size and right.size))
        and (left.tuning == right.tuning or not (left.size and right.size))
        and (left.context == right.context or not (left.context and right.context))
    )


def _may_be_one_maker(left: Identity, right: Identity) -> bool:
    """True for one maker, and where only one channel writes whose model it is."""
    return left.vendor == right.vendor or not (left.vendor and right.vendor)


def _words_beside(identity: Identity, vendor: str) -> tuple[str, ...]:
    """The words without the maker's name, where only the other channel tells that it is one."""
    return tuple(word for word in identity.words if word != vendor)


def _precision(identity: Identity) -> tuple[str, ...]:
    return tuple(word for word in identity.packaging if word not in vocabulary.SERVING)


def _same_revision(left: int, right: int) -> bool:
    return left == right or {left, right} == {0, 1}


def _names_the_other(a: Entry, b: Entry) -> bool:
    return a.known.id in b.known.aliases or b.known.id in a.known.aliases


def _same_release(a: Entry, b: Entry) -> bool:
    left, right = day_of(a), day_of(b)
    return bool(left and right and abs((left - right).days) <= ONE_RELEASE_DAYS)


def _joined(words: tuple[str, ...]) -> str:
    return " ".join(words)


def _sized(current: Identity, other: Identity) -> tuple[str, ...]:
    if current.size == other.size and current.context == other.context:
        return ()
    newer = is_newer_generation(current, other)
    if current.size != other.size:
        now_said = not current.size and bool(current.tier)
        if not (now_said and newer):
            left, right = _joined(current.size), _joined(other.size)
            return (f"another size: {right or 'none'} instead of {left or 'none'}",)
    if current.context != other.context and not (
        (newer and not _is_shorter(other.context, current.context)) or _outgrown(current, other)
    ):
        return (f"another context: {other.context or 'none'} instead of {current.context}",)
    return ()


def _is_shorter(context: str, than: str) -> bool:
    """True where both are told."""
    return bool(context and than) and tokens_of(context) * 1.1 < tokens_of(than)


def tokens_of(context: str) -> int:
    """Return the tokens of a context in a name: of `32k`, `8192`, or 0 of none.

    Roughly: some mean 32768 by `32k`.
    """
    return int(context.removesuffix("k") or 0) * (1000 if context.endswith("k") else 1)


def _outgrown(current: Identity, other: Identity) -> bool:
    """A context that a later snapshot no longer writes into its name is its normal one."""
    return bool(current.context and not other.context and current.snapshot and other.snapshot)


def _tuned(current: Identity, other: Identity) -> tuple[str, ...]:
    if current.tuning == other.tuning:
        return ()
    one_is_silent = not (current.tuning and other.tuning)
    never_base = "base" not in (current.tuning, other.tuning)
    is_open = bool(current.size and other.size)  # open weights have a base model beside them
    if one_is_silent and never_base and not is_open and is_newer_generation(current, other):
        return ()
    left, right = current.tuning, other.tuning
    return (f"another tuning: {right or 'none said'} instead of {left or 'none said'}",)


def _based(current: Identity, other: Identity) -> tuple[str, ...]:
    if not (current.base or other.base):
        return ()
    left = [family for family, _ in current.base]
    right = [family for family, _ in other.base]
    newer = is_newer_generation(current, other)
    if left == right or (newer and not (left and right)):
        return ()
    return (f"built on {', '.join(right) or 'nothing said'}, not {', '.join(left) or 'that'}",)
