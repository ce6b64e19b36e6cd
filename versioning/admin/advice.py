"""What the evidence advises, so that the button that stands out is the one to press."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext as _

from versioning.admin import decision_sheet, policy_page, words
from versioning.admin.decisions import Choice
from versioning.domain.evidence import read
from versioning.models import EvaluationSuite, Policy, UpgradeRecord
from versioning.services.evaluation import suites
from versioning.services.upgrades import policies

ADVISED = {"upgrade": "approve", "stay": "reject", "blocked": "reject"}
WAIT = "snooze"
SHOWN_SUITES = 3


@dataclass(frozen=True, slots=True)
class Button:
    """A decision as a page offers it. ``is_advised`` makes it the one that stands out."""

    choice: Choice
    verb: str
    is_advised: bool

    @property
    def name(self) -> str:
        return self.choice.name

    @property
    def icon(self) -> str:
        return self.choice.icon

    @property
    def tone(self) -> str:
        if self.is_advised:
            return "primary"
        return "default" if self.choice.tone == "primary" else self.choice.tone


def of(record: UpgradeRecord, *, gathers_evidence: bool) -> str:
    """Return the name of the advised decision; empty where the record waits for none.

    Where evidence is missing, approving is advised only if tests or a canary come first: they
    gather it. Otherwise it is to wait.
    """
    if not record.is_waiting:
        return ""
    code = words.plain_code(read(record.evidence).decision) or "not_enough_evidence"
    return ADVISED.get(code, "approve" if gathers_evidence else WAIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysToEvidence:
    """What somebody can do so that evidence comes, as far as they may."""

    may_run: bool
    suites: Sequence[EvaluationSuite]
    policy_page: str


def ways_to_evidence(
    record: UpgradeRecord, request: HttpRequest, *, gathers_evidence: bool
) -> WaysToEvidence | None:
    """Return the ways where the evidence advises to wait; None elsewhere, or where there are none.

    Waiting alone brings no request of a version that nobody is given.
    """
    if of(record, gathers_evidence=gathers_evidence) != WAIT:
        return None
    may_run = request.user.has_perm("versioning.add_evaluationrun")
    page = ""
    if request.user.has_perm("versioning.setup"):
        own = Policy.objects.filter(tracked_model=record.tracked_model_id).first()
        page = policy_page.where_changed(tracked_model_id=record.tracked_model_id, own=own)
    if not (may_run or page):
        return None
    offered = _suites(record) if may_run else []
    return WaysToEvidence(may_run=may_run, suites=offered, policy_page=page)


def _suites(record: UpgradeRecord) -> list[EvaluationSuite]:
    tracked, evidence = record.tracked_model, read(record.evidence)
    required = policies.resolve(tracked=tracked).policy.required_suites
    tasks = {*(part.name for part in evidence.tasks), *evidence.uncovered_tasks} - {""}
    return list(suites.fitting(tracked=tracked, required=required, tasks=tasks)[:SHOWN_SUITES])


def is_against(choice: Choice, record: UpgradeRecord, *, gathers_evidence: bool) -> bool:
    """Say whether the choice approves what the evidence doesn't speak for."""
    advised = of(record, gathers_evidence=gathers_evidence)
    return choice.name == "approve" and advised not in ("", "approve")


def buttons(
    choices: Sequence[Choice], record: UpgradeRecord, *, gathers_evidence: bool
) -> list[Button]:
    """Return the decisions as buttons, the advised one first."""
    advised = of(record, gathers_evidence=gathers_evidence)
    found = [
        Button(
            choice=choice,
            verb=_verb(choice, record, gathers_evidence=gathers_evidence),
            is_advised=choice.name == advised or (not advised and choice.tone == "primary"),
        )
        for choice in choices
    ]
    return sorted(found, key=lambda button: not button.is_advised)


def _verb(choice: Choice, record: UpgradeRecord, *, gathers_evidence: bool) -> str:
    if is_against(choice, record, gathers_evidence=gathers_evidence):
        return _("Approve anyway")
    advised = of(record, gathers_evidence=gathers_evidence)
    if choice.name == WAIT and advised == WAIT:
        return _("Wait for evidence")
    code = words.plain_code(read(record.evidence).decision)
    if choice.name == "approve" and advised == "approve" and code != "upgrade":
        return _("Approve the trial")
    return str(choice.verb)


def not_known(record: UpgradeRecord) -> list[str]:
    """Return what the evidence doesn't tell, each once: said again before somebody approves."""
    shown = decision_sheet.of_evidence(read(record.evidence))
    code = words.plain_code(read(record.evidence).decision)
    told = list(shown.reasons) if code != "upgrade" else []
    told += [gate.reason for gate in shown.gates if gate.is_open and gate.reason not in told]
    if shown.missing:
        told.append(_("nothing is known from %(missing)s") % {"missing": shown.missing})
    if not record.evidence:
        told.append(_("nothing was measured yet"))
    return [words.sentence(each) for each in told if each]
