"""What people do with a run: cancel it, let it go on, mark its pairs."""

from datetime import datetime
from decimal import Decimal

from versioning.domain.evaluation.judging import Preference
from versioning.domain.policy import Unsure
from versioning.domain.statistics.figures import counted
from versioning.domain.statistics.verdict import Verdict
from versioning.models import EvaluationRun, Mark, TrackedModel
from versioning.services import locks, lookups
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, Invalid, NotFound
from versioning.services.evaluation import results
from versioning.services.transactions import one_transaction

GOES_ON = frozenset(
    {EvaluationRun.State.OVER_BUDGET, EvaluationRun.State.CANCELLED, EvaluationRun.State.FAILED}
)


def run_by_id(run_id: int) -> EvaluationRun:
    """Return the run with its names. Raises NotFound."""
    return lookups.one(
        EvaluationRun.objects.with_names().filter(pk=run_id), missing=_missing(run_id)
    )


@one_transaction
def cancel(*, run_id: int, actor: Actor, now: datetime) -> EvaluationRun:
    """Stop a run: nothing more is asked; what is under way is still written down.

    Raises NotFound, AlreadyMoved where it has ended.
    """
    locks.take(TrackedModel.objects.filter(versions__evaluation_runs=run_id))
    stopped = (
        EvaluationRun.objects.open()
        .filter(pk=run_id)
        .update(
            state=EvaluationRun.State.CANCELLED,
            ended_at=now,
            problem=f"Cancelled by {actor.name}.",
            leased_until=None,
        )
    )
    if not stopped:
        raise AlreadyMoved(f"{run_by_id(run_id)} has ended already.")
    results.conclude(run_id=run_id, actor=actor, now=now)
    return run_by_id(run_id)


@one_transaction
def go_on(
    *,
    run_id: int,
    now: datetime,
    budget_usd: Decimal | None = None,
    budget_tokens: int | None = None,
) -> EvaluationRun:
    """Let a stopped run go on with what is left, under new budgets where they are given.

    Raises NotFound, AlreadyMoved where it isn't stopped, Invalid where a budget is below what
    is spent.
    """
    run = _locked(run_id)
    if run.state not in GOES_ON:
        raise AlreadyMoved(f"This run is {run.get_state_display()}; it can't go on.")
    # A budget is of the whole run, what is spent included: at or below it nothing could be asked.
    if budget_usd is not None and budget_usd <= run.spent_usd:
        raise Invalid(f"${run.spent_usd:.4f} is spent already; give more.")
    if budget_tokens is not None and budget_tokens <= run.spent_tokens:
        raise Invalid(f"{counted(run.spent_tokens, 'token')} spent already; give more.")
    run.state = EvaluationRun.State.WAITING
    run.ended_at = None
    run.leased_until = None
    run.worker = ""
    run.problem = ""
    run.budget_usd = run.budget_usd if budget_usd is None else budget_usd
    run.budget_tokens = run.budget_tokens if budget_tokens is None else budget_tokens
    run.save()
    return run_by_id(run_id)


@one_transaction
def rule(*, run_id: int, passes: bool, actor: Actor, now: datetime) -> EvaluationRun:
    """Decide of a run that shows neither worse nor not worse whether it passes as a test.

    A second ruling takes the place of the first. Raises NotFound, AlreadyMoved where the run
    has not ended or shows it itself.
    """
    run = _locked(run_id)
    if not can_rule_on(run):
        raise AlreadyMoved(f"This run {_why_no_ruling(run)}.")
    run.ruling = (Unsure.PASSES if passes else Unsure.FAILS).value
    run.ruled_by, run.ruled_at = actor.name, now
    run.save(update_fields=["ruling", "ruled_by", "ruled_at"])
    return run_by_id(run_id)


def _locked(run_id: int) -> EvaluationRun:
    return locks.hold_one(EvaluationRun.objects.filter(pk=run_id), missing=_missing(run_id))


def _missing(run_id: int) -> str:
    return f"There is no evaluation run {run_id}."


def can_rule_on(run: EvaluationRun) -> bool:
    """Whether the run is done and shows neither worse nor not worse."""
    return not _why_no_ruling(run)


def _why_no_ruling(run: EvaluationRun) -> str:
    if run.state != EvaluationRun.State.DONE:
        return f"is {run.get_state_display()}; it can't be ruled on"
    if Verdict(run.verdict) is not Verdict.NOT_ENOUGH_DATA:
        return f"shows it itself: {Verdict(run.verdict).words}"
    return ""


def mark(
    *, run_id: int, case_key: str, repeat: int, prefers: str, actor: Actor, now: datetime
) -> Mark:
    """Keep which answer of a pair a person finds better; a later mark takes its place.

    Raises NotFound, Invalid.
    """
    run = run_by_id(run_id)
    if prefers not in list(Preference):
        raise Invalid(f"Choose one of {', '.join(Preference)}.")
    if not run.trials.filter(case_key=case_key, repeat=repeat).exists():
        raise NotFound(f"The run has no case {case_key} with repeat {repeat}.")
    found, _ = Mark.objects.update_or_create(
        run=run,
        case_key=case_key,
        repeat=repeat,
        made_by=actor.name,
        defaults={"prefers": prefers, "user_id": actor.user_id, "made_at": now},
    )
    return found
