"""Write down what a check found out about the versions of tracked models."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from versioning.domain import dates
from versioning.models import CatalogueEntry, Check, Finding, ModelVersion, TrackedModel
from versioning.models.upgrades import UpgradeRecord
from versioning.services import events, knowledge
from versioning.services.actors import Actor
from versioning.services.witness import Probe

RETIREMENT_FIELDS = frozenset({"deprecated_on", "retires_on", "retires_precision"})
TOLD_ONCE = (Finding.Kind.REVISION, Finding.Kind.MISSING, Finding.Kind.ALIVE, Finding.Kind.REFUSED)
"""What stays true for many checks is news once: see ``last_findings``."""

Told = Mapping[tuple[str, int], Finding]
"""The last finding of each kind about each version."""


def write_findings(
    *,
    check: Check,
    tracked_models: Sequence[TrackedModel],
    entries: Mapping[str, CatalogueEntry],
    alive: Collection[str],
    now: datetime,
) -> None:
    """Bring the versions up to what was listed, and keep each piece of news about them.

    ``alive`` are ids that are listed no more and answer all the same. Everything is concluded
    from what the rows hold: a check that broke off is completed by the next.
    """
    news: list[Finding] = []
    seen: list[int] = []
    refreshed: list[ModelVersion] = []
    dated: list[tuple[ModelVersion, date | None]] = []
    told = last_findings(tracked_models)
    for tracked in tracked_models:
        versions = {version.pk: version for version in tracked.versions.all()}
        for version in versions.values():
            entry = entries.get(version.upstream_id)
            if entry is None:
                continue
            if entry.last_seen_at == now:
                seen.append(version.pk)
            retired_on = version.retires_on
            found, changed = _look_at(
                version=version,
                previous=versions.get(version.previous_version_id or 0),
                entry=entry,
                told=told,
                is_alive=version.upstream_id in alive,
            )
            if changed:
                refreshed.append(version)
            if version.retires_on != retired_on:
                dated.append((version, retired_on))
            for finding in found:
                news.append(_signed(finding, check=check, version=version, now=now))
            if tracked.current_version_id == version.pk:
                tracked.current_version = version
    ModelVersion.objects.bulk_update(refreshed, _WRITTEN, batch_size=20)
    ModelVersion.objects.filter(pk__in=seen).update(last_seen_at=now)
    Finding.objects.bulk_create(news)
    for version, before in dated:
        events.retirement_changed(version, before=before, actor=Actor.scheduler(), now=now)


_WRITTEN = [
    *knowledge.PLAIN_FIELDS,
    *knowledge.LIST_FIELDS,
    *knowledge.WITHDRAWABLE,
    "past_prices",
    "lifecycle_on",
    "doubts",
    "told_by",
    "released_on",
    "revision",
    "first_seen_at",
    "last_seen_at",
    "gone_at",
    "found_improvements",
    "found_breaking_changes",
]
_WRITTEN = list(dict.fromkeys(_WRITTEN))


def last_findings(tracked_models: Iterable[TrackedModel]) -> Told:
    """Return the last finding of each kind that is told once, about each version."""
    rows = Finding.objects.filter(
        tracked_model__in=[tracked.pk for tracked in tracked_models], kind__in=TOLD_ONCE
    )
    return {(row.kind, row.version_id): row for row in rows.order_by("pk") if row.version_id}


def write_new_versions(*, check: Check, records: Iterable[UpgradeRecord], now: datetime) -> None:
    """Keep the news that successors were found."""
    Finding.objects.bulk_create(
        Finding(
            check_run=check,
            kind=Finding.Kind.NEW_VERSION,
            upstream_id=record.to_version.upstream_id,
            tracked_model=record.tracked_model,
            version=record.to_version,
            sentence=f"{record.to_version.upstream_id} follows "
            f"{record.from_version.upstream_id if record.from_version else 'nothing'}."[:500],
            found_at=now,
        )
        for record in records
    )


def write_refused(
    *, check: Check, tracked: TrackedModel, upstream_id: str, asked: Probe, now: datetime
) -> None:
    """Keep the news that a successor is listed and can't be called, once while it stays so."""
    of_it = Finding.objects.filter(
        tracked_model=tracked, kind=Finding.Kind.REFUSED, upstream_id=upstream_id
    )
    sentence = f"{upstream_id} is listed, and refused when it is asked for: {asked.sentence}"[:500]
    if not of_it.filter(sentence=sentence).exists():
        Finding.objects.create(
            check_run=check,
            kind=Finding.Kind.REFUSED,
            upstream_id=upstream_id,
            tracked_model=tracked,
            sentence=sentence,
            found_at=now,
        )


def write_not_kept(*, check: Check, tracked: TrackedModel, error: Exception, now: datetime) -> None:
    """Keep the news that what was found about one model could not be recorded."""
    Finding.objects.create(
        check_run=check,
        kind=Finding.Kind.NOT_KEPT,
        upstream_id=tracked.current_version.upstream_id if tracked.current_version else "",
        tracked_model=tracked,
        sentence=f"What was found about {tracked} could not be recorded "
        f"({type(error).__name__}): please report it. The others were."[:500],
        found_at=now,
    )


def _signed(finding: Finding, *, check: Check, version: ModelVersion, now: datetime) -> Finding:
    finding.check_run = check
    finding.tracked_model_id = version.tracked_model_id
    finding.version = version
    finding.upstream_id = version.upstream_id
    finding.sentence = finding.sentence[:500]
    finding.found_at = now
    return finding


def _look_at(
    *,
    version: ModelVersion,
    previous: ModelVersion | None,
    entry: CatalogueEntry,
    told: Told,
    is_alive: bool,
) -> tuple[list[Finding], bool]:
    """Return the news of a version, and whether its row must be written."""
    revised = bool(version.revision and entry.revision and version.revision != entry.revision)
    first_look = version.first_seen_at is None
    changes = knowledge.fill_version(version=version, entry=entry, revised=revised)
    if previous is not None and changes and not revised:
        knowledge.compare_with_previous(version=version, previous=previous)
    was_gone = version.gone_at is not None
    came_or_went = version.gone_at != entry.gone_at
    version.gone_at = entry.gone_at
    found = [
        *(_news_of_revision(version=version, entry=entry, told=told) if revised else ()),
        *_news_of_presence(
            version=version, entry=entry, was_gone=was_gone, told=told, is_alive=is_alive
        ),
        *_news_of_dates(version=version, changes=changes),
        *_news_of_changes(version=version, changes=changes),
        *_news_of_doubts(changes),
    ]
    return found, bool(changes) or came_or_went or first_look


def _news_of_revision(*, version: ModelVersion, entry: CatalogueEntry, told: Told) -> list[Finding]:
    last = told.get((Finding.Kind.REVISION, version.pk))
    if last is not None and last.after.get("revision") == entry.revision:
        return []
    return [
        Finding(
            kind=Finding.Kind.REVISION,
            sentence=f"{entry.upstream_id} stands for {entry.revision} now; "
            f"it was {version.revision}.",
            before={"revision": version.revision},
            after={"revision": entry.revision},
        )
    ]


def _news_of_presence(
    *,
    version: ModelVersion,
    entry: CatalogueEntry,
    was_gone: bool,
    told: Told,
    is_alive: bool,
) -> list[Finding]:
    id, is_gone = version.upstream_id, entry.gone_at is not None
    news = []
    if entry.missing_since is not None and not is_gone:
        missing = f"{id} is missing from the listing. It counts as gone only if it stays away."
        news.append((Finding.Kind.MISSING, missing))
    if is_alive:
        answers = f"{id} is listed no more, and answers when it is asked for: it isn't gone."
        news.append((Finding.Kind.ALIVE, answers))
    news = [
        (kind, sentence)
        for kind, sentence in news
        if not _was_told(told.get((kind, version.pk)), since=entry.missing_since)
    ]
    if is_gone and not was_gone:
        news.append((Finding.Kind.GONE, f"{id} is gone: several good listings lacked it."))
    if was_gone and not is_gone:
        news.append((Finding.Kind.REAPPEARED, f"{id} is listed again."))
    return [Finding(kind=kind, sentence=sentence) for kind, sentence in news]


def _was_told(last: Finding | None, *, since: datetime | None) -> bool:
    return last is not None and since is not None and last.found_at >= since


def _news_of_dates(
    *, version: ModelVersion, changes: Mapping[str, tuple[Any, Any]]
) -> list[Finding]:
    """Turn changed dates into findings: announced or moved, or taken back."""
    found = []
    moved = {name: pair for name, pair in changes.items() if name in RETIREMENT_FIELDS}
    told = {name for name in ("retires_on", "deprecated_on") if name in moved}
    if any(moved[name][1] is not None for name in told):
        found.append(_changed(Finding.Kind.RETIREMENT, moved, _retirement_sentence(version)))
    elif told:
        days = " and ".join(f"{_DATED[name]} {dates.day(moved[name][0])}" for name in sorted(told))
        sentence = f"{version.upstream_id}: that it {days} is not said any more."
        found.append(_changed(Finding.Kind.WITHDRAWN, moved, sentence))
    if "lifecycle" in changes and (changes["lifecycle"][0] or version.is_leaving):
        found.append(
            _changed(
                Finding.Kind.LIFECYCLE,
                {"lifecycle": changes["lifecycle"]},
                _lifecycle_sentence(version),
            )
        )
    return found


def _news_of_changes(
    *, version: ModelVersion, changes: Mapping[str, tuple[Any, Any]]
) -> list[Finding]:
    """Turn changed columns into a finding; what becomes known for the first time is no news."""
    rest = {
        name: (before, after)
        for name, (before, after) in changes.items()
        if name in knowledge.PLAIN_FIELDS + knowledge.LIST_FIELDS
        and name not in RETIREMENT_FIELDS
        and before not in (None, "", [])
    }
    if not rest:
        return []
    what = ", ".join(name.replace("_", " ") for name in sorted(rest))
    return [_changed(Finding.Kind.METADATA, rest, f"{version.upstream_id}: {what} changed.")]


def _news_of_doubts(changes: Mapping[str, tuple[Any, Any]]) -> list[Finding]:
    before, after = changes.get("doubts", ([], []))
    return [
        Finding(kind=Finding.Kind.DOUBT, sentence=sentence)
        for sentence in after
        if sentence not in before
    ]


def _changed(kind: Finding.Kind, pairs: Mapping[str, tuple[Any, Any]], sentence: str) -> Finding:
    return Finding(
        kind=kind,
        sentence=sentence,
        before=msgspec.to_builtins({name: before for name, (before, _) in pairs.items()}),
        after=msgspec.to_builtins({name: after for name, (_, after) in pairs.items()}),
    )


def _retirement_sentence(version: ModelVersion) -> str:
    if version.retires_on is None:
        return f"{version.upstream_id} is deprecated since {dates.day(version.deprecated_on)}."
    when = {
        "earliest": "not before ",
        "tentative": "about ",
    }.get(version.retires_precision, "on ")
    return f"{version.upstream_id} retires {when}{dates.day(version.retires_on)}."


def _lifecycle_sentence(version: ModelVersion) -> str:
    who = version.lifecycle_source or "its provider"
    if not version.lifecycle:
        return f"{version.upstream_id}: nobody says any more where it stands."
    dated = version.is_leaving and version.retires_on is None
    ending = "; no date is known" if dated else ""
    return f"{version.upstream_id} is called {version.lifecycle} by {who}{ending}."


_DATED = {"deprecated_on": "is deprecated on", "retires_on": "retires on"}
