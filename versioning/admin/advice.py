"""What the evidence advises, so that the button that stands out is the one to press."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from versioning.admin import decision_sheet, words
from versioning.admin.decisions import Choice
from versioning.domain.evidence import read
from versioning.models import UpgradeRecord

ADVISED = {"upgrade": "approve", "stay": "reject", "blocked": "reject"}
WAIT = "snooze"


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
