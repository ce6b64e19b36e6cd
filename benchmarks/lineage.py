"""Score lineage against stated successors, and replay what was listed day by day.

    python -m benchmarks.lineage [--data ../shared/data] [--failures development|held] [--words]
        [--from 2025-06-01] [--until 2025-12-31]

The replay goes over all `listings/*.jsonl`, from the first day of each provider to the last day
that they mention, or between the days that are given. A maybe is counted apart everywhere: it is
no answer that somebody would move to, so it is neither right nor taken; what it adds to the
upgrades that were missed, and how many look-alikes it names, stands beside.

How the list of the day is made: the provider's own listing on the day that the wording was
first seen, where `listings/` has it (mid 2025 to the end of 2025), OpenRouter's recorded list
for its own rows, and in both cases, or alone where there is no listing, every id that the
truth files name for that provider and that lived on that day. Such an id is born on the date
that it states, or that the listings know, or else on the first day that a row names it; it is
deprecated from the day that a row announces so (with `--words` nobody knows the day: a bare word is
all there is, and what has it is no upgrade), and gone after its shutdown. Negatives
are asked twice: against everything ever named for the provider, and with the look-alike as the
only other model.

Groups (maker and generation) are split by the hash of their name. Rules were written while
looking at the failures of three quarters of them. The held quarter was read once, on 2026-11-25,
after its figures had stopped moving; two words were learnt from it (`terminus` is later than no
word, `completions` is an endpoint). Whatever is written from now on is judged by the invented
makers of `tests/versioning/domain/lineage` and by data that is kept elsewhere.
"""

import argparse
import contextlib
import hashlib
import json
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from versioning.domain.lineage import (
    Answer,
    Known,
    ModelIndex,
    Rules,
    StepKind,
    find_successor,
    parse,
)

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
HALVES = ("development", "held")
LISTED_AS = {
    "gemini": "google",
    "vertex": "google-vertex",
    "bedrock": "amazon-bedrock",
    "together": "togetherai",
}
# What `letters` leaves out: numbers, and the words for how settled a name is.
NO_WORD = re.compile(r"[0-9]*|[0-9]+o|v|[0-9]+p[0-9]+")
STAGES = frozenset({"preview", "exp", "latest"})
SETTLED = Rules()
WITH_PREVIEWS = Rules(allow_previews=True)

Row = dict[str, Any]


def read_rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def half_of(group: str) -> str:
    return HALVES[hashlib.sha256(group.encode()).digest()[0] % 4 == 3]


def many(value: str | list[str] | None) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def a_date(text: str | None) -> date | None:
    """Read `2025`, `2025-01` or `2025-01-31` as the first day it can mean."""
    if not text:
        return None
    return date.fromisoformat((text + "-01-01")[:10])


def a_price(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def known_from_listing(row: Row) -> Known:
    modalities = row.get("modalities") or {}
    flags = ("reasoning", "tool_call", "structured_output", "open_weights")
    return Known(
        id=row["id"],
        name=row.get("name") or "",
        released=a_date(row.get("released")),
        context_tokens=row.get("context"),
        output_tokens=row.get("output"),
        input_price=a_price(row.get("input_price")),
        output_price=a_price(row.get("output_price")),
        input_modalities=tuple(modalities.get("input") or ()),
        output_modalities=tuple(modalities.get("output") or ()),
        capabilities=tuple(flag for flag in flags if row.get(flag)),
        parameters=tuple(row.get("parameters") or ()),
        hugging_face_id=row.get("hf") or "",
        status=row.get("status") or "",
        listed_since=a_date(row.get("first_listed")),
    )


@dataclass
class World:
    """Everything that the data says about who listed what, and when."""

    positives: list[Row]
    negatives: list[Row]
    listings: dict[str, list[Row]]
    recorded: dict[str, list[Known]]
    says_words: bool = False
    """Is an announced end known by the bare word only, as of many catalogues, and not by a date?"""
    born: dict[str, dict[str, date]] = field(default_factory=lambda: defaultdict(dict))
    gone: dict[str, dict[str, date]] = field(default_factory=lambda: defaultdict(dict))
    leaving: dict[str, dict[str, date]] = field(default_factory=lambda: defaultdict(dict))

    @classmethod
    def read(cls, data: Path) -> "World":
        listings: dict[str, list[Row]] = defaultdict(list)
        for path in sorted((data / "listings").glob("*.jsonl")):
            for row in read_rows(path):
                listings[row["provider"]].append(row)
        recorded = {
            row["provider"]: [
                Known(
                    id=m["id"], released=a_date(m.get("created")), hugging_face_id=m.get("hf", "")
                )
                for m in row["models"]
            ]
            for row in read_rows(data / "lineage" / "lists.jsonl")
        }
        world = cls(
            read_rows(data / "lineage" / "positives.jsonl"),
            read_rows(data / "lineage" / "negatives.jsonl"),
            listings,
            recorded,
        )
        world._date_the_named()
        return world

    def _date_the_named(self) -> None:
        released = self._first_releases()
        for row in self.positives:
            provider, from_id = row["provider"], row["from_id"]
            born = self.born[provider]
            seen = date.fromisoformat(row["as_of"][0])
            for model_id in (from_id, *many(row["to_id"])):
                told = birthday(model_id, provider) or released.get(plain(model_id))
                born[model_id] = min(told or seen, born.get(model_id, date.max))
            if row["shutdown_date"] and len(row["shutdown_date"]) == 10:
                self.gone[provider][from_id] = date.fromisoformat(row["shutdown_date"])
            self.leaving[provider][from_id] = min(
                a_date(row["announced"]) or seen, self.leaving[provider].get(from_id, date.max)
            )

    def _first_releases(self) -> dict[str, date]:
        found: dict[str, date] = {}
        for row in (row for rows in self.listings.values() for row in rows):
            if released := a_date(row["released"]):
                key = plain(row["id"])
                found[key] = min(released, found.get(key, date.max))
        return found

    def listed_on(self, provider: str, day: date) -> list[Known]:
        """The provider's list of the day, completed by what the truth names by then."""
        found = {known.id: known for known in self._own_list(provider, day)}
        for model_id, born in self.born[provider].items():
            if born <= day and self.gone[provider].get(model_id, date.max) >= day:
                found.setdefault(model_id, Known(id=model_id))
        for model_id, announced in self.leaving[provider].items():
            if announced <= day and model_id in found:
                found[model_id] = self._announced(found[model_id], announced)
        return list(found.values())

    def _announced(self, known: Known, day: date) -> Known:
        """Say of a model that it goes: with the date, or as a bare word for all of them."""
        if self.says_words:
            return replace(known, status="deprecated")
        return replace(known, deprecated_on=day)

    def last_day(self) -> date:
        """The last day that a listing mentions; what is listed still was so on that day."""
        rows = [row for rows in self.listings.values() for row in rows]
        named = [row[name] for row in rows for name in ("first_listed", "last_listed")]
        return date.fromisoformat(max(day for day in named if day))

    def _own_list(self, provider: str, day: date) -> Iterable[Known]:
        if provider in self.recorded:
            return self.recorded[provider]
        rows = self.listings.get(LISTED_AS.get(provider, provider), [])
        return [known_from_listing(row) for row in rows if is_listed(row, day)]

    def ever_named(self, provider: str) -> list[Known]:
        found = {known.id: known for known in self.recorded.get(provider, [])}
        for row in self.positives:
            if row["provider"] == provider:
                for model_id in (row["from_id"], *many(row["to_id"])):
                    found.setdefault(model_id, Known(id=model_id))
        for row in self.negatives:
            if row["provider"] == provider:
                for model_id in (row["from_id"], row["not_upgrade_id"]):
                    found.setdefault(model_id, Known(id=model_id))
        return list(found.values())


def plain(model_id: str) -> str:
    return model_id.lower().rpartition("/")[2].replace(" ", "-")


def birthday(model_id: str, provider: str) -> date | None:
    """The day that an id states itself: no list can have had it before."""
    snapshot = parse(model_id, provider=provider).snapshot
    return snapshot.on() if snapshot else None


def is_listed(row: Row, day: date) -> bool:
    last = row["last_listed"]
    return row["first_listed"] <= day.isoformat() and (last is None or day.isoformat() <= last)


def ask(model_id: str, provider: str, listed: Sequence[Known], rules: Rules = SETTLED) -> Answer:
    return find_successor(Known(id=model_id), listed=listed, provider=provider, rules=rules)


def upgrade_of(answer: Answer) -> str | None:
    if answer.successor is None or answer.step is StepKind.REPLACEMENT:
        return None
    return answer.successor.id


def maybes_of(answer: Answer) -> frozenset[str]:
    return frozenset(known.id for known in answer.maybes)


@dataclass
class Lines:
    """Which ids are in one line, without asking lineage itself.

    Either a chain of upgrades that sources state leads from one to the other, ids compared
    without owner, case and date; or the two consist of the same words and sizes.
    """

    parent: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, positives: Iterable[Row]) -> "Lines":
        lines = cls()
        for row in positives:
            if row["same_lineage"]:
                for to_id in many(row.get("lineage_to") or row["to_id"]):
                    lines.parent[lines.root(row["from_id"])] = lines.root(to_id)
        return lines

    def root(self, model_id: str) -> str:
        name = undated(model_id)
        while (above := self.parent.get(name, name)) != name:
            name = above
        return name

    def are_one(self, left: str, right: str) -> bool:
        return self.root(left) == self.root(right) or letters(left) == letters(right)


def letters(model_id: str) -> frozenset[str]:
    """The words and sizes of an id, without its numbers: one line, by the letters alone."""
    name = re.sub(r"(?<=[a-z])(?=[0-9])", " ", plain(model_id))
    tokens = re.split(r"[^a-z0-9]+", name)
    return frozenset(t for t in tokens if not NO_WORD.fullmatch(t)) - STAGES


def undated(model_id: str) -> str:
    return re.sub(r"-(20\d\d-\d\d-\d\d|20\d{6}|\d{4}|latest)(?=$|-v\d:\d)", "", plain(model_id))


@dataclass
class Score:
    """Counts of one half."""

    right: int = 0
    in_line: int = 0
    wrong: int = 0
    missed: int = 0
    maybe: int = 0  # of the missed, those that a maybe names
    not_listed: int = 0
    only_going: int = 0
    """The stated successors that are listed are called deprecated as well: no answer is right, a
    maybe that names one is."""
    going_named: int = 0
    only_previews: int = 0
    previews_right: int = 0
    abstained: int = 0
    stayed: int = 0
    moved: int = 0
    quoted: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    fooled: Counter[str] = field(default_factory=Counter)
    fooled_alone: Counter[str] = field(default_factory=Counter)
    maybe_fooled: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def listed(self) -> int:
        return self.right + self.in_line + self.wrong + self.missed

    @property
    def proposed(self) -> int:
        return self.right + self.in_line + self.wrong

    def fail(self, how: str, row: Row, chosen: str | None, truth: object) -> None:
        self.failures.append(
            f"{how:8}{row['provider']}: {row['from_id']} -> {chosen}, stated {truth}"
        )


def score(world: World) -> dict[str, Score]:
    scores = {half: Score() for half in HALVES}
    stated: dict[tuple[str, str], set[str]] = defaultdict(set)
    lines = Lines.of(world.positives)
    for row in world.positives:
        if row["same_lineage"]:
            to_ids = many(row.get("lineage_to") or row["to_id"])
            stated[row["provider"], row["from_id"]] |= set(to_ids)
    for row in world.positives:
        half = scores[half_of(row["group"])]
        if row["same_lineage"]:
            score_upgrade(world, half, row, stated[row["provider"], row["from_id"]], lines)
        else:
            score_replacement(world, half, row, lines)
    for row in world.negatives:
        score_negative(world, scores[half_of(row["group"])], row)
    return scores


def score_upgrade(world: World, score: Score, row: Row, truth: set[str], lines: Lines) -> None:
    listed = world.listed_on(row["provider"], date.fromisoformat(row["as_of"][0]))
    on_list = truth & {known.id for known in listed}
    if not on_list:
        score.not_listed += 1
        return
    settled = not parse(row["from_id"], provider=row["provider"]).is_preview
    if settled and all(parse(i, provider=row["provider"]).is_preview for i in on_list):
        score.only_previews += 1
        chosen = upgrade_of(ask(row["from_id"], row["provider"], listed, WITH_PREVIEWS))
        score.previews_right += chosen in truth
        return
    answer = ask(row["from_id"], row["provider"], listed)
    chosen, maybes = upgrade_of(answer), maybes_of(answer)
    is_named = any(one in truth or any(lines.are_one(t, one) for t in truth) for one in maybes)
    if chosen is None and all(
        known.status == "deprecated" for known in listed if known.id in on_list
    ):
        score.only_going += 1
        score.going_named += is_named
    elif chosen in truth:
        score.right += 1
    elif chosen is None:
        score.missed += 1
        score.maybe += is_named
        score.fail("maybe" if maybes else "missed", row, chosen, sorted(on_list))
    elif any(lines.are_one(one, chosen) for one in (row["from_id"], *truth)):
        score.in_line += 1
        score.fail("in line", row, chosen, sorted(on_list))
    else:
        score.wrong += 1
        score.fail("wrong", row, chosen, sorted(on_list))


def score_replacement(world: World, score: Score, row: Row, lines: Lines) -> None:
    """The statement is given, as a provider gives it: an upgrade must not be made of it."""
    listed = world.listed_on(row["provider"], date.fromisoformat(row["as_of"][0]))
    current = Known(
        id=row["from_id"],
        status="deprecated",
        replacement=many(row["to_id"])[0],
        replacement_source=row["source"],
    )
    answer = find_successor(current, listed=listed, provider=row["provider"])
    chosen = upgrade_of(answer)
    score.quoted += bool(answer.replacement and answer.replacement.source)
    if chosen is None:
        score.abstained += 1
    elif lines.are_one(row["from_id"], chosen):
        score.stayed += 1
    else:
        score.moved += 1
        score.fail("moved", row, chosen, row["to_id"])


def score_negative(world: World, score: Score, row: Row) -> None:
    provider, wrong, reason = row["provider"], row["not_upgrade_id"], row["reason"]
    score.asked[reason] += 1
    answer = ask(row["from_id"], provider, world.ever_named(provider))
    if upgrade_of(answer) == wrong:
        score.fooled[reason] += 1
        score.failures.append(f"fooled  {provider}: {row['from_id']} -> {wrong} ({reason})")
    pair = [Known(id=row["from_id"]), Known(id=wrong)]
    alone = ask(row["from_id"], provider, pair)
    if wrong in maybes_of(answer) | maybes_of(alone):
        score.maybe_fooled[reason] += 1
        score.failures.append(f"maybe   {provider}: {row['from_id']} -> {wrong} ({reason})")
    if upgrade_of(alone) == wrong:
        score.fooled_alone[reason] += 1
        score.failures.append(f"alone   {provider}: {row['from_id']} -> {wrong} ({reason})")


@dataclass
class Replay:
    """What a year of mornings would have recommended."""

    questions: int = 0
    slowest_ms: float = 0.0
    recommended: dict[tuple[str, str, str], date] = field(default_factory=dict)
    maybes: set[tuple[str, str, str]] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)
    new_releases: int = 0
    in_a_day: int = 0
    late: list[str] = field(default_factory=list)


def replay(world: World, *, since: date | None = None, until: date | None = None) -> Replay:
    """Ask about every chat model of a provider's first list, every morning of the data.

    `since` and `until` are the first and the last morning, both included.
    """
    found = Replay()
    last = until or world.last_day()
    for provider, rows in sorted(world.listings.items()):
        begin = date.fromisoformat(min(row["first_listed"] for row in rows))
        first = max(begin, since or begin)
        tracked = [row["id"] for row in rows if is_listed(row, first) and is_chat(row)]
        last_answer: dict[str, str] = {}
        for day in days(first, last):
            rows_now = [row for row in rows if is_listed(row, day)]
            listing = ModelIndex.of(map(known_from_listing, rows_now), provider=provider)
            for model_id in dict.fromkeys(tracked):
                note_answer(found, provider, model_id, day, listing, last_answer)
        note_latency(found, provider, rows, first)
        note_wrong(found, world, provider, {row["id"]: row for row in rows})
    return found


def is_chat(row: Row) -> bool:
    gives = (row.get("modalities") or {}).get("output") or []
    kinds = parse(row["id"], provider=row["provider"]).kinds
    return gives == ["text"] and not {"embedding", "rerank", "moderation"} & set(kinds)


def days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def note_answer(
    found: Replay,
    provider: str,
    model_id: str,
    day: date,
    listing: ModelIndex,
    last: dict[str, str],
) -> None:
    started = time.thread_time()
    answer = find_successor(Known(id=model_id), listed=listing, provider=provider)
    found.slowest_ms = max(found.slowest_ms, (time.thread_time() - started) * 1000)
    found.questions += 1
    chosen = upgrade_of(answer)
    found.maybes |= {(provider, model_id, one) for one in maybes_of(answer)}
    before = last.get(model_id)
    if before and before in listing and chosen != before:
        became = chosen or "nothing"
        newer = chosen and is_newer(before, chosen, provider, listing)
        if not newer:
            found.taken_back.append(f"{provider}: {model_id} -> {before}, then {became} on {day}")
    if chosen:
        found.recommended.setdefault((provider, model_id, chosen), day)
        last[model_id] = chosen
    else:
        last.pop(model_id, None)


def is_newer(before: str, after: str, provider: str, listing: ModelIndex) -> bool:
    """A later recommendation that itself succeeds the earlier one supersedes it."""
    first, second = listing.find(before), listing.find(after)
    if first is None or second is None:
        return False
    if first.identity.is_preview and not second.identity.is_preview:
        return True
    return second.identity.generation > first.identity.generation or (
        upgrade_of(find_successor(first.known, listed=[second.known], provider=provider)) == after
    )


def note_latency(found: Replay, provider: str, rows: list[Row], first: date) -> None:
    """Count each release that was ever recommended: on the day after its listing at the latest?"""
    first_day: dict[str, date] = {}
    for (of, _, chosen), day in found.recommended.items():
        if of == provider:
            first_day[chosen] = min(day, first_day.get(chosen, date.max))
    for row in rows:
        listed = date.fromisoformat(row["first_listed"])
        if listed <= first or row["id"] not in first_day:
            continue
        found.new_releases += 1
        if (first_day[row["id"]] - listed).days <= 1:
            found.in_a_day += 1
        else:
            found.late.append(f"{provider}: {row['id']} listed {listed}, {first_day[row['id']]}")


def note_wrong(found: Replay, world: World, provider: str, rows: dict[str, Row]) -> None:
    """Wrong: a named look-alike, another family label, or released earlier.

    A pair that truth calls an upgrade is right whatever its labels.
    """
    truth = {
        (row["from_id"], to_id)
        for row in world.positives
        if row["same_lineage"]
        for to_id in many(row.get("lineage_to") or row["to_id"])
    }
    look_alikes = {(row["from_id"], row["not_upgrade_id"]) for row in world.negatives}
    for of, model_id, chosen in found.recommended:
        if of != provider or (model_id, chosen) in truth:
            continue
        old, new = rows[model_id], rows[chosen]
        why = ""
        if (model_id, chosen) in look_alikes:
            why = "look-alike"
        elif another_label(old, new):
            why = f"label {old['family']} -> {new['family']}"
        elif old["released"] and new["released"] and old["released"] > new["released"]:
            why = f"released {old['released']} -> {new['released']}"
        if why:
            found.wrong.append(f"{provider}: {model_id} -> {chosen} ({why})")


def another_label(old: Row, new: Row) -> bool:
    """Labels differ, and not only by a word that both ids have or that marks a preview."""
    if not (old["family"] and new["family"]):
        return False
    words = set(old["family"].split("-")) ^ set(new["family"].split("-"))
    said = set(plain(old["id"]).split("-")) & set(plain(new["id"]).split("-"))
    return bool(words - said - {"beta", "preview"})


def slowest_reading(world: World) -> tuple[float, str]:
    """The slowest id of the data and of hostile shapes, in milliseconds, read without cache."""
    ids = {row["id"] for rows in world.listings.values() for row in rows}
    ids |= {row["from_id"] for row in world.positives + world.negatives}
    ids |= {
        pattern * (200 // len(pattern))
        for pattern in (
            "a",
            "1",
            "-",
            "a1",
            "1-",
            "v1.",
            "a.",
            "/",
            ":",
            "_",
            "q4_",
            "1x",
            "٣",
            "İ",
        )
    }
    read = parse.__globals__["_parse"].__wrapped__
    slowest = (0.0, "")
    for model_id in sorted(ids):
        took = min(timed(read, model_id, "") for _ in range(3))
        slowest = max(slowest, (took, model_id))
    return slowest


def timed(act: Any, *arguments: object) -> float:
    """Return the milliseconds of computing that a call takes, however busy the machine is."""
    started = time.thread_time()
    with contextlib.suppress(ValueError):
        act(*arguments)
    return (time.thread_time() - started) * 1000


def one_answer_ms(world: World) -> tuple[float, float]:
    """Return the first answer among 400 models, no id read before, and the slowest later one."""
    pool = [known_from_listing(row) for rows in world.listings.values() for row in rows][:400]
    parse.__globals__["_parse"].cache_clear()
    first = timed(answer_among, pool[0], pool)
    return first, max(timed(answer_among, one, pool) for one in pool)


def one_answer_in_a_crowd_ms() -> float:
    """Return the slowest of some answers among 20,000 models of one maker, read before."""
    tiers, dates = ("mini", "pro", "large", "flash"), ("", "-2024-05-01", "-2024-11-01", "-fp8")
    ids = [
        f"acme/orion-{major}.{minor}-{tier}{dated}"
        for major in range(1, 26)
        for minor in range(50)
        for tier in tiers
        for dated in dates
    ]
    listing = ModelIndex.of(Known(id=id) for id in ids)
    asked = [Known(id=id) for id in (ids[0], ids[-1], "acme/orion-3", "acme/other-1")]
    answer_among(asked[0], listing)  # it sorts the families
    return max(timed(answer_among, known, listing) for known in asked)


def answer_among(known: Known, listed: Sequence[Known] | ModelIndex) -> None:
    find_successor(known, listed=listed)


def share(part: int, whole: int) -> str:
    return f"{part}/{whole} = {100 * part / whole:.1f} %" if whole else "none"


def report(scores: dict[str, Score]) -> None:
    for half, score in scores.items():
        negatives, moves = sum(score.asked.values()), score.abstained + score.stayed + score.moved
        followed = score.right + score.in_line
        print(f"\n{half} half")
        print(f"  upgrade as stated           {share(score.right, score.listed)}")
        print(f"  or newer in that line       {share(followed, score.listed)} (recall)")
        print(f"  or named by a maybe         {share(followed + score.maybe, score.listed)}")
        print(f"  precision                   {share(followed, score.proposed)}")
        print(f"  only previews listed        {share(score.previews_right, score.only_previews)}")
        print(f"  successor goes, too: maybe  {share(score.going_named, score.only_going)}")
        print(f"  successor not listed        {score.not_listed}")
        print(f"  replacements: abstained     {share(score.abstained, moves)}")
        print(f"  or stayed in the line       {share(score.abstained + score.stayed, moves)}")
        print(f"  replacement quoted          {share(score.quoted, moves)}")
        print(f"  look-alikes taken           {share(score.fooled.total(), negatives)}")
        print(f"  look-alikes taken, alone    {share(score.fooled_alone.total(), negatives)}")
        print(f"  look-alikes in a maybe      {share(score.maybe_fooled.total(), negatives)}")
        shown = score.fooled | score.fooled_alone | score.maybe_fooled
        for reason, count in shown.most_common():
            print(f"      {reason}: {count} of {score.asked[reason]}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Score lineage against the shared data.")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--failures", choices=HALVES)
    parser.add_argument("--no-replay", action="store_true")
    parser.add_argument(
        "--words", action="store_true", help="know an announced end by the word alone"
    )
    parser.add_argument("--from", dest="since", type=date.fromisoformat, metavar="YYYY-MM-DD")
    parser.add_argument("--until", type=date.fromisoformat, metavar="YYYY-MM-DD")
    options = parser.parse_args(arguments)
    if not (options.data / "lineage").is_dir():
        print(f"Skipped: there is no lineage data in {options.data}.")
        return 0
    world = World.read(options.data)
    world.says_words = options.words
    scores = score(world)
    report(scores)
    if options.failures:
        for text, count in Counter(scores[options.failures].failures).items():
            print(f"    {count} x {text}")
    slowest, model_id = slowest_reading(world)
    print(f"\nslowest id {slowest:.3f} ms: {model_id[:60]!r}")
    first, later = one_answer_ms(world)
    print(f"one answer among 400: {later:.2f} ms, {first:.2f} ms where no id was read before")
    print(f"one answer among 20,000 models of one maker: {one_answer_in_a_crowd_ms():.0f} ms")
    if options.no_replay:
        return 0
    started = time.perf_counter()
    found = replay(world, since=options.since, until=options.until)
    took = time.perf_counter() - started
    total = len(found.recommended)
    print(f"\nreplay: {found.questions} questions in {took:.1f} s")
    print(f"  recommendations {total}, precision {share(total - len(found.wrong), total)}")
    print(f"  releases recommended within a day {share(found.in_a_day, found.new_releases)}")
    print(f"  maybes {len(found.maybes)}")
    print(f"  taken back {len(found.taken_back)}, slowest answer {found.slowest_ms:.2f} ms")
    for text in [*found.wrong, *found.taken_back, *found.late]:
        print(f"    {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
