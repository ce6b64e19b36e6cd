"""How things are said and coloured on the pages."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from providers.moments import stamp
from versioning.domain.evidence import Evidence, read
from versioning.domain.figure_kinds import Says, ShownFigure
from versioning.domain.figures import SHOWN
from versioning.domain.pricing import Part, further_prices
from versioning.domain.signals import QUALITY
from versioning.models import Check, EvaluationRun, ModelVersion, UpgradeRecord
from versioning.services import clock

URGENT_DAYS = 30

STATE_TONES = {
    "recommended": "info",
    "snoozed": "plain",
    "approved": "info",
    "testing": "info",
    "canary": "info",
    "completed": "good",
    "rolled_back": "warn",
    "rejected": "plain",
    "superseded": "plain",
    "failed": "bad",
    "aborted": "bad",
}
STEP_WORDS = {
    "completed": gettext_lazy("moved"),
    "rejected": gettext_lazy("rejected"),
    "rolled_back": gettext_lazy("rolled back"),
    "failed": gettext_lazy("failed in testing"),
    "aborted": gettext_lazy("canary aborted"),
}
CHECK_TONES = {
    Check.State.RUNNING: "info",
    Check.State.CHANGED: "good",
    Check.State.UNCHANGED: "plain",
    Check.State.PARTLY: "warn",
    Check.State.FAILED: "bad",
}
DECISION_TONES = {
    "upgrade": "good",
    "stay": "plain",
    "not_enough_evidence": "warn",
    "blocked": "bad",
}
VERDICT_TONES = {
    "better": "good",
    "not_worse": "good",
    "worse": "bad",
    "not_enough_data": "warn",
    "passed": "good",
    "narrowly_passed": "good",
    "failed": "bad",
    "unknown": "warn",
    "unsure": "warn",
    "perhaps_too_much": "warn",
    "not_alike": "warn",
}
CODE_WORDS = {
    "upgrade": gettext_lazy("upgrade"),
    "stay": gettext_lazy("stay"),
    "not_enough_evidence": gettext_lazy("not enough evidence"),
    "blocked": gettext_lazy("blocked"),
    "better": gettext_lazy("better"),
    "not_worse": gettext_lazy("not worse"),
    "worse": gettext_lazy("worse"),
    "not_enough_data": gettext_lazy("not enough data"),
    "passed": gettext_lazy("passed"),
    "narrowly_passed": gettext_lazy("narrowly passed"),
    "failed": gettext_lazy("failed"),
    "unknown": gettext_lazy("unknown"),
    "unsure": gettext_lazy("unsure"),
    "perhaps_too_much": gettext_lazy("perhaps too much"),
    "not_alike": gettext_lazy("not alike"),
}
WHAT_TO_DO = {
    Check.ErrorKind.UNAVAILABLE: gettext_lazy(
        "See whether the server is up and its address is right, then "
        "check again. The next scheduled check tries by itself."
    ),
    Check.ErrorKind.REFUSED: gettext_lazy(
        "See whether the key's variable is set and the key is still valid, "
        "then test the connection on the provider's page."
    ),
    Check.ErrorKind.NONSENSE: gettext_lazy(
        "Look at the answer of its list of models. If the next check says "
        "the same, the provider may have changed its API."
    ),
    Check.ErrorKind.BROKEN: gettext_lazy("The worker stopped in the middle. Check again."),
}


def badge(text: str, tone: str = "plain", *, title: str = "") -> SafeString:
    """Return a small label; tones are good, bad, warn, info and plain."""
    return format_html(
        '<span class="hs-badge hs-{}" title="{}">{}</span>', tone, title or text, text
    )


def state(record: UpgradeRecord) -> SafeString:
    return badge(record.get_state_display(), STATE_TONES[record.state])


def check_state(check: Check) -> SafeString:
    return badge(check.get_state_display(), CHECK_TONES[Check.State(check.state)])


def decision(evidence: Evidence) -> SafeString:
    """Return what the evidence says to do, as a label."""
    code = plain_code(evidence.decision) or "not_enough_evidence"
    return badge(code_words(code), DECISION_TONES.get(code, "plain"))


def verdict(code: Any) -> SafeString:
    known = plain_code(code) or "not_enough_data"
    return badge(code_words(known), VERDICT_TONES.get(known, "plain"))


def code_words(code: str) -> str:
    """Return what a code of the evidence is called: "not worse" for ``not_worse``."""
    return str(CODE_WORDS.get(code, code.replace("_", " ")))


def confidence(record: UpgradeRecord) -> SafeString:
    """Say how sure lineage is that one succeeds the other; nothing of the first."""
    if record.step in (UpgradeRecord.Step.FIRST, UpgradeRecord.Step.BACK):
        return SafeString("")
    share = record.confidence
    words = (
        _("sure successor")
        if share >= 0.9
        else _("likely successor")
        if share >= 0.6
        else _("guessed successor")
    )
    tone = "plain" if share >= 0.6 else "warn"
    return badge(
        f"{words} {share:.0%}", tone, title=_("How sure it is that this is its successor.")
    )


def plain_code(value: Any) -> str:
    """Return a stored code in one spelling: "NOT ENOUGH" and "not_enough" are the same."""
    return str(value or "").strip().lower().replace(" ", "_")


def ago(moment: datetime | None, *, now: datetime) -> SafeString:
    """Return "3 hours ago" or "in 2 days", with the moment itself in the reader's zone."""
    if moment is None:
        return format_html("{}", _("never"))
    local = timezone.localtime(moment)
    if abs((now - moment).total_seconds()) < 60:
        words = _("just now")
    elif moment <= now:
        words = _("%(moment)s ago") % {"moment": _rough(moment, now)}
    else:
        words = _("in %(time)s") % {"time": _rough(now, moment)}
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(), stamp(moment), words
    )


def day(value: date) -> str:
    return date_format(value, "j M Y")


def day_of_year(value: date) -> str:
    """Return "25 Nov", for the axis of a plot."""
    return date_format(value, "j M")


def until_day(value: date, *, now: datetime) -> str:
    """Return "in 12 days", "today" or "5 days ago", by the calendar of the configured zone."""
    days = (value - clock.local_day(now)).days
    if days == 0:
        return _("today")
    if days < 0:
        return ngettext("%(days)s day ago", "%(days)s days ago", -days) % {"days": -days}
    return ngettext("in %(days)s day", "in %(days)s days", days) % {"days": days}


def is_urgent(value: date | None, *, now: datetime) -> bool:
    return value is not None and (value - clock.local_day(now)).days <= URGENT_DAYS


def retirement(version: ModelVersion, *, now: datetime) -> str:
    """Return when a version retires, how exactly that is known, and who says so."""
    if version.retires_on is None:
        return _("no date is known") if version.is_leaving else _("not announced")
    precision = version.get_retires_precision_display()
    prefix = f"{precision} " if version.retires_precision not in ("", "exact") else ""
    words = f"{prefix}{day(version.retires_on)} ({until_day(version.retires_on, now=now)})"
    return (
        _("%(words)s, says %(retires_source)s")
        % {"words": words, "retires_source": version.retires_source}
        if version.retires_source
        else words
    )


def lifecycle(version: ModelVersion) -> str:
    """Return what a version is called, by whom and since when; empty where nobody says."""
    if not version.lifecycle:
        return ""
    since = (
        _(", first said on %(lifecycle_on)s") % {"lifecycle_on": day(version.lifecycle_on)}
        if version.lifecycle_on
        else ""
    )
    return _("%(lifecycle)s, says %(provider)s%(since)s") % {
        "lifecycle": version.lifecycle,
        "provider": version.lifecycle_source or _("its provider"),
        "since": since,
    }


def price(value: Decimal | None) -> str:
    """Return "$0.15 per million", or that it is unknown."""
    if value is None:
        return _("unknown")
    whole, _point, cents = f"{value.normalize():f}".partition(".")
    return _("$%(whole)s.%(cents)s per million tokens") % {"whole": whole, "cents": f"{cents:0<2}"}


def other_prices(values: Any) -> list[tuple[str, str]]:
    """Return name and words of each further price, such as "input above 200,000 tokens, batch"."""
    return [
        (
            f"{one.part.replace('_', ' ')}"
            + (_(" above %(above)s tokens") % {"above": f"{one.above:,}"} if one.above else "")
            + (f", {one.tier}" if one.tier else ""),
            _("$%(normalize)s per request") % {"normalize": f"{one.usd.normalize():f}"}
            if one.part is Part.REQUEST
            else price(one.usd),
        )
        for one in further_prices(values)
    ]


def counted(number: int, one_or_more: Any) -> str:
    """Return "1 case", of an ``ngettext_lazy("%(n)s case", "%(n)s cases", "c")``."""
    return str(one_or_more % {"n": f"{number:,}", "c": number})


def number(value: int | None, *, unknown: str = "unknown") -> str:
    return unknown if value is None else f"{value:,}"


def listing(values: Any) -> str:
    return ", ".join(str(value) for value in values) or "unknown"


def score(value: Any) -> str:
    """Return a quality from 0 to 1 with two digits, three where two would read 1.00 or 0.00."""
    figure = _decimal(value)
    if figure is None:
        return "–"
    return f"{figure:.3f}" if figure != 1 and (figure > Decimal("0.995")) else f"{figure:.2f}"


def percent(fraction: Any) -> str:
    """Return +13 % or +1.3 %; a dash where it is unknown."""
    figure = _decimal(fraction)
    if figure is None:
        return "–"
    value = figure * 100
    return f"{value:+.0f} %" if abs(value) >= 10 else f"{value:+.1f} %"


def share(fraction: float | None) -> str:
    """Return 30 %, or "below 1 %"; a dash where it is unknown."""
    if fraction is None:
        return "–"
    return _("below 1 %") if fraction < 0.01 else f"{fraction * 100:.0f} %"


def sentences(items: Any, *, empty: str) -> SafeString:
    """Return a list of sentences, or what its emptiness means."""
    if not items:
        return format_html('<p class="hs-quiet">{}</p>', empty)
    return format_html(
        '<ul class="hs-list">{}</ul>', format_html_join("", "<li>{}</li>", ((i,) for i in items))
    )


def question(record: UpgradeRecord) -> str:
    """Return the decision that a record asks for, without its proof."""
    name = record.tracked_model.name
    if record.step == UpgradeRecord.Step.MAYBE and record.is_waiting:
        return _("Is %(upstream_id)s what follows in %(name)s?") % {
            "upstream_id": record.to_version.upstream_id,
            "name": name,
        }
    if record.is_waiting:
        return _("Move %(name)s %(record)s?") % {"name": name, "record": labels(record)}
    return f"{name} {labels(record)}"


def labels(record: UpgradeRecord) -> str:
    """Return "1.0.0 → 1.1.0", or that the first version began."""
    if record.from_version is None:
        return _("began with %(to_version_label)s") % {"to_version_label": record.to_version.label}
    return f"{record.from_version.label} → {record.to_version.label}"


def proof(record: UpgradeRecord) -> str:
    """Return the sentence that speaks for or against the move."""
    told = read(record.evidence).sentence
    said = [told] if told else [str(reason) for reason in record.reasons if reason]
    return " ".join(map(sentence, said)) or _("Nothing measured yet.")


def sentence(said: str) -> str:
    """Return what was said as a sentence: a capital letter first, a full stop last."""
    ended = said.endswith((".", "!", "?", "…"))
    return f"{said[0].upper()}{said[1:]}{'' if ended else '.'}"


def _rough(start: datetime, end: datetime) -> str:
    return timesince(start, end, depth=1).replace("\xa0", " ")


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _float(value: Any) -> float | None:
    figure = _decimal(value)
    return None if figure is None else float(figure)


def usd(value: float | Decimal | None) -> str | None:
    """Return a cost of one request with three significant digits; None where it is unknown."""
    if value is None:
        return None
    return "$0" if value == 0 else f"${Decimal(f'{value:.3g}'):f}"


def ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms"


def check_news(check: Check) -> str:
    """Return what a check found, or why it could not say."""
    if check.state == Check.State.RUNNING:
        return _("Being asked now.")
    if check.state == Check.State.FAILED:
        return check.error or _("Failed without a word.")
    counts = (
        (check.recommended, ngettext_lazy("%(n)s recommendation", "%(n)s recommendations", "c")),
        (check.added, ngettext_lazy("%(n)s new id", "%(n)s new ids", "c")),
        (check.changed, ngettext_lazy("%(n)s changed id", "%(n)s changed ids", "c")),
        (check.missing, ngettext_lazy("%(n)s missing id", "%(n)s missing ids", "c")),
        (check.dropped, ngettext_lazy("%(n)s unreadable item", "%(n)s unreadable items", "c")),
    )
    said = [counted(count, one_or_more) for count, one_or_more in counts if count]
    return ", ".join(said) or _("Nothing new.")


def what_to_do(check: Check) -> str:
    """Return what staff should do about a failed check; empty where nothing."""
    if check.state != Check.State.FAILED:
        return ""
    known = WHAT_TO_DO.get(Check.ErrorKind(check.error_kind))
    return str(known or _("Look at the error, then check again."))


_SAID: Mapping[Says, Callable[[Any], str]] = {
    Says.COUNT: number,
    Says.SHARE: lambda value: f"{value:.1%}",
    Says.SCORE: score,
    Says.MILLISECONDS: ms,
    Says.USD: lambda value: usd(float(value)) or "–",
}


def figure(shown: ShownFigure, value: Any) -> str:
    """Return what pages say of a figure; a dash where it is unknown."""
    return "–" if value is None else _SAID[shown.says](value)


def figures(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a table shows of each task, of figures now or as a baseline stored them.

    ``cells`` are title and text of each figure but quality, which has a cell of its own.
    """
    tasks: Mapping[str, Mapping[str, Any]] = found.get("tasks") or {}
    titled = [
        shown
        for shown in SHOWN
        if shown.table
        and not (shown.optional and all(row.get(shown.name) is None for row in tasks.values()))
    ]
    return [
        {
            "task": task or _("no task"),
            "quality": quality(row.get("quality"), _means(row.get("quality_parts") or {})),
            "quality_n": number(row.get("quality_n") or None, unknown=""),
            "cells": [(shown.table, figure(shown, row.get(shown.name))) for shown in titled],
        }
        for task, row in tasks.items()
    ]


def quality(mean: float | None, parts: Mapping[str, float]) -> str:
    """Return a mean score, and what it is made of where it isn't one thing alone."""
    if not parts or set(parts) == {QUALITY}:
        return score(mean)
    # Sorted, since PostgreSQL keeps stored keys in an order of its own.
    told = (f"{name.replace('_', ' ')} {score(value)}" for name, value in sorted(parts.items()))
    return f"{score(mean)} ({', '.join(told)})"


def _means(stored: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(part["mean"]) for name, part in stored.items()}


RUN_TONES = {
    "waiting": "info",
    "running": "info",
    "done": "good",
    "over_budget": "warn",
    "cancelled": "plain",
    "failed": "bad",
}


def run_state(run: EvaluationRun) -> SafeString:
    """Return the state of a run as a badge."""
    return badge(run.get_state_display(), RUN_TONES[run.state])
