"""The order of versions inside one line, and what the calendar says about it."""

from datetime import date
from typing import Final

from versioning.domain.lineage.entry import Entry
from versioning.domain.lineage.identity import Identity, Snapshot, Version
from versioning.domain.lineage.known import Known

OrderKey = tuple[tuple[Version, ...], tuple[Version, ...], bool, tuple[int, int, int], int, str]

# OpenAI wrote four digits without a year from March 2023 to January 2024.
_OPENAI_FIRST_MONTH: Final = 3
_OPENAI_FIRST_YEAR: Final = 2023


def order_key(entry: Entry) -> OrderKey:
    """Return the key that sorts one line from its oldest to its newest version.

    In turn: the version numbers of the name; those of the family it was built on; settled
    after preview; the date of the snapshot, or of the release where the id has none (an id
    with neither sorts first); the revision; last the spelling, to make the order total.
    """
    return _key(entry.identity, _calendar(entry))


def name_key(identity: Identity) -> OrderKey:
    """Return the order key of a name of which nothing else is known."""
    snapshot = identity.snapshot
    written = (snapshot.year, snapshot.month, snapshot.day) if snapshot else (0, 0, 0)
    return _key(identity, written)


def _key(identity: Identity, calendar: tuple[int, int, int]) -> OrderKey:
    return (
        identity.ordinal,
        tuple([version for _, version in identity.base]),
        not identity.is_preview,
        calendar,
        identity.revision,
        identity.id,
    )


def rank(entry: Entry) -> tuple[object, ...]:
    """Return the order key without the spelling: equal ranks are one version."""
    return order_key(entry)[:-1]


def day_of(entry: Entry) -> date | None:
    """When this version was made: the date in its id, else its release date."""
    snapshot = entry.snapshot
    if snapshot is None:
        return entry.known.released
    told = _dated(snapshot, entry.identity, entry.known).on()
    released = entry.known.released
    if told and released and not snapshot.day and _same_month(told, released):
        return released
    return told or released


def _same_month(left: date, right: date) -> bool:
    return (left.year, left.month) == (right.year, right.month)


def _calendar(entry: Entry) -> tuple[int, int, int]:
    snapshot = entry.snapshot
    if snapshot is None:
        released = entry.known.released
        return (released.year, released.month, released.day) if released else (0, 0, 0)
    dated = _dated(snapshot, entry.identity, entry.known)
    return (dated.year, dated.month, dated.day)


def _dated(snapshot: Snapshot, identity: Identity, known: Known) -> Snapshot:
    """Give a snapshot without year the year that its release or its maker's habit tells."""
    if snapshot.year:
        return snapshot
    if known.released:
        return Snapshot(_nearest_year(snapshot, known.released), snapshot.month, snapshot.day)
    if identity.vendor == "openai":
        late = snapshot.month < _OPENAI_FIRST_MONTH
        return Snapshot(_OPENAI_FIRST_YEAR + late, snapshot.month, snapshot.day)
    return snapshot


def _nearest_year(snapshot: Snapshot, released: date) -> int:
    """The year that puts month and day closest to the release, rather before it than after.

    A model may be listed months after its snapshot, but hardly before it: days ahead of the
    release count double.
    """
    released_on = released.month * 31 + released.day
    ahead = snapshot.month * 31 + snapshot.day - released_on
    a_year = 12 * 31
    distances = {released.year + years: _distance(ahead + years * a_year) for years in (-1, 0, 1)}
    return min(distances, key=lambda year: distances[year])


def _distance(ahead: int) -> int:
    return 2 * ahead if ahead > 0 else -ahead
