"""Models that samples name and nobody tracks: kept, shown, and tracked with one click."""

from collections.abc import Mapping
from datetime import datetime

from versioning.models import UnknownModel
from versioning.services import process_cache

# A client that sends a new name with each request must not fill the disk; no team uses so many.
MOST = 10_000
FULL = (
    f"{MOST:,} unknown models have been seen already: track or fix those first. "
    "The samples of further ones are not kept."
)
Named = tuple[str, str]

_numbers: dict[Named, int] = {}


def forget() -> None:
    """Empty what this process remembers."""
    _numbers.clear()


process_cache.forget_after_migration(forget)


def numbers_of(named: set[Named], *, now: datetime) -> Mapping[Named, int]:
    """Return the number of each unknown model, a (provider, name); new ones are added.

    One whose table is full is missing in the answer.
    """
    keep = process_cache.may_keep()
    known = {each: _numbers[each] for each in named if each in _numbers} if keep else {}
    missing = named - known.keys()
    if not missing:
        return known
    found = _stored(missing)
    room = MOST - UnknownModel.objects.count()
    new = sorted(missing - found.keys())[: max(room, 0)]
    if new:
        UnknownModel.objects.bulk_create(
            [
                UnknownModel(provider_slug=slug, name=name, first_seen_at=now, last_seen_at=now)
                for slug, name in new
            ],
            ignore_conflicts=True,
        )
        found |= _stored(set(new))
    if keep:
        _numbers.update(found)
    return known | found


def _stored(named: set[Named]) -> dict[Named, int]:
    rows = UnknownModel.objects.filter(name__in={name for _, name in named})
    found = {
        (slug, name): number
        for slug, name, number in rows.values_list("provider_slug", "name", "pk")
    }
    return {each: found[each] for each in named if each in found}
