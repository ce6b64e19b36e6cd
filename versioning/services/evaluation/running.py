"""Carry out a run: several requests at once, one worker, nothing asked twice that is done.

The tables are the queue. A worker takes a run under a lease; when it dies, another takes the
run over after the lease, counts what was under way as spent, and goes on with what is left.
Only the requests themselves run in threads: all writing is done by the one who leads.
"""

import logging
import os
import socket
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import OperationalError
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from providers.base import ProviderError
from providers.http.guard import refuse_if_others_wait
from versioning.domain.evaluation.outcome import Outcome
from versioning.domain.scoring import Score
from versioning.models import EvaluationRun, TrackedModel, Trial
from versioning.services import clock as moment
from versioning.services import leases, locks, stopping, sweeps
from versioning.services.actors import Actor
from versioning.services.evaluation import budget, results, trials
from versioning.services.evaluation.questions import Questions
from versioning.services.evaluation.trials import Answered
from versioning.services.threads import ThreadPool
from versioning.services.transactions import one_transaction

logger = logging.getLogger(__name__)

# What fails so often in a row is said as an error of the trial: it costs, and shows nothing.
MOST_ASKS = 3
MOST_UNREACHED = 10
"""After so many requests in a row that never reached the provider, it is taken to be down."""
# Between two looks: so late at most a worker sees that it was asked to end.
PAUSE_S = 1.0

Clock = Callable[[], datetime]


def carry_out_open_runs(*, clock: Clock = moment.now) -> int:
    """Take each open run that nobody has, one after the other; return how many were taken.

    One that fails holds up no other, and ends as failed where the database is there.
    """
    worker = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"[:100]
    taken: list[bool] = []
    sweeps.each(
        list(
            EvaluationRun.objects.open().order_by("created_at", "pk").values_list("pk", flat=True)
        ),
        lambda run_id: taken.append(carry_out(run_id=run_id, worker=worker, clock=clock)),
        subject=lambda run_id: f"Evaluation run {run_id}",
        now=clock(),
    )
    return sum(taken)


def carry_out(*, run_id: int, worker: str, clock: Clock = moment.now) -> bool:
    """Carry out one run if nobody else has it; return whether this worker took it."""
    if not _take(run_id=run_id, worker=worker, now=clock()):
        return False
    run = (
        EvaluationRun.objects.with_names()
        .select_related("judge_version__tracked_model__provider")
        .get(pk=run_id)
    )
    try:
        questions = Questions.of(run)
        for arms in questions.phases():
            stop = _Phase(run=run, worker=worker, clock=clock, questions=questions).work(arms)
            if stop is not None:
                _end(run=run, worker=worker, state=stop.state, problem=stop.problem, now=clock())
                return True
    except ProviderError as error:
        _fail(run=run, worker=worker, problem=str(error), now=clock())
        return True
    except OperationalError:
        raise  # the database was not there: another worker takes the run after the lease
    except Exception as error:
        logger.exception("Run %s failed", run_id)
        why = f"It could not be carried out: {type(error).__name__}: {error}"
        _fail(run=run, worker=worker, problem=why, now=clock())
        return True
    _end(run=run, worker=worker, state=EvaluationRun.State.DONE, problem="", now=clock())
    return True


@dataclass(frozen=True, slots=True)
class Stop:
    """Why it stops before all is asked; ``state`` None where the run doesn't end with it.

    It isn't this worker's any more then, or another worker shall go on with it.
    """

    state: EvaluationRun.State | None
    problem: str = ""


@dataclass(slots=True, kw_only=True)
class _Phase:
    """The requests of some arms: those of the answers, then those of the judge."""

    run: EvaluationRun
    worker: str
    clock: Clock
    questions: Questions
    left: deque[Trial] = field(default_factory=deque)
    under_way: dict[Future[Answered], tuple[Trial, budget.CostCap]] = field(default_factory=dict)
    stop: Stop | None = None
    renew_at: datetime | None = None
    next_request_at: float = 0.0
    unreached: int = 0

    def work(self, arms: tuple[Trial.Arm, ...]) -> Stop | None:
        """Ask all that is left of these arms; return why it stopped early, if it did."""
        refuse_if_others_wait()
        found = self.run.trials.left().filter(arm__in=arms)
        self.left = deque(found.order_by("repeat", "case_key", "arm"))
        suite = self.run.frozen.suite
        with ThreadPool(max_workers=suite.concurrency) as pool:
            while self.left or self.under_way:
                self._renew()
                if stopping.is_asked():
                    self._halt(Stop(None))
                if stopping.is_overdue():
                    break  # what is under way still is counted as spent, and asked again
                self._fill(pool, most=suite.concurrency)
                if self.under_way:
                    done, _ = wait(self.under_way, timeout=PAUSE_S, return_when=FIRST_COMPLETED)
                    for future in done:
                        self._finish(future)
                elif self.left:
                    time.sleep(max(0.0, min(PAUSE_S, self.next_request_at - time.monotonic())))
        return self.stop

    def _fill(self, pool: ThreadPool, *, most: int) -> None:
        per_minute = self.run.frozen.suite.requests_per_minute
        while self.left and len(self.under_way) < most:
            if time.monotonic() < self.next_request_at:
                return
            self._begin(pool, self.left.popleft())
            if per_minute:
                self.next_request_at = time.monotonic() + 60 / per_minute

    def _begin(self, pool: ThreadPool, trial: Trial) -> None:
        asked = self.questions.prepare(trial)
        if asked is None:
            self._skip(trial)
            return
        price = trials.most(asked.request, prices=asked.prices)
        held = budget.hold(trial=trial, price=price, worker=self.worker, now=self.clock())
        if held is budget.HoldResult.YES:
            future = pool.submit(trials.send, asked.adapter, asked.request)
            self.under_way[future] = (trial, price)
        elif held is budget.HoldResult.NO_BUDGET:
            if self.under_way:
                # What is under way may take less than it holds.
                self.left.appendleft(trial)
                self._wait_for_one()
                return
            self._halt(
                Stop(
                    EvaluationRun.State.OVER_BUDGET,
                    "The next request could pass the budget. Raise it, and the run goes on where "
                    "it stopped.",
                )
            )
        elif held is budget.HoldResult.STOPPED:
            self._halt(Stop(None))

    def _wait_for_one(self) -> None:
        done: set[Future[Answered]] = set()
        while not done and not stopping.is_overdue():
            done, _ = wait(self.under_way, timeout=PAUSE_S, return_when=FIRST_COMPLETED)
            self._renew()
        for future in done:
            self._finish(future)

    def _halt(self, stop: Stop) -> None:
        """Begin nothing more; what is under way is paid for and still written down."""
        self.stop = self.stop or stop
        self.left.clear()

    def _skip(self, trial: Trial) -> None:
        """A pair that the judge can't see, because one of its answers is missing."""
        Trial.objects.left().filter(pk=trial.pk).update(
            done_at=self.clock(),
            outcome=Outcome.ERROR.value,
            reason="One of the two answers is missing, so there is nothing to compare.",
        )

    def _finish(self, future: "Future[Answered]") -> None:
        trial, price = self.under_way.pop(future)
        answered = future.result()
        again = answered.may_ask_again and trial.asks + 1 < MOST_ASKS
        asked = self.questions.prepared(trial)
        took = trials.spent(answered, prices=asked.prices, held=price)
        said = None if again else self.questions.score(trial, answered, cost=took.usd)
        if not self._write_down(trial, answered, took=took, said=said):
            return  # another worker took the run over meanwhile, and has counted it
        self._count_unreached(answered)
        if again and self.stop is None:
            trial.asks += 1
            self.left.append(trial)
        if answered.is_fatal:
            self._halt(Stop(EvaluationRun.State.FAILED, answered.problem))

    @one_transaction
    def _write_down(
        self, trial: Trial, answered: Answered, *, took: trials.Spent, said: Score | None
    ) -> bool:
        """Settle the trial, and keep its answer unless it is asked again (``said`` is None).

        Returns False where another worker has it.
        """
        locks.take(EvaluationRun.objects.filter(pk=trial.run_id))
        mine = Trial.objects.left().filter(pk=trial.pk).exclude(asked_at=None)
        if not mine.exists():
            return False
        budget.settle(trial=trial, spent_usd=took.usd or Decimal(0), spent_tokens=took.tokens)
        if said is None:
            mine.update(asked_at=None)
            return True
        mine.update(
            done_at=self.clock(),
            **trials.columns(
                answered,
                score=said,
                spent=took,
                output=answered.answer.text if answered.answer else "",
            ),
        )
        return True

    def _count_unreached(self, answered: Answered) -> None:
        self.unreached = self.unreached + 1 if answered.never_sent else 0
        if self.unreached >= MOST_UNREACHED:
            self._halt(
                Stop(
                    EvaluationRun.State.FAILED,
                    f"{answered.problem} So the run stopped; let it go on when the provider is "
                    "back: what is done is not asked again.",
                )
            )

    def _renew(self) -> None:
        now = self.clock()
        if self.renew_at is not None and now < self.renew_at:
            return
        self.renew_at = now + leases.RENEW_EVERY
        if not _mine(self.run, self.worker).update(leased_until=now + leases.LEASE):
            self._halt(Stop(None))


def _mine(run: EvaluationRun, worker: str) -> "results.Runs":
    return EvaluationRun.objects.filter(pk=run.pk, state=EvaluationRun.State.RUNNING, worker=worker)


@one_transaction
def _take(*, run_id: int, worker: str, now: datetime) -> bool:
    """Take the run under a lease, and put right what a dead worker left under way."""
    free = EvaluationRun.objects.open().filter(
        Q(leased_until=None) | Q(leased_until__lt=now), pk=run_id
    )
    taken = free.update(
        state=EvaluationRun.State.RUNNING,
        worker=worker,
        leased_until=now + leases.LEASE,
        started_at=Coalesce(F("started_at"), now),
        problem="",
    )
    # In one transaction with the take: else what a dead worker held would stay held for good.
    if taken:
        budget.settle_lost(run_id=run_id)
    return bool(taken)


def _fail(*, run: EvaluationRun, worker: str, problem: str, now: datetime) -> None:
    _end(run=run, worker=worker, state=EvaluationRun.State.FAILED, problem=problem, now=now)


@one_transaction
def _end(
    *,
    run: EvaluationRun,
    worker: str,
    state: EvaluationRun.State | None,
    problem: str,
    now: datetime,
) -> None:
    """Write down the end, with what the run showed; a run that is not ours is left alone.

    Without an end it is given back, so that the next worker needn't wait for the lease to end.
    """
    if state is None:
        _mine(run, worker).update(leased_until=None, worker="")
        return
    locks.take(TrackedModel.objects.filter(versions=run.to_version_id))
    ended = _mine(run, worker).update(
        state=state, ended_at=now, problem=problem[:500], leased_until=None, worker=""
    )
    if ended:
        results.conclude(run_id=run.pk, actor=Actor.scheduler(), now=now)
