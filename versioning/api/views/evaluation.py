"""Evaluation suites and runs over the API."""

from django.db.models import Count, QuerySet
from rest_framework.response import Response

from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import NEWEST_FIRST, OLDEST_FIRST, page, page_of
from versioning.api.serializers.evaluation import (
    BudgetRequest,
    CasesRequest,
    CasesSerializer,
    RunRequest,
    RunSerializer,
    RunsQuery,
    SuiteSerializer,
)
from versioning.api.serializers.fields import Paging
from versioning.domain.evaluation.cases import read_rows
from versioning.models import ApiKey, EvaluationRun, EvaluationSuite
from versioning.services import setup
from versioning.services.errors import Invalid
from versioning.services.evaluation import control, planning, suites


class SuitesView(ApiView):
    @operation(
        id="evaluation_suites",
        tag="evaluation",
        summary="The suites of test cases",
        query=Paging,
        answer=page_of(SuiteSerializer),
        permission="versioning.view_evaluationsuite",
    )
    def get(self, asked: Asked) -> Response:
        """Made and changed in the admin; their cases also here."""
        rows = EvaluationSuite.objects.annotate(case_count=Count("cases"))
        return page(asked, rows, order=OLDEST_FIRST, show=SuiteSerializer)


class CasesView(ApiView):
    @operation(
        id="import_cases",
        tag="evaluation",
        summary="Import test cases",
        body=CasesRequest,
        answer=CasesSerializer,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.change_evaluationsuite",
        problems=(404,),
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """A case with the key of one that is there takes its place. Cases that can't be used are
        named in `rejected`; the rest is stored."""
        suite = suites.suite_by_id(id)
        read = read_rows(asked.body["cases"], template=suite.template)
        new, changed = suites.import_cases(
            suite=suite, cases=read.cases, replace=asked.body["replace"]
        )
        shown = {"new": new, "changed": changed, "rejected": read.unread}
        return Response(CasesSerializer(shown).data)


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
        version = setup.version(version_id=asked.body["to_version"])
        current = version.tracked_model.current_version
        if current is None:
            raise Invalid("The model has no version in use to compare with.")
        plan = planning.plan(
            suite=suites.suite_named(asked.body["suite"]),
            from_version=current,
            to_version=version,
            now=asked.now,
            budget_usd=asked.body.get("budget_usd"),
            budget_tokens=asked.body.get("budget_tokens"),
        )
        run = planning.begin(plan=plan, actor=asked.actor, now=asked.now)
        return _shown(run.pk, status=202)


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


def _runs() -> QuerySet[EvaluationRun]:
    return EvaluationRun.objects.with_names().annotate(done=Count("trials__done_at"))


def _shown(run_id: int, *, status: int = 200) -> Response:
    control.run_by_id(run_id)
    return Response(RunSerializer(_runs().get(pk=run_id)).data, status=status)
