"""Evaluation suites and their cases: made, changed, taken in and handed out."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.response import Response

from versioning.api import conditional
from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import OLDEST_FIRST, By, page, page_of
from versioning.api.parsing import CsvFile, JsonlFile
from versioning.api.serializers.evaluation import (
    CaseChange,
    CaseSerializer,
    CasesQuery,
    CasesRequest,
    CasesSerializer,
    FileQuery,
    ImportQuery,
    SuiteChange,
    SuiteFormSerializer,
    SuiteSerializer,
)
from versioning.api.serializers.fields import Paging
from versioning.domain.evaluation.cases import Imported, read_rows
from versioning.models import ApiKey, EvaluationCase, EvaluationSuite
from versioning.services import editing
from versioning.services.evaluation import suites

CHANGE_SUITE = "versioning.change_evaluationsuite"
FILE_TYPES = (JsonlFile.media_type, CsvFile.media_type)


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
        """With how they are asked and scored."""
        return page(asked, _suites(), order=OLDEST_FIRST, show=SuiteSerializer)

    @operation(
        id="add_evaluation_suite",
        tag="evaluation",
        summary="Make a suite",
        body=SuiteFormSerializer,
        answer=SuiteSerializer,
        status=201,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.add_evaluationsuite",
        headers=(conditional.ETAG,),
    )
    def post(self, asked: Asked) -> Response:
        """It needs a scorer or a judge; its cases come next."""
        added = editing.add(EvaluationSuite(**asked.body), actor=asked.actor)
        return conditional.made(_suite(added.pk), SuiteSerializer, at="/api/evaluation-suites")


class SuiteView(ApiView):
    @operation(
        id="evaluation_suite",
        tag="evaluation",
        summary="One suite",
        answer=SuiteSerializer,
        permission="versioning.view_evaluationsuite",
        headers=(conditional.ETAG,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """How its cases are asked and scored."""
        return conditional.shown(_suite(id), SuiteSerializer)

    @operation(
        id="change_evaluation_suite",
        tag="evaluation",
        summary="Change a suite",
        body=SuiteChange,
        answer=SuiteSerializer,
        scope=ApiKey.Scope.SETUP,
        permission=CHANGE_SUITE,
        problems=(412,),
        headers=(conditional.ETAG, conditional.IF_MATCH),
    )
    def patch(self, asked: Asked, *, id: int) -> Response:
        """Only the fields that you send. Runs that were planned keep what it was."""
        editing.change(
            EvaluationSuite.objects.filter(pk=id),
            changes=asked.body,
            actor=asked.actor,
            revision=asked.if_match,
        )
        return conditional.shown(_suite(id), SuiteSerializer)


class CasesView(ApiView):
    @operation(
        id="cases",
        tag="evaluation",
        summary="The test cases of a suite",
        query=CasesQuery,
        answer=page_of(CaseSerializer),
        permission="versioning.view_evaluationcase",
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """By key."""
        found = suites.suite_by_id(id).cases.all()
        if "search" in asked.query:
            found = found.filter(key__icontains=asked.query["search"])
        return page(asked, found, order=(By("key"),), show=CaseSerializer)

    @operation(
        id="import_cases",
        tag="evaluation",
        summary="Add test cases, or change them",
        body=CasesRequest,
        answer=CasesSerializer,
        scope=ApiKey.Scope.SETUP,
        permission=CHANGE_SUITE,
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """A case with the key of one that is there takes its place. Cases that can't be used are
        named in `rejected`; the rest is stored."""
        suite = suites.suite_by_id(id)
        read = read_rows(asked.body["cases"], template=suite.template)
        return _stored(suite, read, replace=asked.body["replace"])


class JsonlAnswer(BaseRenderer):
    """Stands for a file in what a client may ask for; the view writes it itself."""

    media_type = JsonlFile.media_type
    format = JSONRenderer.format  # with one of its own there would be a parameter for it


class CsvAnswer(JsonlAnswer):
    media_type = CsvFile.media_type


class CasesFileView(ApiView):
    parser_classes = (JsonlFile, CsvFile)
    renderer_classes = (JSONRenderer, JsonlAnswer, CsvAnswer)
    most_bytes = suites.LONGEST_FILE

    @operation(
        id="export_cases",
        tag="evaluation",
        summary="All cases of a suite as a file",
        query=FileQuery,
        answer=None,
        permission="versioning.view_evaluationsuite",
        file_types=FILE_TYPES,
    )
    def get(self, asked: Asked, *, id: int) -> HttpResponse:
        """JSONL with a case a line, or CSV: what an import reads. Without `form` as the header
        Accept asks for."""
        is_csv = isinstance(asked.request.accepted_renderer, CsvAnswer)
        form = asked.query.get("form", "csv" if is_csv else "jsonl")
        text = suites.export_cases(suite=suites.suite_by_id(id), form=form)
        media_type = CsvFile.media_type if form == "csv" else JsonlFile.media_type
        answer = HttpResponse(text, content_type=f"{media_type}; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="cases-{id}.{form}"'
        return answer

    @operation(
        id="import_cases_file",
        tag="evaluation",
        summary="Import a file of test cases",
        query=ImportQuery,
        answer=CasesSerializer,
        scope=ApiKey.Scope.SETUP,
        permission=CHANGE_SUITE,
        file_types=FILE_TYPES,
    )
    def post(self, asked: Asked, *, id: int) -> Response:
        """JSONL with a case a line, or CSV with a header, up to 32 MB, as docs/evaluation.md
        says. Rows that can't be used are named in `rejected`; the rest is stored."""
        suite = suites.suite_by_id(id)
        file: Any = asked.request.data or {"content": b"", "form": "jsonl"}
        read = suites.read_file(suite=suite, content=file["content"], form=file["form"])
        return _stored(suite, read, replace=asked.query["replace"])


class CaseView(ApiView):
    @operation(
        id="evaluation_case",
        tag="evaluation",
        summary="One test case",
        answer=CaseSerializer,
        permission="versioning.view_evaluationcase",
        headers=(conditional.ETAG,),
    )
    def get(self, asked: Asked, *, id: int, case_id: int) -> Response:
        """What is asked and what is expected."""
        return conditional.shown(editing.row_of(_case(id, case_id)), CaseSerializer)

    @operation(
        id="change_case",
        tag="evaluation",
        summary="Change a test case",
        body=CaseChange,
        answer=CaseSerializer,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.change_evaluationcase",
        problems=(412,),
        headers=(conditional.ETAG, conditional.IF_MATCH),
    )
    def patch(self, asked: Asked, *, id: int, case_id: int) -> Response:
        """Only the fields that you send. Runs that were planned keep what it was."""
        return conditional.changed(asked, _case(id, case_id), CaseSerializer)

    @operation(
        id="remove_case",
        tag="evaluation",
        summary="Remove a test case",
        answer=None,
        status=204,
        scope=ApiKey.Scope.SETUP,
        permission="versioning.delete_evaluationcase",
        problems=(412,),
        headers=(conditional.IF_MATCH,),
    )
    def delete(self, asked: Asked, *, id: int, case_id: int) -> Response:
        """Runs that were planned keep it."""
        return conditional.removed(asked, _case(id, case_id))


def _stored(suite: EvaluationSuite, read: Imported, *, replace: bool) -> Response:
    stored = suites.import_cases(suite=suite, read=read, replace=replace)
    return Response(CasesSerializer({**asdict(stored), "rejected": read.unread}).data)


def _suites() -> QuerySet[EvaluationSuite]:
    return EvaluationSuite.objects.with_counts()


def _suite(suite_id: int) -> EvaluationSuite:
    return editing.row_of(_suites().filter(pk=suite_id))


def _case(suite_id: int, case_id: int) -> QuerySet[EvaluationCase]:
    return EvaluationCase.objects.filter(suite=suite_id, pk=case_id)
