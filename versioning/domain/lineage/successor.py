"""One question: which listed model, if any, comes after the one in use?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from versioning.domain import dates
from versioning.domain.lineage import line
from versioning.domain.lineage.answer import Answer, HeldBack, HeldBy, RunnerUp, Stated, StepKind
from versioning.domain.lineage.confidence import weigh
from versioning.domain.lineage.entry import Entry
from versioning.domain.lineage.identity import ReleaseStage
from versioning.domain.lineage.judge import Candidacy, judge
from versioning.domain.lineage.known import Known, Rules, StaffRule
from versioning.domain.lineage.maybe import Maybe, among_new_tiers, with_less_words
from versioning.domain.lineage.model_index import ModelIndex
from versioning.domain.lineage.order import day_of, order_key
from versioning.domain.lineage.rules import refusal
from versioning.domain.lineage.twins import has_moved

# People read these to see why not that one: after five nobody compares.
_SHOWN_RUNNERS_UP: Final = 5
# The provider's own word says that it follows, not that it is alike: it is of another line.
_BY_STATEMENT: Final = 0.6
_MAYBE: Final = 0.25  # below any upgrade
_DIFFERENCES_OF_A_MAYBE: Final = 1
_BY_A_PERSON: Final = 1.0  # nothing here knows better than who set the rule


def find_successor(
    current: Known,
    *,
    listed: Sequence[Known] | ModelIndex,
    once_listed: Sequence[Known] = (),
    provider: str = "",
    rules: Rules | None = None,
    at: date | None = None,
) -> Answer:
    """Answer for one model in use; raise UnreadableName if its id cannot be read.

    `listed` is all that the provider lists now: pass a `ModelIndex` to ask about many models.
    `once_listed` completes what is known of a model that is listed no more; `at` is today, to
    tell an end that is near from one that is years away.
    """
    listing = listed if isinstance(listed, ModelIndex) else ModelIndex.of(listed, provider=provider)
    question = _question(current, listing, once_listed, provider, rules or Rules(), at)
    return question.answer()


def same_model(a: Known, b: Known, *, provider_of_a: str = "", provider_of_b: str = "") -> bool:
    """True where two ids are one model seen through other channels or in another spelling."""
    return line.same_model(Entry.of(a, provider=provider_of_a), Entry.of(b, provider=provider_of_b))


def _question(
    current: Known,
    listing: ModelIndex,
    once_listed: Sequence[Known],
    provider: str,
    rules: Rules,
    at: date | None,
) -> "_Question":
    known, found = current, listing.find(current.id)
    if known == Known(id=current.id):
        known = found.known if found else _remembered(current, once_listed)
    elif found:
        known = replace(known, id=found.known.id)  # they may differ by case
    entry = Entry.of(known, provider=provider or listing.provider)
    is_bare = not (entry.snapshot or entry.identity.moves)
    moved = is_bare and has_moved(entry, listing.near(entry.identity))
    is_leaving = known.is_leaving(at) or known.id not in listing
    return _Question(entry, listing, provider or listing.provider, rules, at, moved, is_leaving)


def _remembered(current: Known, once_listed: Sequence[Known]) -> Known:
    return next((known for known in once_listed if known.id == current.id), current)


@dataclass(frozen=True, slots=True)
class _Question:
    """The model in use, what is listed, and the rules: everything that one answer needs."""

    current: Entry
    listing: ModelIndex
    provider: str
    rules: Rules
    at: date | None
    has_moved: bool
    is_leaving: bool

    def answer(self) -> Answer:
        answer = self._by_rules_or_grammar()
        if self.rules.pinned:
            said = f"Pinned by {self.rules.pinned.cite()}: it does not move by itself."
            return replace(answer, reasons=(said, *answer.reasons))
        return answer

    def _by_rules_or_grammar(self) -> Answer:
        stated = self._stated()
        if self.rules.successor:
            return self._set_by_a_person(self.rules.successor, stated)
        candidates = self._candidates(stated)
        judged = self._one_size([(entry, self._judge(entry)) for entry in candidates])
        upgrades = sorted(
            ((entry, verdict) for entry, verdict in judged if verdict.step),
            key=lambda pair: self._preference(pair[0]),
            reverse=True,
        )
        in_line = stated.listed.id if stated and stated.listed else ""
        upgrades.sort(key=lambda pair: pair[0].known.id != in_line)
        if upgrades and not self._provider_says_otherwise(stated, upgrades[0][0]):
            answer = self._upgrade(*upgrades[0], stated, self._runners_up(upgrades[1:], judged))
            return replace(answer, held_back=self._held_back(judged, over=upgrades[0][0]))
        answer = self._replacement_or_none(stated, self._runners_up(upgrades, judged))
        found = None if answer.successor else self._maybe(judged)
        answer = self._with_maybe(answer, found) if found else answer
        return replace(answer, held_back=self._held_back(judged, over=None))

    def _held_back(
        self, judged: Sequence[tuple[Entry, Candidacy]], *, over: Entry | None
    ) -> tuple[HeldBack, ...]:
        """Return what one thing alone keeps back, and what comes later than the one offered."""
        least = order_key(over) if over else None
        return tuple(
            HeldBack(entry.known.id, verdict.held_by, verdict.why_not)
            for entry, verdict in sorted(judged, key=lambda pair: pair[0].known.id)
            if verdict.held_by and (least is None or order_key(entry) > least)
        )

    def _maybe(self, judged: Sequence[tuple[Entry, Candidacy]]) -> Maybe | None:
        """Return what may follow although something speaks for another line, or for one model.

        A newer generation goes before the snapshot or the alias of the one in use.
        """
        if self._moves_by_itself() or self.current.identity.says_nothing:
            return None
        near = [pair for pair in judged if pair[1].distance <= _DIFFERENCES_OF_A_MAYBE]
        best_first = sorted(near, key=lambda pair: self._preference(pair[0]), reverse=True)
        listed = [entry for entry, _ in best_first]
        doubted = [(entry, verdict.why_not) for entry, verdict in best_first if verdict.is_doubt]
        if doubted and line.is_newer_generation(self.current.identity, doubted[0][0].identity):
            return _of_one_generation(doubted)
        found = with_less_words(self.current, listed, self._judge_as) or among_new_tiers(
            self.current, listed, self._judge_as
        )
        if found or not doubted:
            return found
        entry, doubt = doubted[0]
        if entry.identity.moves and any(map(self._is_dated_twin, listed)):
            return None  # it is the newest of several snapshots: what the alias stands for
        return Maybe((entry,), doubt)

    def _is_dated_twin(self, entry: Entry) -> bool:
        old, new = self.current.identity, entry.identity
        is_of_generation = new.snapshot is not None and old.ordinal == new.ordinal
        return is_of_generation and not line.differences(old, new)

    def _with_maybe(self, answer: Answer, found: Maybe) -> Answer:
        ids = [entry.known.id for entry in found.entries]
        others = tuple(one for one in answer.runners_up if one.id not in ids)
        named = tuple(RunnerUp(id, found.doubt) for id in ids) if len(ids) > 1 else ()
        reasons = tuple(reason for reason in answer.reasons if reason != _NOTHING_NEWER)
        return replace(
            answer,
            step=StepKind.MAYBE,
            confidence=_MAYBE,
            reasons=(f"Maybe {' or '.join(ids)}.", found.doubt, *reasons),
            runners_up=(*named, *others)[:_SHOWN_RUNNERS_UP],
            needs_reembedding=self.current.identity.is_embedding,
            maybes=tuple(entry.known for entry in found.entries),
            doubt=found.doubt,
        )

    def _provider_says_otherwise(self, stated: Stated | None, upgrade: Entry) -> bool:
        """True where the provider sends users of a model that goes to another line.

        Its word is then shown first and the upgrade beside it, unless the upgrade came later
        than the word.
        """
        if stated is None or not self.is_leaving or self._why_not_offered(stated):
            return False
        if stated.listed and stated.listed.id == upgrade.known.id:
            return False
        came = day_of(upgrade)
        return not (came and stated.dated and came > stated.dated)

    def _one_size(self, judged: list[tuple[Entry, Candidacy]]) -> list[tuple[Entry, Candidacy]]:
        """Refuse newer models that begin to say their size, where there are several sizes."""
        if self.current.identity.size:
            return judged
        sized = [
            entry.identity for entry, verdict in judged if verdict.step and entry.identity.size
        ]
        newest = max((identity.ordinal for identity in sized), default=None)
        if len({identity.size for identity in sized if identity.ordinal == newest}) < 2:
            return judged
        why = "It comes in several sizes, and the model in use does not say its own."
        return [
            (
                entry,
                Candidacy(None, why, is_doubt=True)
                if verdict.step and entry.identity.size
                else verdict,
            )
            for entry, verdict in judged
        ]

    def _judge(self, candidate: Entry) -> Candidacy:
        if self._moves_by_itself():
            return Candidacy(None, "The name in use is an alias that moves by itself.")
        return self._judge_as(self.current, candidate)

    def _judge_as(self, current: Entry, candidate: Entry) -> Candidacy:
        verdict = judge(
            current,
            candidate,
            provider=self.provider,
            allow_previews=self.rules.allow_previews,
            is_leaving=self.is_leaving,
            has_moved=self.has_moved,
            at=self.at,
        )
        may_be = verdict.step or verdict.is_doubt
        refused = refusal(candidate.known.id, self.rules) if may_be else ""
        return Candidacy(None, refused, held_by=HeldBy.STAFF_RULE) if refused else verdict

    def _moves_by_itself(self) -> bool:
        """True for a router, and for an alias without a number while it stays."""
        identity = self.current.identity
        if identity.stage is ReleaseStage.ROUTER:
            return True
        moves = identity.moves and not identity.generation
        return moves and not self.current.known.is_leaving(self.at)

    def _candidates(self, stated: Stated | None) -> list[Entry]:
        near = {entry.known.id: entry for entry in self.listing.near(self.current.identity)}
        named = self.listing.find(stated.listed.id) if stated and stated.listed else None
        if named and named.identity.vendor == self.current.identity.vendor:
            near.setdefault(named.known.id, named)
        near.pop(self.current.known.id, None)
        return list(near.values())

    def _preference(self, entry: Entry) -> tuple[object, ...]:
        """Newest generation first, settled before preview, then the form of the name in use."""
        key = order_key(entry)
        old, new = self.current.identity, entry.identity
        return (
            not entry.known.is_leaving(self.at),
            *key[:3],
            new.stage is old.stage,
            new.context == old.context,
            -line.tokens_of(new.context),
            new.is_pinned == old.is_pinned,
            *key[3:5],
            ("/" in new.id) == ("/" in old.id),
            -len(new.id),
            new.id,
        )

    def _stated(self) -> Stated | None:
        known = self.current.known
        if not known.replacement:
            return None
        found = self.listing.find_for(self.current.identity, known.replacement)
        return Stated(
            id=known.replacement,
            source=known.replacement_source,
            dated=known.replacement_dated,
            listed=found.known if found else None,
        )

    def _set_by_a_person(self, rule: StaffRule, stated: Stated | None) -> Answer:
        found = self.listing.find_for(self.current.identity, rule.pattern)
        if found is None or found.known.id == self.current.known.id:
            why = "is the model in use" if found else "is not listed"
            reason = f"{rule.pattern} was set as the successor by {rule.cite()}, but {why}."
            return Answer(reasons=(reason,), replacement=stated)
        step = judge(self.current, found, allow_previews=True).step or StepKind.REPLACEMENT
        return Answer(
            successor=found.known,
            step=step,
            confidence=_BY_A_PERSON,
            reasons=(f"Set by {rule.cite()}.", *self._about_vectors()),
            replacement=stated,
            needs_reembedding=self.current.identity.is_embedding,
        )

    def _upgrade(
        self,
        entry: Entry,
        verdict: Candidacy,
        stated: Stated | None,
        runners_up: tuple[RunnerUp, ...],
    ) -> Answer:
        is_stated = bool(stated and stated.listed and stated.listed.id == entry.known.id)
        weighed = weigh(self.current, entry, is_stated=is_stated, at=self.at)
        reasons = weighed.reasons
        if is_stated and stated:
            reasons = (_quote(stated), *reasons)
        return Answer(
            successor=entry.known,
            step=verdict.step,
            confidence=weighed.confidence,
            reasons=(*reasons, *self._about_vectors()),
            runners_up=runners_up,
            replacement=stated,
            needs_reembedding=self.current.identity.is_embedding,
        )

    def _replacement_or_none(
        self, stated: Stated | None, runners_up: tuple[RunnerUp, ...]
    ) -> Answer:
        why_not = self._why_not_offered(stated) if stated else ""
        if stated is None or stated.listed is None or why_not:
            quoted = (_quote(stated), why_not) if stated else ()
            return Answer(
                reasons=(*self._silence(), *quoted), runners_up=runners_up, replacement=stated
            )
        return Answer(
            successor=stated.listed,
            step=StepKind.REPLACEMENT,
            confidence=_BY_STATEMENT,
            reasons=(
                _quote(stated),
                "It is another line: compare the two before you move.",
                *self._about_vectors(),
            ),
            runners_up=tuple(one for one in runners_up if one.id != stated.listed.id),
            replacement=stated,
            needs_reembedding=self.current.identity.is_embedding,
        )

    def _why_not_offered(self, stated: Stated) -> str:
        """Say why a stated replacement is only quoted, or nothing where it can be offered."""
        if stated.listed is None:
            return "It is not listed."
        if stated.listed.id == self.current.known.id:
            return "That is the model itself."
        if stated.listed.is_called_out:
            return f"It is called {stated.listed.status.lower()} itself."
        if why_not := stated.listed.why_not_callable(self.current.known):
            return why_not
        found = self.listing.find(stated.listed.id)
        if found and found.identity.route != self.current.identity.route:
            return "It is reached by another route."
        may_be_preview = (
            self.rules.allow_previews
            or self.current.identity.is_preview
            or self.current.known.is_called_preview
        )
        is_preview = stated.listed.is_called_preview or bool(found and found.identity.is_preview)
        if is_preview and not may_be_preview:
            return "It is a preview, and previews are not allowed here."
        return refusal(stated.listed.id, self.rules)

    def _silence(self) -> tuple[str, ...]:
        identity = self.current.identity
        if identity.says_nothing:
            return ("The id says nothing of the model behind it: nothing can follow from it.",)
        if identity.stage is ReleaseStage.ROUTER:
            return ("The name chooses a model for each request: it is no version.",)
        if self._moves_by_itself():
            return ("The name is an alias that moves by itself: there is nothing to change.",)
        return (_NOTHING_NEWER,)

    def _about_vectors(self) -> tuple[str, ...]:
        if self.current.identity.is_embedding:
            return ("Stored vectors must be rebuilt: two embedding models do not compare.",)
        return ()

    def _runners_up(
        self, passed_over: list[tuple[Entry, Candidacy]], judged: list[tuple[Entry, Candidacy]]
    ) -> tuple[RunnerUp, ...]:
        shown = [
            RunnerUp(entry.known.id, "An upgrade too, but not the one that fits best.")
            for entry, _ in passed_over
        ]
        near = sorted(
            (
                (entry, verdict)
                for entry, verdict in judged
                if not verdict.step and verdict.distance < line.FAR_APART
            ),
            key=lambda pair: order_key(pair[0]),
            reverse=True,
        )
        near.sort(key=lambda pair: pair[1].distance)
        shown += [RunnerUp(entry.known.id, verdict.why_not) for entry, verdict in near]
        return tuple(shown[:_SHOWN_RUNNERS_UP])


def _of_one_generation(doubted: Sequence[tuple[Entry, str]]) -> Maybe:
    """Return the newest generation of what is doubted for the same reason: all of its sizes."""
    newest, doubt = doubted[0]
    entries = [
        entry
        for entry, why in doubted
        if why == doubt and entry.identity.ordinal == newest.identity.ordinal
    ]
    return Maybe(tuple(entries), doubt)


_NOTHING_NEWER: Final = "Nothing newer is listed in its line."


def _quote(stated: Stated) -> str:
    dated = f" on {dates.day(stated.dated)}" if stated.dated else ""
    source = f" ({stated.source})" if stated.source else ""
    return f"The provider stated{dated} that {stated.id} replaces it{source}."
