"""What waits for a decision, as rows of the inbox."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy

from versioning.admin import advice, intervals, words
from versioning.admin.decisions import open_to
from versioning.domain.evidence import read
from versioning.domain.policy import EffectivePolicy
from versioning.models import UpgradeRecord
from versioning.services.upgrades import briefing, policies

FROM_DAY = {"earliest": gettext_lazy("{} at the earliest"), "tentative": gettext_lazy("about {}")}
"""How a retirement's precision is said of the day from which requests fail."""


def rows(
    records: Sequence[UpgradeRecord],
    *,
    requests: Mapping[int, int],
    request: HttpRequest,
    now: datetime,
) -> list[dict[str, Any]]:
    """Return what the inbox shows of each record.

    ``requests`` are those of the last week by version, as far as samples tell of them.
    """
    resolved = policies.resolve_all(tracked_models=[each.tracked_model for each in records])
    return [
        _row(
            record,
            policy=resolved[record.tracked_model_id].policy,
            requests=requests.get(record.from_version_id or 0, 0),
            request=request,
            now=now,
        )
        for record in records
    ]


def _row(
    record: UpgradeRecord,
    *,
    policy: EffectivePolicy,
    requests: int,
    request: HttpRequest,
    now: datetime,
) -> dict[str, Any]:
    evidence = read(record.evidence)
    shown = intervals.of_evidence(evidence, by_task=False)
    return {
        "record": record,
        "question": words.question(record),
        "proof": words.proof(record),
        "decision": words.decision(evidence),
        "missing": _missing(record),
        "bars": intervals.summary(shown),
        "confidence": words.confidence(record),
        "age": words.ago(record.recommended_at, now=now),
        "asked": _asked(record, policy=policy),
        "idle": [*_fails(record, requests=requests, now=now), *_overpays(shown)],
        "is_urgent": words.is_urgent(record.urgent_on, now=now),
        "retires": _retires(record, now=now),
        "is_unasked": briefing.is_unasked(record),
        "breaking": len(record.to_version.breaking_changes),
        "decisions": advice.buttons(
            open_to(request=request, record=record),
            record,
            gathers_evidence=policy.gathers_evidence,
        ),
    }


def _missing(record: UpgradeRecord) -> str:
    """Return the first reason of a decision, unless the sentence above says it already."""
    reasons = read(record.evidence).reasons
    return next((reason for reason in reasons if reason not in words.proof(record)), "")


def _retires(record: UpgradeRecord, *, now: datetime) -> str:
    """Return "in 12 days, 10 Dec 2026"; empty where no day is announced."""
    if record.urgent_on is None:
        return ""
    return f"{words.until_day(record.urgent_on, now=now)}, {words.day(record.urgent_on)}"


def _asked(record: UpgradeRecord, *, policy: EffectivePolicy) -> str:
    """Say whose decision it is, and who has said yes already."""
    owner = record.tracked_model.owner
    whose = _("Asks %(owner)s") % {"owner": owner} if owner else _("Asks any reviewer")
    if policy.approvals_needed < 2:
        return whose
    given = [approval.actor_name for approval in record.approvals.all()]
    needed = words.counted(
        policy.approvals_needed,
        ngettext_lazy("%(n)s approval needed", "%(n)s approvals needed", "c"),
    )
    said = _("given by %(people)s") % {"people": ", ".join(given)} if given else _("none given")
    return f"{whose}; {needed}, {said}"


def _fails(record: UpgradeRecord, *, requests: int, now: datetime) -> list[str]:
    """Say from which day on the version in use fails, and how many requests that would meet."""
    version, day = record.from_version, record.urgent_on
    if version is None or day is None:
        return []
    when = FROM_DAY.get(version.retires_precision, "{}").format(words.day(day))
    if not requests:
        return [_("requests fail from %(day)s on") % {"day": when}]
    told = ngettext(
        "requests fail from %(day)s on: it had %(count)s in the last 7 days",
        "requests fail from %(day)s on: it had %(count)s in the last 7 days",
        requests,
    )
    return [told % {"day": when, "count": f"{requests:,}"}]


def _overpays(shown: Sequence[intervals.IntervalRow]) -> list[str]:
    """Say what staying surely costs, where the new version is surely cheaper."""
    most = next((row.most for row in shown if row.key == intervals.COST), None)
    if most is None or most >= 0:
        return []
    share = f"{-most:.0%}".replace("%", " %")
    return [_("every request costs at least %(share)s more than it must") % {"share": share}]
