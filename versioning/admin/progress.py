"""The course of an upgrade under way, as its page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from providers.moments import stamp
from versioning.admin import decision_sheet, layers, words
from versioning.models import UpgradeRecord, Watch
from versioning.services.upgrades import progress
from versioning.services.upgrades.progress import CanaryProgress, Hold, WatchProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryStepRow:
    """One step of a canary."""

    weight: str
    asks: str
    badge: SafeString
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryView:
    """A canary in words."""

    title: str
    since: SafeString
    paused: SafeString | str
    steps: Sequence[CanaryStepRow]
    holds: Sequence[Hold]
    before: str
    after: str
    says: str
    looked: SafeString
    verdict: SafeString
    sentence: str
    on: str
    """On how many scores the evidence of now rests."""
    next_look: datetime | None
    events: Sequence[Mapping[str, Any]]
    said: str
    """Where it is, in a line: to be said again when it changes."""


def of(*, record: UpgradeRecord, now: datetime) -> dict[str, Any]:
    """Return what the page shows of the course; empty where the record is on none."""
    found = progress.of(record=record, now=now)
    if found.canary is not None:
        return {"canary": _canary(found.canary, now=now)}
    if found.watch is not None:
        return {"watch": _watch(found.watch, now=now)}
    if found.watched is not None:
        return {"watched": _watched(found.watched, now=now)}
    return {"waits": found.waits} if found.waits else {}


def _canary(found: CanaryProgress, *, now: datetime) -> CanaryView:
    trial = found.canary
    return CanaryView(
        title=_("Canary: %(weight)s of the keys get it, step %(position)s of %(steps)s")
        % {
            "weight": f"{trial.weight:.0%}",
            "position": trial.position + 1,
            "steps": len(found.steps),
        },
        since=words.ago(trial.step_began_at, now=now),
        paused=words.ago(trial.paused_at, now=now) if trial.paused_at else "",
        steps=[_step(found, number) for number in range(len(found.steps))],
        holds=found.holds,
        before=f"{found.requests_before:,}",
        after=f"{found.requests_after:,}",
        says=trial.says,
        looked=words.ago(trial.looked_at, now=now),
        verdict=words.verdict(found.evidence.verdict),
        sentence=found.evidence.sentence,
        on=layers.on_scores(found.evidence),
        next_look=found.next_look,
        events=[
            {"sentence": each.sentence, "ago": words.ago(each.at, now=now)} for each in found.events
        ],
        said=_("%(weight)s of the keys, step %(step)s of %(steps)s. %(says)s")
        % {
            "weight": f"{trial.weight:.0%}",
            "step": trial.position + 1,
            "steps": len(found.steps),
            "says": trial.says,
        },
    )


def _held_for(hours: Decimal) -> str:
    """Return "10 days", or "36 h" where it is no number of whole days."""
    if hours % 24:
        return f"{float(hours):g} h"
    return words.counted(int(hours // 24), ngettext_lazy("%(n)s day", "%(n)s days", "c"))


def _step(found: CanaryProgress, number: int) -> CanaryStepRow:
    step, trial = found.steps[number], found.canary
    asked = [
        _held_for(step.hold_hours) if step.hold_hours else "",
        words.counted(step.hold_samples, ngettext_lazy("%(n)s sample", "%(n)s samples", "c"))
        if step.hold_samples
        else "",
        _("a person's approval") if step.needs_approval else "",
    ]
    if number < trial.position:
        badge = words.badge(_("done"), "good")
    elif number > trial.position:
        badge = words.badge(_("to come"))
    elif trial.paused_at is not None:
        badge = words.badge(_("paused"), "warn")
    else:
        badge = words.badge(_("on"), "info")
    return CanaryStepRow(
        weight=f"{step.weight:.0%}",
        asks=", ".join(part for part in asked if part) or _("good evidence"),
        badge=badge,
        is_on=number == trial.position,
    )


def _watch(found: WatchProgress, *, now: datetime) -> dict[str, Any]:
    watch = found.watch
    return {
        "until": stamp(watch.ends_at),
        "left": words.ago(watch.ends_at, now=now),
        "looked": words.ago(watch.looked_at, now=now),
        "sheet": decision_sheet.of_evidence(found.evidence),
        "on": layers.on_scores(found.evidence),
    }


def _watched(watch: Watch, *, now: datetime) -> dict[str, Any]:
    return {
        "result": layers.outcome(watch.result),
        "sentence": watch.sentence,
        "ended": words.ago(watch.ended_at, now=now),
    }
