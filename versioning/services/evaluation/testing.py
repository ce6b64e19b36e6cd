"""The testing step of an upgrade: the suites that its policy names, and whether they pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from versioning.domain.policy import Unsure
from versioning.domain.statistics.verdict import Verdict
from versioning.models import EvaluationRun, EvaluationSuite, UpgradeRecord
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, Invalid
from versioning.services.evaluation import control, planning
from versioning.services.evaluation.results import PASSES
from versioning.services.transactions import one_transaction


class TestsSay(StrEnum):
    """Where the tests of an upgrade are."""

    WAIT = "wait"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Tests:
    """What the suites of an upgrade say together, in a sentence."""

    say: TestsSay
    sentence: str


@one_transaction
def begin_tests(
    *, record: UpgradeRecord, suite_names: Sequence[str], actor: Actor, now: datetime
) -> list[EvaluationRun]:
    """Begin a run of each suite for the upgrade, all or none.

    Raises Invalid where a suite is missing or can't run: the upgrade then stays where it is.
    """
    if record.from_version is None:
        raise Invalid("There is no version in use to compare with.")
    suites = {suite.name: suite for suite in EvaluationSuite.objects.filter(name__in=suite_names)}
    missing = [name for name in suite_names if name not in suites]
    if missing:
        raise Invalid(f"There is no evaluation suite {missing[0]!r}; the policy asks for it.")
    runs = []
    for name in suite_names:
        plan = planning.plan(
            suite=suites[name],
            from_version=record.from_version,
            to_version=record.to_version,
            now=now,
        )
        if plan.problems:
            raise Invalid(f"{name} can't run: {' '.join(plan.problems)}")
        runs.append(planning.begin(plan=plan, actor=actor, now=now, record=record))
    return runs


def tests_of(
    *,
    record: UpgradeRecord,
    suite_names: Sequence[str],
    unsure: Unsure = Unsure.ASKS,  # noqa: PT028 (no test, whatever its name)
) -> Tests:
    """Say what the latest run of each suite shows: worse fails, better and not worse pass.

    One that shows neither waits for a person's ruling, or does what the policy says (``unsure``).
    A run that stopped before its end waits for a person as well: that is no failure of the version.
    """
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
        elif (says := ruling_of(run, unsure=unsure)) is Unsure.FAILS:
            return Tests(TestsSay.FAILED, f"{name}: {_told(run)}")
        elif says is Unsure.ASKS:
            waits.append(
                f"{name} could not show whether it is worse ({run.sentence}): a person decides"
            )
    if waits:
        return Tests(TestsSay.WAIT, f"{'; '.join(waits)}.")
    passed = "; ".join(f"{name}: {_told(latest[name])}" for name in suite_names)
    return Tests(TestsSay.PASSED, passed)


def ruling_of(run: EvaluationRun, *, unsure: Unsure = Unsure.ASKS) -> Unsure:
    """Say whether a run that is done passes, fails, or asks a person.

    Its verdict decides; where that shows neither, what a person ruled, then the policy.
    """
    verdict = Verdict(run.verdict)
    if verdict is Verdict.WORSE:
        return Unsure.FAILS
    if verdict in PASSES:
        return Unsure.PASSES
    return Unsure(run.ruling) if run.ruling else unsure


def _told(run: EvaluationRun) -> str:
    return (
        f"{run.sentence}; {run.ruled_by} ruled that it {run.ruling}" if run.ruling else run.sentence
    )


def cancel_tests(*, record: UpgradeRecord, now: datetime) -> int:
    """Stop what still runs for an upgrade that has ended; return how many runs that were."""
    stopped = 0
    for run_id in record.evaluation_runs.open().values_list("pk", flat=True):
        try:
            control.cancel(run_id=run_id, actor=Actor.scheduler(), now=now)
        except AlreadyMoved:
            continue
        stopped += 1
    return stopped
