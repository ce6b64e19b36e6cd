"""Evaluation runs: planned, followed, stopped, and their pairs marked."""

from collections.abc import Sequence

from django.db.models import QuerySet
from rest_framework.response import Response

from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import NEWEST_FIRST, OLDEST_FIRST, By, page, page_of
from versioning.api.serializers.evaluation import (
    BudgetRequest,
    EstimateSerializer,
    MarkRequest,
    MarkSerializer,
    PairSerializer,
    RulingRequest,
    RunRequest,
    RunSerializer,
    RunsQuery,
)
from versioning.api.serializers.fields import Paging
from versioning.api.teams import caller_of
from versioning.models import ApiKey, EvaluationRun, Trial
from versioning.services import versions
from versioning.services.errors import Invalid
from versioning.services.evaluation import compatibility, control, planning, results, suites


class RunsView(ApiView):
    @operation(
        id="evaluation_runs",
        tag="evaluation",
        summary="Every run, newest first",
        query=RunsQuery,
        answer=page_of(RunSerializer),
        permission="versioning.view_evaluationrun",
    )
    def get(self, asked: Asked) -> Response:
        """With how much is done and spent so far."""
        columns = {"state": "state", "suite": "frozen__suite__name"}
        wanted = {columns[name]: value for name, value in asked.query.items() if name in columns}
        return page(asked, _runs().filter(**wanted), order=NEWEST_FIRST, show=RunSerializer)

    @operation(
        id="evaluate",
        tag="evaluation",
        summary="Run a suite",
        body=RunRequest,
        answer=RunSerializer,
        status=202,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.add_evaluationrun",
        problems=(404,),
    )
    def post(self, asked: Asked) -> Response:
        """Over the version in use and the one you name. It doesn't start without a budget, nor
        where the estimate is above it; a worker takes it within a minute."""
        run = planning.begin(plan=_plan(asked), actor=asked.actor, now=asked.now)
        return _shown(run.pk, status=202)


class EstimateView(ApiView):
    @operation(
        id="estimate_run",
        tag="evaluation",
        summary="What would a run take?",
        body=RunRequest,
        answer=EstimateSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.add_evaluationrun",
        problems=(404,),
    )
    def post(self, asked: Asked) -> Response:
        """Tokens, cost and time, and what the new version would refuse. Nothing is asked or
        started."""
        plan = _plan(asked)
        fits = {
            "suite_fits": compatibility.preflight_of(suite=plan.suite, version=plan.to_version),
            "recorded_fits": compatibility.preflight_of_requests(
                from_version=plan.from_version, to_version=plan.to_version, now=asked.now
            ),
        }
        told = {
            "estimate": plan.estimate,
            "outlook": plan.outlook,
            "problems": plan.problems,
            **fits,
        }
        return Response(EstimateSerializer(told).data)


class RunView(ApiView):
    @operation(
        id="evaluation_run",
        tag="evaluation",
        summary="One run",
        answer=RunSerializer,
        permission="versioning.view_evaluationrun",
        problems=(404,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """Its progress, and what it showed once it has ended."""
        return _shown(id)


class CancelRunView(ApiView):
    @operation(
        id="cancel_run",
        tag="evaluation",
        summary="Stop a run",
        answer=RunSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.change_evaluationrun",
        problems=(404,),
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """Nothing more is asked; what is under way is still written down."""
        control.cancel(run_id=id, actor=asked.actor, now=asked.now)
        return _shown(id)


class GoOnView(ApiView):
    @operation(
        id="go_on_with_run",
        tag="evaluation",
        summary="Let a stopped run go on",
        body=BudgetRequest,
        answer=RunSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.change_evaluationrun",
        problems=(404,),
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """With what is left, under another budget if you give one."""
        control.go_on(run_id=id, now=asked.now, **asked.body)
        return _shown(id)


class RulingView(ApiView):
    @operation(
        id="rule_on_run",
        tag="evaluation",
        summary="Decide of a test that can't tell",
        body=RulingRequest,
        answer=RunSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.change_evaluationrun",
        problems=(404,),
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """Whether the upgrade goes on after a run that shows neither that the new version is worse
        nor that it is not."""
        control.rule(run_id=id, actor=asked.actor, now=asked.now, **asked.body)
        return _shown(id)


class PairsView(ApiView):
    @operation(
        id="run_pairs",
        tag="evaluation",
        summary="What both versions answered, case by case",
        query=Paging,
        answer=page_of(PairSerializer),
        permission="versioning.view_evaluationrun",
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """By key and repeat, as far as the run has come. Answers are there where the suite keeps
        them."""
        done = control.run_by_id(id).trials.done()

        def paired(trials: list[Trial]) -> Sequence[results.Pair]:
            keys = {trial.case_key for trial in trials}
            wanted = {(trial.case_key, trial.repeat) for trial in trials}
            found = results.pairs(done.filter(case_key__in=keys))
            return [pair for pair in found if (pair.case_key, pair.repeat) in wanted]

        return page(
            asked,
            done.filter(arm=Trial.Arm.CURRENT),
            order=(By("case_key"), By("repeat")),
            show=PairSerializer,
            prepare=paired,
        )


class MarksView(ApiView):
    @operation(
        id="marks",
        tag="evaluation",
        summary="Which answers people find better",
        query=Paging,
        answer=page_of(MarkSerializer),
        permission="versioning.view_evaluationrun",
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """What the run's judge is measured by."""
        found = control.run_by_id(id).marks.all()
        return page(asked, found, order=OLDEST_FIRST, show=MarkSerializer)

    @operation(
        id="mark_pair",
        tag="evaluation",
        summary="Say which answer of a pair is better",
        body=MarkRequest,
        answer=MarkSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.change_evaluationrun",
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """A later mark of yours takes the place of an earlier one."""
        mark = control.mark(run_id=id, **asked.body, actor=asked.actor, now=asked.now)
        return Response(MarkSerializer(mark).data)


def _runs() -> QuerySet[EvaluationRun]:
    return EvaluationRun.objects.with_names().with_counts()


def _plan(asked: Asked) -> planning.Plan:
    version = versions.by_id(version_id=asked.body["to_version"], caller=caller_of(asked.request))
    current = version.tracked_model.current_version
    if current is None:
        raise Invalid("The model has no version in use to compare with.")
    return planning.plan(
        suite=suites.suite_named(asked.body["suite"]),
        from_version=current,
        to_version=version,
        now=asked.now,
        budget_usd=asked.body.get("budget_usd"),
        budget_tokens=asked.body.get("budget_tokens"),
    )


def _shown(run_id: int, *, status: int = 200) -> Response:
    control.run_by_id(run_id)
    return Response(RunSerializer(_runs().get(pk=run_id)).data, status=status)
