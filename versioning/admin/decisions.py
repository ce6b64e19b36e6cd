"""The decisions that staff make on upgrade records, and who may make them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from versioning.admin import forms
from versioning.domain.transitions import State, states_before
from versioning.models import Canary, UpgradeRecord
from versioning.services.actors import Actor
from versioning.services.upgrades import canary, decisions

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One record about to be decided, with all that the decision needs."""

    record: UpgradeRecord
    data: Mapping[str, Any]
    form: forms.DecisionForm
    evidence_hash: str
    actor: Actor
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One kind of decision: its words, its permission, and the service that makes it."""

    name: str
    verb: "StrOrPromise"
    done: "StrOrPromise"
    to: State
    permission: str
    tone: str
    icon: str
    explanation: "StrOrPromise"
    form: type[forms.DecisionForm]
    make: Callable[[Act], UpgradeRecord]
    of_canary: Callable[[Canary], bool] | None = None
    """Whether a canary that is on may be decided on so; None where it is no matter of one."""

    @property
    def moves_clients(self) -> bool:
        """Whether applications get another version when it is made."""
        return self.name in ("approve", "roll_back")

    def is_possible(self, record: UpgradeRecord) -> bool:
        """Whether the record's state allows it now."""
        if self.of_canary is not None:
            found = getattr(record, "canary", None) if record.state == State.CANARY else None
            return found is not None and self.of_canary(found)
        if State(record.state) not in states_before(self.to):
            return False
        return self.name != "roll_back" or (
            record.from_version_id is not None and record.origin != UpgradeRecord.Origin.ROLLBACK
        )


def _approve(act: Act) -> UpgradeRecord:
    return decisions.approve(
        record_id=act.record.pk,
        actor=act.actor,
        now=act.now,
        reason=act.data["reason"],
        evidence_hash=act.evidence_hash,
    )


def _reject(act: Act) -> UpgradeRecord:
    return decisions.reject(
        record_id=act.record.pk,
        actor=act.actor,
        now=act.now,
        reason=act.data["reason"],
        wake=act.form.rule() if isinstance(act.form, forms.RejectForm) else None,
        evidence_hash=act.evidence_hash,
    )


def _snooze(act: Act) -> UpgradeRecord:
    return decisions.snooze(
        record_id=act.record.pk,
        actor=act.actor,
        now=act.now,
        until=act.data["until"],
        reason=act.data["reason"],
        evidence_hash=act.evidence_hash,
    )


def _roll_back(act: Act) -> UpgradeRecord:
    return decisions.roll_back(
        tracked_model_id=act.record.tracked_model_id,
        record_id=act.record.pk,
        actor=act.actor,
        now=act.now,
        reason=act.data["reason"],
    )


def _approve_step(act: Act) -> UpgradeRecord:
    return canary.approve_step(record_id=act.record.pk, actor=act.actor, now=act.now).record


def _resume(act: Act) -> UpgradeRecord:
    return canary.resume(record_id=act.record.pk, actor=act.actor, now=act.now).record


def _abort(act: Act) -> UpgradeRecord:
    return canary.abort(
        record_id=act.record.pk, actor=act.actor, now=act.now, reason=act.data["reason"]
    )


def _waits_for_approval(found: Canary) -> bool:
    step = found.plan[found.position]
    return step.needs_approval and found.approved_position < found.position


class _WithoutReason(forms.DecisionForm):
    """A word to a canary: the canary itself says who gave it."""

    reason = None  # type: ignore[assignment]


CHOICES: Mapping[str, Choice] = {
    choice.name: choice
    for choice in (
        Choice(
            name="approve",
            verb=gettext_lazy("Approve"),
            done=gettext_lazy("approved"),
            to=State.APPROVED,
            permission="versioning.approve_upgrade",
            tone="primary",
            icon="check",
            explanation=gettext_lazy(
                "Applications that ask for the current version get the new one: at once, "
                "or after the tests and the canary that the model's policy asks for."
            ),
            form=forms.DecisionForm,
            make=_approve,
        ),
        Choice(
            name="reject",
            verb=gettext_lazy("Reject"),
            done=gettext_lazy("rejected"),
            to=State.REJECTED,
            permission="versioning.reject_upgrade",
            tone="danger",
            icon="close",
            explanation=gettext_lazy(
                "Nothing moves. This version is not recommended for the model again, but "
                "for what you say below."
            ),
            form=forms.RejectForm,
            make=_reject,
        ),
        Choice(
            name="snooze",
            verb=gettext_lazy("Snooze"),
            done=gettext_lazy("snoozed"),
            to=State.SNOOZED,
            permission="versioning.snooze_upgrade",
            tone="default",
            icon="snooze",
            explanation=gettext_lazy(
                "Nothing moves. It leaves the inbox and comes back on the day you choose."
            ),
            form=forms.SnoozeForm,
            make=_snooze,
        ),
        Choice(
            name="roll_back",
            verb=gettext_lazy("Roll back"),
            done=gettext_lazy("rolled back"),
            to=State.ROLLED_BACK,
            permission="versioning.roll_back_upgrade",
            tone="danger",
            icon="undo",
            explanation=gettext_lazy(
                "Applications that ask for the current version get the earlier one at "
                "once. The version that is left is not recommended again."
            ),
            form=forms.ReasonForm,
            make=_roll_back,
        ),
        Choice(
            name="approve_step",
            verb=gettext_lazy("Approve the step"),
            done=gettext_lazy("approved for its next step"),
            to=State.CANARY,
            permission="versioning.approve_upgrade",
            tone="primary",
            icon="check",
            explanation=gettext_lazy(
                "The canary goes on at the next look, if its other holds are met and the "
                "evidence is good."
            ),
            form=_WithoutReason,
            make=_approve_step,
            of_canary=_waits_for_approval,
        ),
        Choice(
            name="resume",
            verb=gettext_lazy("Resume"),
            done=gettext_lazy("resumed"),
            to=State.CANARY,
            permission="versioning.approve_upgrade",
            tone="primary",
            icon="play_arrow",
            explanation=gettext_lazy(
                "The canary's step begins anew: its time and its deadline count from now."
            ),
            form=_WithoutReason,
            make=_resume,
            of_canary=lambda found: found.paused_at is not None,
        ),
        Choice(
            name="abort",
            verb=gettext_lazy("Abort"),
            done=gettext_lazy("aborted"),
            to=State.ABORTED,
            permission="versioning.roll_back_upgrade",
            tone="danger",
            icon="stop",
            explanation=gettext_lazy(
                "Every key gets the current version at once. The new version is not "
                "recommended again."
            ),
            form=forms.ReasonForm,
            make=_abort,
            of_canary=lambda _found: True,
        ),
    )
}


def open_to(*, request: HttpRequest, record: UpgradeRecord) -> list[Choice]:
    """Return the decisions that this person may make on the record as it stands."""
    return [
        choice
        for choice in CHOICES.values()
        if choice.is_possible(record) and may_make(request=request, choice=choice)
    ]


def may_make(*, request: HttpRequest, choice: Choice) -> bool:
    return bool(request.user.has_perm(choice.permission))
