"""Record what a provider answered; never conclude anything from a failure.

Nothing here is one long transaction: the catalogue is written some hundred rows at a time, the
models that are tracked a group at a time, and the provider is asked directly in between, outside
of any. A check that breaks off is completed by the next.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from providers.base import ListedModel, Listing, Nonsense, ProviderError
from providers.conversation import DatedAnswer
from providers.models import Provider
from versioning.domain.statistics.figures import counted
from versioning.models import Check, ModelVersion, Tally, TrackedModel
from versioning.services import clock, leases, notices, tallies, witness
from versioning.services.checks import findings, listing, outages, target_probes, weighing
from versioning.services.checks.listing import Compared
from versioning.services.checks.weighing import is_catalogue
from versioning.services.leases import LeaseLost
from versioning.services.stopping import AskedToStop
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import recommendation
from versioning.services.upgrades.successors import Market
from versioning.services.witness import Probe

__all__ = ["Attempt", "NotRecorded", "is_catalogue", "record"]

logger = logging.getLogger(__name__)

LONGEST_ID = 200  # the column's; see ``_with_short_ids``
# For people: whoever has more bad rows than that has one fault, said fifty times.
SHOWN_ITEMS = 50
MOST_UNREAD = 1_000
"""More unread rows than that are no habit of a list: it is never taken for complete."""

MODELS_AT_ONCE = 100
"""How many tracked models one transaction brings up to date."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a provider answered, or why it didn't, and how long that took."""

    result: Listing | ProviderError
    took: timedelta
    dated: DatedAnswer | None = None


class NotRecorded(ProviderError):
    """The fault is ours: the answer was good, and could not be recorded."""

    kind = "broken"


def record(*, check: Check, asked: Attempt, now: datetime) -> Check:
    """Record one provider's answer; a fault of ours there never hides another's news.

    Speaks HTTP for what it asks directly, so it is called outside any transaction. Raises
    LeaseLost where another worker has the check by then: what it ended with is that one's; and
    AskedToStop, for another to do it anew.
    """
    try:
        ended = _record(check=check, asked=asked, now=now)
    except (LeaseLost, AskedToStop):
        raise
    except Exception as error:
        logger.exception("Recording the check of %s failed", check.provider.slug)
        check.shrunk_to = None
        ended = _fail(check=check, error=NotRecorded(f"Recording failed: {type(error).__name__}."))
    try:
        outages.note(check=ended, now=now)
    except Exception:
        # What was recorded stays recorded: the next check tells of it.
        logger.exception("The events of %s's check could not be written", ended.provider.slug)
    tallies.note(
        Tally.Kind.CHECK,
        ended.error_kind or ended.state,
        subject=ended.provider.slug,
        seconds=asked.took.total_seconds(),
        now=now,
    )
    return ended


def _record(*, check: Check, asked: Attempt, now: datetime) -> Check:
    check.finished_at = now + asked.took
    if isinstance(asked.result, ProviderError):
        return _fail(check=check, error=asked.result)
    found = _with_short_ids(_with_full_ids(asked.result, provider=check.provider))
    if len(found.models) > listing.MOST_LISTED:
        most = f"{listing.MOST_LISTED:,}"
        return _fail(
            check=check, error=Nonsense(f"It lists more than {most} models: not believed.")
        )
    check.shrunk_to = _disbelieved(provider=check.provider, found=found)
    if check.shrunk_to is not None:
        error = Nonsense(
            f"It lists only {counted(check.shrunk_to, 'model')}, less than half of last time. "
            "Nothing was concluded; if the next check sees the same, it is believed."
        )
        return _fail(check=check, error=error)
    _record_listing(check=check, found=found, now=now)
    return check


def _record_listing(*, check: Check, found: Listing, now: datetime) -> None:
    provider = check.provider
    known = listing.known_entries(provider)
    models: Sequence[ListedModel] = found.models
    if not is_catalogue(provider):
        models = weighing.settled(
            weighing.with_catalogues(provider=provider, models=models, now=now),
            known=known,
            today=clock.local_day(now),
        )
    as_before = _unread_as_before(check=check, found=found)
    compared = listing.compare(
        provider=provider,
        known=known,
        models=models,
        complete=not found.gaps and (not found.dropped or as_before),
        now=now,
    )
    leases.renew()
    # Asked before anything is written: the network is slow, and rows would be held meanwhile.
    look = None if is_catalogue(provider) else _ask_directly(check, compared, now=now)
    listing.write(compared, now=now)
    if look is not None:
        check.recommended = look.at_all()
    _finish(check=check, found=found, compared=compared, as_before=as_before, now=now)


def _finish(
    *, check: Check, found: Listing, compared: Compared, as_before: bool, now: datetime
) -> None:
    unread = (*found.gaps, *found.dropped, *compared.not_kept)
    check.listed = len(found.models)
    check.added = len(compared.difference.added)
    check.changed = len(compared.difference.changed)
    check.missing = len(compared.difference.missing)
    check.difference = compared.difference.as_dict()
    check.dropped = len(unread)
    check.dropped_items = list(unread[:SHOWN_ITEMS])
    check.unread = sorted(found.unread)[: MOST_UNREAD + 1]
    if unread and not (as_before and len(unread) == len(found.dropped)):
        check.state = Check.State.PARTLY
    else:
        check.state = Check.State.CHANGED if check.difference else Check.State.UNCHANGED
    _end(check)
    _tell_of_unread(check=check, unread=unread, now=now)


def _tell_of_unread(*, check: Check, unread: Sequence[str], now: datetime) -> None:
    subject = f"listing of {check.provider.slug}"
    if not unread:
        notices.resolve_fault(subject=subject, by="scheduler", now=now)
        return
    sentence = (
        f"{len(unread)} of what {check.provider.slug} lists can't be read; the rest is. "
        f"{' '.join(unread[:5])}"
    )
    notices.raise_fault(subject=subject, sentence=sentence, now=now)


def _unread_as_before(*, check: Check, found: Listing) -> bool:
    """Say whether the rows that can't be read are those of the last listing, or some of them.

    Then everything that was read last time can be read now: what is missing is missing.
    """
    last = (
        check.provider.checks.finished()
        .exclude(state=Check.State.FAILED)
        .order_by("-started_at", "-pk")
        .first()
    )
    if last is None or not 0 < len(found.unread) <= MOST_UNREAD:
        return False
    return Counter(found.unread) <= Counter(last.unread)


def _ask_for_leaving(compared: Compared, *, now: datetime) -> dict[str, Probe]:
    """Ask directly for what is about to count as gone, where somebody tracks it."""
    leaving = compared.difference.gone
    if not leaving:
        return {}
    used = ModelVersion.objects.filter(
        tracked_model__provider=compared.provider, tracked_model__active=True
    )
    in_use = set(used.values_list("upstream_id", flat=True))
    return witness.probe_all(
        provider=compared.provider,
        upstream_ids=[id for id in leaving if id in in_use],
        now=now,
    )


def _ask_directly(check: Check, compared: Compared, *, now: datetime) -> "_Look":
    """Ask for what would be gone and for what would be recommended, before anything is written."""
    models = recommendation.tracked_models_of(check.provider)
    leaving = _ask_for_leaving(compared, now=now)
    alive = {id for id, said in leaving.items() if said.is_callable}
    compared.keep(alive)
    found = target_probes.probe_targets(
        provider=check.provider, tracked_models=models, entries=compared.entries, now=now
    )
    return _Look(
        check=check,
        ids=[tracked.pk for tracked in models],
        market=found.market,
        alive=alive,
        asked={**leaving, **found.asked},
        refused=found.refused,
        now=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One look at the tracked models of a provider, after its catalogue was written."""

    check: Check
    ids: Sequence[int]
    market: Market
    alive: set[str]
    asked: Mapping[str, Probe]
    refused: Mapping[int, Mapping[str, Probe]]
    """By tracked model: the ids that would have been recommended, had they not been refused."""
    now: datetime

    def at_all(self) -> int:
        """Bring the tracked models up to the catalogue; return how many got a recommendation."""
        recommended = 0
        for start in range(0, len(self.ids), MODELS_AT_ONCE):
            leases.renew()
            recommended += self.at(self.ids[start : start + MODELS_AT_ONCE])
        # Last: a version that was new today has a row to keep its answer with only now.
        target_probes.keep_answers(provider=self.check.provider, asked=self.asked, now=self.now)
        return recommended

    def at(self, ids: Sequence[int]) -> int:
        """Bring some models up to date together; where that fails, each alone.

        What can't be recorded of one model costs that one, and is said.
        """
        try:
            return self._write(ids)
        except Exception as error:
            if len(ids) > 1:
                return sum(self.at([id]) for id in ids)
            logger.exception("Recording tracked model %s failed", ids[0])
            tracked = TrackedModel.objects.select_related("provider", "current_version").get(
                pk=ids[0]
            )
            findings.write_not_kept(check=self.check, tracked=tracked, error=error, now=self.now)
            return 0

    @one_transaction
    def _write(self, ids: Sequence[int]) -> int:
        tracked_models = recommendation.held_models(self.check.provider, ids=ids)
        findings.write_findings(
            check=self.check,
            tracked_models=tracked_models,
            entries=self.market.entries,
            alive=self.alive,
            now=self.now,
        )
        recommended = recommendation.recommend_all(
            tracked_models=tracked_models, market=self.market, now=self.now
        )
        new = [record for record in recommended if record.recommended_at == self.now]
        findings.write_new_versions(check=self.check, records=new, now=self.now)
        for tracked in tracked_models:
            for upstream_id, asked in self.refused.get(tracked.pk, {}).items():
                findings.write_refused(
                    check=self.check,
                    tracked=tracked,
                    upstream_id=upstream_id,
                    asked=asked,
                    now=self.now,
                )
        return len(new)


def _fail(*, check: Check, error: ProviderError) -> Check:
    check.state = Check.State.FAILED
    check.error_kind = error.kind
    check.error = str(error)[:500]
    _end(check)
    return check


def _end(check: Check) -> None:
    """Write down how a check ended. Raises LeaseLost where another worker has taken it up."""
    ours = Check.objects.running().filter(pk=check.pk, takes=check.takes)
    if not ours.update(**{name: getattr(check, name) for name in _ENDS_WITH}):
        raise LeaseLost


_ENDS_WITH = (
    "state",
    "finished_at",
    "listed",
    "added",
    "changed",
    "missing",
    "recommended",
    "dropped",
    "dropped_items",
    "unread",
    "error_kind",
    "error",
    "difference",
    "shrunk_to",
)


def _with_full_ids(asked: Listing, *, provider: Provider) -> Listing:
    """Name what a catalogue lists ``<provider>/<id>``: it knows models of several providers."""
    if not is_catalogue(provider):
        return asked
    named = [replace(model, id=f"{model.provider}/{model.id}") for model in asked.models]
    return replace(asked, models=tuple(named))


def _with_short_ids(asked: Listing) -> Listing:
    """Leave out what no column takes: a long id costs its row, a long revision itself."""
    too_long = tuple(
        f"{model.id[:60]}…: the id is longer than {LONGEST_ID} characters."
        for model in asked.models
        if len(model.id) > LONGEST_ID
    )
    models = tuple(
        replace(model, revision="", doubts=(*model.doubts, "Its revision is too long to keep."))
        if len(model.revision) > LONGEST_ID
        else model
        for model in asked.models
        if len(model.id) <= LONGEST_ID
    )
    return replace(
        asked,
        models=models,
        dropped=asked.dropped + too_long,
        unread=asked.unread + tuple(sentence[:16] for sentence in too_long),
    )


def _disbelieved(*, provider: Provider, found: Listing) -> int | None:
    """Return the size of a listing that lost most of its models and wasn't seen so before.

    From a list with gaps nothing is concluded anyway.
    """
    # Twice the same is believed: providers do clear out, and a half answer seldom comes twice.
    if found.gaps or not listing.has_shrunk(provider=provider, models=found.models):
        return None
    last = provider.checks.finished().order_by("-started_at", "-pk").first()
    seen_before = last is not None and last.shrunk_to is not None
    return None if seen_before else len(found.models)
