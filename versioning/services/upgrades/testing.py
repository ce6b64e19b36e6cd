"""The testing of an upgrade: the suites that its policy names, and whether they pass."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from versioning.domain.policy import Unsure
from versioning.domain.statistics.verdict import Verdict
from versioning.domain.transitions import State
from versioning.models import EvaluationRun, EvaluationSuite, Notice, UpgradeRecord
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, Invalid
from versioning.services.evaluation import control, planning
from versioning.services.evaluation.results import PASSES
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import moves, policies


class SuitesOutcome(StrEnum):
    """What the tests of an upgrade came to."""

    WAITING = "waiting"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Tests:
    """What the suites of an upgrade came to together, in a sentence."""

    outcome: SuitesOutcome
    sentence: str


@one_transaction
def begin_tests(
    *, record: UpgradeRecord, suite_names: Sequence[str], actor: Actor, now: datetime
) -> UpgradeRecord:
    """Begin a run of each suite for an approved upgrade, all or none.

    Raises Invalid where a suite is missing or can't run: the upgrade then stays where it is.
    """
    if record.from_version is None:
        raise Invalid("There is no version in use to compare with.")
    suites = {suite.name: suite for suite in EvaluationSuite.objects.filter(name__in=suite_names)}
    for name in suite_names:
        if name not in suites:
            raise Invalid(f"There is no evaluation suite {name!r}; the policy asks for it.")
        plan = planning.plan(
            suite=suites[name],
            from_version=record.from_version,
            to_version=record.to_version,
            now=now,
        )
        if plan.problems:
            raise Invalid(f"{name} can't run: {' '.join(plan.problems)}")
        planning.begin(plan=plan, actor=actor, now=now, record=record)
    why = f"To be tested with {', '.join(suite_names)}."
    return moves.move(record_id=record.pk, to=State.TESTING, actor=actor, now=now, reason=why)


@one_transaction
def evaluate(*, record_id: int, now: datetime) -> tuple[UpgradeRecord, str]:
    """Fail a record whose tests failed; return it, and what they say where it may go on.

    A record elsewhere stays as it is. Raises NotFound.
    """
    record = moves.locked(record_id)
    if record.state != State.TESTING:
        return record, ""
    resolved = policies.resolve(tracked=record.tracked_model)
    policy = resolved.policy
    tests = results_of(
        record=record, suite_names=policy.required_suites, unsure=policy.unsure_tests
    )
    if tests.outcome is SuitesOutcome.FAILED:
        return _fail(record, why=tests.sentence, now=now), ""
    if tests.outcome is SuitesOutcome.WAITING:
        return record, ""
    may_go_on = policies.may_go_on(record=record, resolved=resolved, now=now).allowed
    return record, tests.sentence if may_go_on else ""


def results_of(
    *, record: UpgradeRecord, suite_names: Sequence[str], unsure: Unsure = Unsure.ASKS
) -> Tests:
    """Say what the latest run of each suite shows: worse fails, better and not worse pass.

    One that shows neither waits for a person's ruling, or does what the policy says (``unsure``).
    A run that stopped before its end waits for a person as well: that is no failure of the version.
    """
    # The last one counts: a run that was stopped is begun again, not judged.
    latest: dict[str, EvaluationRun] = {}
    for found in record.evaluation_runs.select_related("frozen__suite").order_by("pk"):
        latest[found.frozen.suite.name] = found
    waits = []
    for name in suite_names:
        run = latest.get(name)
        if run is None:
            waits.append(f"{name} has not run")
        elif run.state != EvaluationRun.State.DONE:
            waits.append(f"{name} is {run.get_state_display()}")
        elif (ruling := _ruling_of(run, unsure=unsure)) is Unsure.FAILS:
            return Tests(SuitesOutcome.FAILED, f"{name}: {_sentence_of(run)}")
        elif ruling is Unsure.ASKS:
            waits.append(
                f"{name} could not show whether it is worse ({run.sentence}): a person decides"
            )
    if waits:
        return Tests(SuitesOutcome.WAITING, f"{'; '.join(waits)}.")
    passed = "; ".join(f"{name}: {_sentence_of(latest[name])}" for name in suite_names)
    return Tests(SuitesOutcome.PASSED, passed)


def _ruling_of(run: EvaluationRun, *, unsure: Unsure) -> Unsure:
    """Say whether a run that is done passes, fails, or asks a person.

    Its verdict decides; where that shows neither, what a person ruled, then the policy.
    """
    verdict = Verdict(run.verdict)
    if verdict is Verdict.WORSE:
        return Unsure.FAILS
    if verdict in PASSES:
        return Unsure.PASSES
    return Unsure(run.ruling) if run.ruling else unsure


def _sentence_of(run: EvaluationRun) -> str:
    return (
        f"{run.sentence}; {run.ruled_by} ruled that it {run.ruling}" if run.ruling else run.sentence
    )


def _fail(record: UpgradeRecord, *, why: str, now: datetime) -> UpgradeRecord:
    """End a record whose tests failed; what still runs for it is stopped."""
    for run_id in record.evaluation_runs.open().values_list("pk", flat=True):
        # One that ended in between needs no stopping.
        with suppress(AlreadyMoved):
            control.cancel(run_id=run_id, actor=Actor.scheduler(), now=now)
    return moves.move(
        record_id=record.pk,
        to=State.FAILED,
        actor=Actor.scheduler(),
        now=now,
        reason=why,
        notice=Notice.Kind.TESTS_FAILED,
    )
