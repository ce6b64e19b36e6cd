"""Single samples, as long as they are kept."""

from rest_framework.response import Response

from versioning.api.operations import ApiView, Asked, operation
from versioning.api.pages import NEWEST_FIRST, page, page_of
from versioning.api.serializers.samples import SOURCES, SampleSerializer, SamplesQuery
from versioning.models import PerformanceSample
from versioning.services import editing

SAMPLES = PerformanceSample.objects.select_related(
    "version", "task", "error", "tags", "route", "unknown_model"
)


class SamplesView(ApiView):
    @operation(
        id="samples",
        tag="samples",
        summary="Single samples, as they came in",
        query=SamplesQuery,
        answer=page_of(SampleSerializer),
        permission="versioning.view_performancesample",
    )
    def get(self, asked: Asked) -> Response:
        """Newest first. For figures ask `compare`, `history` or `best`: they know all samples,
        these are kept for some time only."""
        found = SAMPLES
        if "version_id" in asked.query:
            found = found.filter(version=asked.query["version_id"])
        if "source" in asked.query:
            found = found.filter(source=SOURCES[asked.query["source"]])
        if asked.query["failed"] is not None:
            found = found.filter(error__isnull=not asked.query["failed"])
        return page(asked, found, order=NEWEST_FIRST, show=SampleSerializer)


class SampleView(ApiView):
    @operation(
        id="sample",
        tag="samples",
        summary="One sample",
        answer=SampleSerializer,
        permission="versioning.view_performancesample",
    )
    def get(self, asked: Asked, *, id: int) -> Response:
        """As long as it is kept: 404 from then on."""
        return Response(SampleSerializer(editing.row_of(SAMPLES.filter(pk=id))).data)
