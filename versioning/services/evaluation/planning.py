"""Plan a run: what it will take, whether it can be afforded, and its trials."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from versioning.domain.evaluation.estimate import AskedVersion, Estimate, Load, estimate
from versioning.domain.lineage import family_of
from versioning.domain.statistics.figures import counted
from versioning.domain.statistics.noninferiority import Outlook
from versioning.models import (
    EvaluationRun,
    EvaluationSuite,
    FrozenSuite,
    ModelVersion,
    Trial,
    UpgradeRecord,
)
from versioning.services import constraints, teams
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, Invalid
from versioning.services.evaluation import estimating, suites

ANSWER_ARMS = (Trial.Arm.CURRENT, Trial.Arm.CANDIDATE)
JUDGE_ARMS = (Trial.Arm.JUDGE, Trial.Arm.JUDGE_SWAPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do. ``problems`` are sentences that say why it can't start."""

    suite: EvaluationSuite
    frozen: FrozenSuite
    from_version: ModelVersion
    to_version: ModelVersion
    judge_version: ModelVersion | None
    estimate: Estimate
    budget_usd: Decimal | None
    budget_tokens: int | None
    problems: tuple[str, ...]

    @property
    def outlook(self) -> Outlook:
        """What such a run can show: read for people, a run that begins needs none."""
        return estimating.outlook_of(self.frozen)


def plan(
    *,
    suite: EvaluationSuite,
    from_version: ModelVersion,
    to_version: ModelVersion,
    now: datetime,
    budget_usd: Decimal | None = None,
    budget_tokens: int | None = None,
) -> Plan:
    """Say what a run would take, before anything is asked.

    Budgets that aren't given are the suite's. Raises Invalid where the suite has no cases.
    """
    frozen = suites.freeze(suite=suite, now=now)
    judge = suite.judge.current_version if suite.judge else None
    versions = [from_version, to_version, *([judge] if judge else [])]
    arms = [estimating.arm_of(version, suite=suite) for version in versions]
    needed = estimate(
        cases=suites.frozen_cases(frozen).values(),
        current=arms[0],
        candidate=arms[1],
        judge=arms[2] if judge else None,
        load=Load(
            max_tokens=suite.max_tokens,
            repeats=suite.repeats,
            concurrency=suite.concurrency,
            requests_per_minute=suite.requests_per_minute,
            criteria=suite.judge_criteria,
        ),
    )
    budget_usd = suite.budget_usd if budget_usd is None else budget_usd
    budget_tokens = suite.budget_tokens if budget_tokens is None else budget_tokens
    problems = [
        *_problems_of_versions(from_version, to_version),
        *_problems_of_budget(arms, needed, budget_usd, budget_tokens),
        *_problems_of_judge(suite, judge, from_version, to_version),
    ]
    return Plan(
        suite=suite,
        frozen=frozen,
        from_version=from_version,
        to_version=to_version,
        judge_version=judge,
        estimate=needed,
        budget_usd=budget_usd,
        budget_tokens=budget_tokens,
        problems=tuple(problems),
    )


def begin(
    *, plan: Plan, actor: Actor, now: datetime, record: UpgradeRecord | None = None
) -> EvaluationRun:
    """Make the run with all its trials, for a worker to carry out.

    Raises Invalid where the plan has problems, AlreadyMoved where such a run is open, NotAllowed
    where the model belongs to a team that the actor isn't in.
    """
    teams.refuse_outsider(tracked=plan.to_version.tracked_model, actor=actor)
    if plan.problems:
        raise Invalid(" ".join(plan.problems))
    needed = plan.estimate
    try:
        # A savepoint: whoever began the same run at this moment is named, not only refused.
        with transaction.atomic():
            run = EvaluationRun.objects.create(
                frozen=plan.frozen,
                record=record,
                from_version=plan.from_version,
                to_version=plan.to_version,
                judge_version=plan.judge_version,
                asked_by=actor.name,
                created_at=now,
                total=needed.requests,
                estimated_tokens=needed.input_tokens + needed.output_tokens,
                estimated_usd=needed.cost_usd,
                estimated_seconds=needed.seconds,
                budget_usd=plan.budget_usd,
                budget_tokens=plan.budget_tokens,
            )
            Trial.objects.bulk_create(_trials(run, plan), batch_size=1000)
    except IntegrityError as error:
        if constraints.broke(error, "one_open_run_per_record_and_suite"):
            raise AlreadyMoved("This suite runs for the upgrade already.") from error
        raise
    return run


def _trials(run: EvaluationRun, plan: Plan) -> Iterator[Trial]:
    arms = [*ANSWER_ARMS, *(JUDGE_ARMS if plan.judge_version else ())]
    for repeat in range(1, plan.suite.repeats + 1):
        for case in plan.frozen.content["cases"]:
            for arm in arms:
                yield Trial(run=run, case_key=case["key"], repeat=repeat, arm=arm)


def _problems_of_versions(from_version: ModelVersion, to_version: ModelVersion) -> Iterator[str]:
    if from_version.tracked_model_id != to_version.tracked_model_id:
        yield "Both versions must be of the same tracked model."
    if from_version.pk == to_version.pk:
        yield "Choose two different versions."
    for version in (from_version, to_version):
        if version.is_gone:
            yield f"{version.upstream_id} is no longer listed, so it can't be asked."
    if not from_version.tracked_model.provider.adapter().supports_completion:
        yield "This kind of provider can't complete chats."


def _problems_of_budget(
    arms: list[AskedVersion],
    needed: Estimate,
    budget_usd: Decimal | None,
    budget_tokens: int | None,
) -> Iterator[str]:
    unpriced = [arm.name for arm in arms if not arm.prices.known]
    if budget_usd is None and budget_tokens is None:
        yield "Set a budget in USD or in tokens: a run never starts without one."
    elif unpriced and budget_tokens is None:
        yield (
            f"The price of {unpriced[0]} is unknown, so USD can't be limited: set a budget in "
            "tokens, or the version's prices."
        )
    if budget_usd is not None and needed.cost_usd is not None and needed.cost_usd > budget_usd:
        yield (
            f"About ${needed.cost_usd:.4f} is needed and the budget is ${budget_usd:.4f}: raise "
            "it, or take fewer cases."
        )
    tokens = needed.input_tokens + needed.output_tokens
    if budget_tokens is not None and tokens > budget_tokens:
        yield (
            f"About {counted(tokens, 'token')} would be taken, and the budget is "
            f"{budget_tokens:,}: raise it, or take fewer cases."
        )


def _problems_of_judge(
    suite: EvaluationSuite,
    judge: ModelVersion | None,
    from_version: ModelVersion,
    to_version: ModelVersion,
) -> Iterator[str]:
    if suite.judge is None:
        return
    if judge is None:
        yield f"The judge {suite.judge.name} has no current version."
        return
    if suite.judge_of_own_family:
        return
    own = _family(judge)
    for version in (from_version, to_version):
        if own & _family(version):
            yield (
                f"The judge {judge.upstream_id} is of the family of {version.upstream_id}: choose "
                "another, or allow it in the suite."
            )
            return


def _family(version: ModelVersion) -> frozenset[str]:
    return family_of(version.upstream_id, provider=version.tracked_model.provider.kind)
