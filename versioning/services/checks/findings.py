"""Write down what a check found out about the versions of tracked models."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from versioning.models import CatalogueEntry, Check, Finding, ModelVersion, TrackedModel
from versioning.models.upgrades import UpgradeRecord
from versioning.services import knowledge
from versioning.services.checks.listing import Difference

RETIREMENT_FIELDS = frozenset({"deprecated_on", "retires_on", "retires_precision"})


def write_findings(
    *,
    check: Check,
    tracked_models: Sequence[TrackedModel],
    entries: Mapping[str, CatalogueEntry],
    difference: Difference,
    now: datetime,
) -> None:
    """Bring the versions up to what was listed, and keep each piece of news about them."""
    news: list[Finding] = []
    seen: list[int] = []
    refreshed: list[ModelVersion] = []
    for tracked in tracked_models:
        versions = {version.pk: version for version in tracked.versions.all()}
        for version in versions.values():
            entry = entries.get(version.upstream_id)
            if entry is None:
                continue
            if entry.last_seen_at == now:
                seen.append(version.pk)
            found, changed = _look_at(
                version=version,
                previous=versions.get(version.previous_version_id or 0),
                entry=entry,
                difference=difference,
            )
            if changed:
                refreshed.append(version)
            for finding in found:
                finding.check_run = check
                finding.tracked_model = tracked
                finding.version = version
                finding.found_at = now
                news.append(finding)
            if tracked.current_version_id == version.pk:
                tracked.current_version = version
    ModelVersion.objects.bulk_update(refreshed, _WRITTEN, batch_size=20)
    ModelVersion.objects.filter(pk__in=seen).update(last_seen_at=now)
    Finding.objects.bulk_create(news)


_WRITTEN = [
    *knowledge.PLAIN_FIELDS,
    *knowledge.LIST_FIELDS,
    "released_on",
    "revision",
    "retires_precision",
    "retires_source",
    "replacement",
    "replacement_source",
    "replacement_dated",
    "first_seen_at",
    "last_seen_at",
    "gone_at",
    "found_improvements",
    "found_breaking_changes",
]


def write_new_version(*, check: Check, record: UpgradeRecord, now: datetime) -> None:
    """Keep the news that a successor was found."""
    Finding.objects.create(
        check_run=check,
        kind=Finding.Kind.NEW_VERSION,
        upstream_id=record.to_version.upstream_id,
        tracked_model=record.tracked_model,
        version=record.to_version,
        sentence=f"{record.to_version.upstream_id} follows "
        f"{record.from_version.upstream_id if record.from_version else 'nothing'}."[:500],
        found_at=now,
    )


def _look_at(
    *,
    version: ModelVersion,
    previous: ModelVersion | None,
    entry: CatalogueEntry,
    difference: Difference,
) -> tuple[list[Finding], bool]:
    """Return the news of a version, and whether its row must be written."""
    if version.revision and entry.revision and version.revision != entry.revision:
        return _news_of_revision(version=version, entry=entry, difference=difference), False
    first_look = version.first_seen_at is None
    changes = knowledge.fill_version(version=version, entry=entry)
    if previous is not None and changes:
        knowledge.compare_with_previous(version=version, previous=previous)
    came_or_went = version.gone_at != entry.gone_at
    version.gone_at = entry.gone_at
    found = [
        *_news_of_presence(version=version, difference=difference),
        *_news_of_changes(version=version, changes=changes),
    ]
    return found, bool(changes) or came_or_went or first_look


def _news_of_revision(
    *, version: ModelVersion, entry: CatalogueEntry, difference: Difference
) -> list[Finding]:
    if "revision" not in difference.changed.get(entry.upstream_id, {}):
        return []
    return [
        Finding(
            kind=Finding.Kind.REVISION,
            upstream_id=entry.upstream_id,
            sentence=f"{entry.upstream_id} stands for {entry.revision} now; "
            f"it was {version.revision}."[:500],
            before={"revision": version.revision},
            after={"revision": entry.revision},
        )
    ]


def _news_of_presence(*, version: ModelVersion, difference: Difference) -> list[Finding]:
    id = version.upstream_id
    sentences = (
        (
            Finding.Kind.MISSING,
            difference.missing,
            f"{id} is missing from the listing. It counts as gone only if it stays away.",
        ),
        (Finding.Kind.GONE, difference.gone, f"{id} is gone: several good listings lacked it."),
        (Finding.Kind.REAPPEARED, difference.reappeared, f"{id} is listed again."),
    )
    return [
        Finding(kind=kind, upstream_id=id, sentence=sentence[:500])
        for kind, ids, sentence in sentences
        if id in ids
    ]


def _news_of_changes(
    *, version: ModelVersion, changes: Mapping[str, tuple[Any, Any]]
) -> list[Finding]:
    """Turn changed columns into findings; what becomes known for the first time is no news."""
    told = {
        name: (before, after)
        for name, (before, after) in changes.items()
        if name in RETIREMENT_FIELDS or before not in (None, "", [])
    }
    dates = {name: pair for name, pair in told.items() if name in RETIREMENT_FIELDS}
    rest = {
        name: pair
        for name, pair in told.items()
        if name in knowledge.PLAIN_FIELDS + knowledge.LIST_FIELDS and name not in dates
    }
    found = []
    if "retires_on" in dates or "deprecated_on" in dates:
        found.append(
            _changed(version, Finding.Kind.RETIREMENT, dates, _retirement_sentence(version))
        )
    if rest:
        what = ", ".join(name.replace("_", " ") for name in sorted(rest))
        found.append(
            _changed(
                version, Finding.Kind.METADATA, rest, f"{version.upstream_id}: {what} changed."
            )
        )
    return found


def _changed(
    version: ModelVersion,
    kind: Finding.Kind,
    pairs: Mapping[str, tuple[Any, Any]],
    sentence: str,
) -> Finding:
    return Finding(
        kind=kind,
        upstream_id=version.upstream_id,
        sentence=sentence[:500],
        before=msgspec.to_builtins({name: before for name, (before, _) in pairs.items()}),
        after=msgspec.to_builtins({name: after for name, (_, after) in pairs.items()}),
    )


def _retirement_sentence(version: ModelVersion) -> str:
    if version.retires_on is None:
        return f"{version.upstream_id} is deprecated since {version.deprecated_on}."
    when = {
        "earliest": "not before ",
        "tentative": "about ",
    }.get(version.retires_precision, "on ")
    return f"{version.upstream_id} retires {when}{version.retires_on}."
