"""Ask the providers now, and see what came of it."""

from django.db import transaction
from rest_framework.response import Response

from versioning import tasks
from versioning.api.operations import ApiView, Asked, header, operation
from versioning.api.pages import NEWEST_FIRST, page, page_of
from versioning.api.serializers.checks import (
    AskedChecksSerializer,
    CheckDetailSerializer,
    CheckRequest,
    CheckSerializer,
    ChecksQuery,
    FindingSerializer,
    FindingsQuery,
)
from versioning.api.teams import caller_of
from versioning.models import ApiKey, Check, Finding
from versioning.services.checks import on_demand


class ChecksView(ApiView):
    @operation(
        id="checks",
        tag="checks",
        summary="Every check, newest first",
        query=ChecksQuery,
        answer=page_of(CheckSerializer),
        permission="versioning.view_check",
    )
    def get(self, asked: Asked) -> Response:
        """Failed ones among them: a failure says nothing about the models."""
        columns = {"provider": "provider__slug", "state": "state"}
        wanted = {columns[name]: value for name, value in asked.query.items() if name in columns}
        rows = Check.objects.select_related("provider").filter(**wanted)
        return page(asked, rows, order=NEWEST_FIRST, show=CheckSerializer)

    @operation(
        id="check",
        tag="checks",
        summary="Ask one provider now, or all",
        body=CheckRequest,
        answer=AskedChecksSerializer,
        status=202,
        scope=ApiKey.Scope.DECIDE,
        permission="versioning.run_check",
        headers=(header("Location", "Where to look for the result.", sent_back=[202]),),
    )
    def post(self, asked: Asked) -> Response:
        """A worker asks: look at each check again until its state isn't `running`. A provider
        that is being asked already is answered with that check."""
        checks = on_demand.begin_checks(
            provider_slug=asked.body.get("provider"), actor=asked.actor, now=asked.now
        )
        ids = [check.pk for check in checks]
        # Only a nudge: where the queue can't be reached, the schedule finds the checks.
        transaction.on_commit(lambda: tasks.run_begun_checks.delay(check_ids=ids), robust=True)
        where = f"/api/checks/{ids[0]}" if len(ids) == 1 else "/api/checks"
        return Response(
            {"checks": CheckSerializer(checks, many=True).data},
            status=202,
            headers={"Location": where, "Retry-After": "2"},
        )


class CheckView(ApiView):
    @operation(
        id="check_result",
        tag="checks",
        summary="One check with what it found",
        answer=CheckDetailSerializer,
        permission="versioning.view_check",
        problems=(404,),
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """`difference` is the raw difference of the listing, `findings` the news about tracked
        models."""
        return Response(
            CheckDetailSerializer(
                on_demand.check(check_id=id, caller=caller_of(asked.request))
            ).data
        )


class FindingsView(ApiView):
    @operation(
        id="findings",
        tag="checks",
        summary="The news of all checks",
        query=FindingsQuery,
        answer=page_of(FindingSerializer),
        permission="versioning.view_finding",
    )
    def get(self, asked: Asked) -> Response:
        """Newest first."""
        columns = {
            "provider": "check_run__provider__slug",
            "kind": "kind",
            "tracked_model": "tracked_model",
        }
        wanted = {columns[name]: value for name, value in asked.query.items() if name in columns}
        rows = Finding.objects.filter(**wanted)
        return page(asked, rows, order=NEWEST_FIRST, show=FindingSerializer)
