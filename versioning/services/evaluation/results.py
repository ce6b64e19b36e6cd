"""What a run showed: the verdict over its pairs, and the figures of both versions."""

import logging
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import OperationalError, models, transaction

from versioning.domain.evaluation import judging
from versioning.domain.evaluation.judging import JudgeAnswer, Preference
from versioning.domain.evaluation.outcome import SCORES_NOTHING, Outcome
from versioning.domain.events import EventKind
from versioning.domain.evidence import KeptArm, RunResult
from versioning.domain.statistics import paired
from versioning.domain.statistics.figures import counted
from versioning.domain.statistics.verdict import Verdict
from versioning.models import EvaluationRun, Mark, Trial
from versioning.services import events
from versioning.services.actors import Actor
from versioning.services.errors import Busy
from versioning.services.evaluation import suites
from versioning.services.evaluation.planning import ANSWER_ARMS, JUDGE_ARMS
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

logger = logging.getLogger(__name__)

Runs = models.QuerySet[EvaluationRun]
_FAILED = frozenset({Outcome.ERROR.value, Outcome.INCOMPATIBLE.value})
_NOTHING = frozenset(outcome.value for outcome in SCORES_NOTHING)
PASSES = frozenset({Verdict.BETTER, Verdict.NOT_WORSE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Both answers to a case in one repeat; scores None where they could not be measured."""

    case_key: str
    repeat: int
    current: Trial
    candidate: Trial
    preference: Preference | None
    current_score: float | None
    candidate_score: float | None

    @property
    def shift(self) -> float | None:
        """How much better the new version did, from -1 to 1."""
        if self.current_score is None or self.candidate_score is None:
            return None
        return self.candidate_score - self.current_score


def pairs(trials: Iterable[Trial]) -> list[Pair]:
    """Put the trials of a run together, in the order of cases and repeats."""
    groups: defaultdict[tuple[str, int], dict[str, Trial]] = defaultdict(dict)
    for trial in trials:
        groups[trial.case_key, trial.repeat][trial.arm] = trial
    return [
        _pair(key, repeat, arms)
        for (key, repeat), arms in sorted(groups.items())
        if all(arm in arms for arm in ANSWER_ARMS)
    ]


def furthest_first(found: Iterable[Pair]) -> list[Pair]:
    """Return pairs, those whose score moved most ahead; of the same, in the order of cases."""
    return sorted(found, key=lambda pair: (-abs(pair.shift or 0), pair.case_key, pair.repeat))


def conclude(*, run_id: int, actor: Actor, now: datetime) -> None:
    """Write down what the run showed with its event, and hand its answers on as samples.

    A run that stopped early shows what it has, and its verdict is "not enough data": what was
    not asked is never a pass. Whatever goes wrong here ends the run as failed, with the reason:
    taken again it would go wrong again. Call it in a transaction, once the run has ended, with
    its model locked. Raises OperationalError and Busy: then the database was not there, and the
    run is taken again.
    """
    try:
        with transaction.atomic():
            _write_down(run_id=run_id, now=now)
    except (OperationalError, Busy):
        raise
    except Exception as error:
        logger.exception("What run %s showed could not be worked out", run_id)
        why = f"What it showed could not be worked out: {type(error).__name__}: {error}"
        EvaluationRun.objects.filter(pk=run_id).update(
            state=EvaluationRun.State.FAILED,
            problem=why[:500],
            verdict=Verdict.NOT_ENOUGH_DATA.value,
            sentence="",
        )
    _write_event(run_id=run_id, actor=actor, now=now)


def _write_event(*, run_id: int, actor: Actor, now: datetime) -> None:
    """Write that a run ended. Its problem stays out: it may hold what a provider said."""
    run = EvaluationRun.objects.with_names().get(pk=run_id)
    details: dict[str, object] = {"run_id": run.pk, "suite": run.frozen.suite.name}
    kind = EventKind.EVALUATION_ENDED
    if run.state == EvaluationRun.State.OVER_BUDGET:
        kind = EventKind.BUDGET_REACHED
        budget = None if run.budget_usd is None else str(run.budget_usd)
        details |= {
            "spent_usd": str(run.spent_usd),
            "budget_usd": budget,
            "spent_tokens": run.spent_tokens,
            "budget_tokens": run.budget_tokens,
        }
    else:
        details |= {"run_state": run.state, "verdict": run.verdict}
    verdict = f": {Verdict(run.verdict).words}" if run.state == EvaluationRun.State.DONE else ""
    events.write(
        kind,
        tracked=run.to_version.tracked_model,
        version=run.to_version,
        sentence=f"{run} is {run.get_state_display()}{verdict}.",
        actor=actor,
        now=now,
        details=details,
    )


def _write_down(*, run_id: int, now: datetime) -> None:
    run = EvaluationRun.objects.with_names().get(pk=run_id)
    done = list(run.trials.done())
    found = pairs(done)
    margin = run.frozen.suite.margin_for(run.frozen.case_count)
    compared = paired.compare_cases(cases=_cases(run, found), margin=margin)
    is_whole = run.state == EvaluationRun.State.DONE
    verdict = compared.verdict if is_whole else Verdict.NOT_ENOUGH_DATA
    sentence = compared.sentence if is_whole else f"Stopped early: {compared.sentence}"
    sentence += _failures(done)
    EvaluationRun.objects.filter(pk=run_id).update(
        verdict=verdict.value,
        sentence=sentence[:500],
        result=RunResult(
            method=compared.method,
            method_version=paired.METHOD_VERSION,
            cases=compared.n,
            left_out=compared.left_out,
            current=_plain(compared.current),
            candidate=_plain(compared.candidate),
            low=compared.judgement.low,
            high=compared.judgement.high,
            p_value=compared.p_value,
            margin=float(margin),
            spread=compared.spread,
            arms={arm.value: _figures(done, arm) for arm in ANSWER_ARMS},
            flips=sum(1 for pair in found if pair.shift),
        ).as_dict(),
    )
    # A run that stopped may go on, and its judge reads both answers.
    if not run.frozen.suite.keep_outputs and is_whole:
        run.trials.update(output="")
    _hand_on(run, done, now=now)


def _failures(done: Iterable[Trial]) -> str:
    """Say how many requests failed, and what was said most often, such as that a key is missing."""
    why = Counter(
        trial.reason for trial in done if trial.outcome in _FAILED and trial.arm in ANSWER_ARMS
    )
    if not why:
        return ""
    return f"; {counted(why.total(), 'request')} failed, mostly: {why.most_common(1)[0][0]}"


def agreement_of(run: EvaluationRun) -> judging.Agreement:
    """Say how often the judge of a run and the people who marked its pairs said the same."""
    by_place = {(pair.case_key, pair.repeat): pair.preference for pair in pairs(run.trials.done())}
    return judging.agreement(
        [
            (judge, Preference(mark.prefers))
            for mark in Mark.objects.filter(run=run)
            if (judge := by_place.get((mark.case_key, mark.repeat))) is not None
        ]
    )


def _pair(key: str, repeat: int, arms: Mapping[str, Trial]) -> Pair:
    current, candidate = arms[Trial.Arm.CURRENT], arms[Trial.Arm.CANDIDATE]
    found = _preference(current, candidate, arms)
    by_judge = judging.scores(found) if found else (None, None)
    return Pair(
        case_key=key,
        repeat=repeat,
        current=current,
        candidate=candidate,
        preference=found,
        current_score=_mean(current.score, by_judge[0]),
        candidate_score=_mean(candidate.score, by_judge[1]),
    )


def _preference(current: Trial, candidate: Trial, arms: Mapping[str, Trial]) -> Preference | None:
    """What the judge prefers; an answer beats none, which needs no judge."""
    words = [arms.get(arm) for arm in JUDGE_ARMS]
    if words[0] is None or words[1] is None:
        return None
    nothing = [trial.outcome in _NOTHING for trial in (current, candidate)]
    if Outcome.ERROR.value in (current.outcome, candidate.outcome):
        return None
    if any(nothing):
        if all(nothing):
            return Preference.SAME
        return Preference.CANDIDATE if nothing[0] else Preference.CURRENT
    straight, swapped = (_word(trial) for trial in words if trial is not None)
    return judging.preference(straight=straight, swapped=swapped)


def _word(trial: Trial) -> JudgeAnswer | None:
    better, colon, reason = trial.reason.partition(": ")
    if trial.outcome == Outcome.ERROR.value or not colon:
        return None
    return JudgeAnswer(better, reason) if better in {"first", "second", "same"} else None


def _mean(*scores: float | None) -> float | None:
    known = [score for score in scores if score is not None]
    return statistics.fmean(known) if known else None


def _cases(run: EvaluationRun, found: Iterable[Pair]) -> list[paired.CaseScores]:
    weights = {key: case.weight for key, case in suites.frozen_cases(run.frozen).items()}
    scores: defaultdict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for pair in found:
        both = scores[pair.case_key]
        if pair.current_score is not None and pair.candidate_score is not None:
            both[0].append(pair.current_score)
            both[1].append(pair.candidate_score)
    return [
        paired.CaseScores(
            name=key, current=tuple(current), candidate=tuple(candidate), weight=weights[key]
        )
        for key, (current, candidate) in sorted(scores.items())
    ]


def _figures(done: Iterable[Trial], arm: Trial.Arm) -> KeptArm:
    mine = [trial for trial in done if trial.arm == arm]
    latencies = [trial.latency_ms for trial in mine if trial.latency_ms is not None]
    costs = [trial.cost_usd for trial in mine if trial.cost_usd is not None]
    return KeptArm(
        requests=len(mine),
        outcomes=dict(sorted(Counter(trial.outcome for trial in mine).items())),
        retries=sum(max(0, trial.attempts - 1) + max(0, trial.asks - 1) for trial in mine),
        latency_ms=statistics.median(latencies) if latencies else None,
        cost_usd=str(sum(costs, Decimal(0))) if costs else None,
        input_tokens=sum(trial.input_tokens or 0 for trial in mine),
        output_tokens=sum(trial.output_tokens or 0 for trial in mine),
    )


def _hand_on(run: EvaluationRun, done: Iterable[Trial], *, now: datetime) -> None:
    """Keep each answer as a performance sample of its version, with the source evaluation.

    The request ids make it harmless to do so again when a run goes on after a stop.
    """
    cases = suites.frozen_cases(run.frozen)
    versions = {Trial.Arm.CURRENT: run.from_version, Trial.Arm.CANDIDATE: run.to_version}
    samples = [
        SampleIn(
            provider=version.tracked_model.provider.slug,
            model=version.tracked_model.name,
            upstream_id=version.upstream_id,
            revision=version.revision,
            served_id=trial.served_id,
            task=cases[trial.case_key].task or run.frozen.suite.task,
            source="evaluation",
            quality=trial.score,
            latency_ms=trial.latency_ms,
            input_tokens=trial.input_tokens,
            output_tokens=trial.output_tokens,
            cost_usd=trial.cost_usd,
            error="" if trial.outcome == Outcome.COMPLETE.value else trial.outcome,
            request_id=f"evaluation-{trial.pk}",
            time=trial.done_at,
        )
        for trial in done
        if (version := versions.get(Trial.Arm(trial.arm))) is not None
        and trial.outcome != Outcome.ERROR.value
    ]
    # In batches as a client would send them: one of all would hold its rows for too long.
    for start in range(0, len(samples), 5000):
        ingestion.accept(samples[start : start + 5000], api_key_id=None, now=now)


def _plain(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
