"""What monitoring asks for."""

from django.http import HttpResponse
from prometheus_client.exposition import choose_encoder
from rest_framework.renderers import BaseRenderer

from versioning.api.operations import ApiView, Asked, operation
from versioning.services.metrics import Watched

OPEN_METRICS, PLAIN = "application/openmetrics-text", "text/plain"


class _OpenMetrics(BaseRenderer):
    media_type = OPEN_METRICS


class _Plain(BaseRenderer):
    media_type = PLAIN


class MetricsView(ApiView):
    renderer_classes = (_Plain, _OpenMetrics)

    @operation(
        id="read_metrics",
        tag="health",
        summary="Figures for monitoring",
        answer=None,
        file_types=(PLAIN, OPEN_METRICS),
    )
    def get(self, asked: Asked) -> HttpResponse:
        """In the text format of Prometheus, or OpenMetrics where Accept asks for it."""
        write, content_type = choose_encoder(asked.request.headers.get("Accept", ""))
        answer = HttpResponse(write(Watched(now=asked.now)), content_type=content_type)
        answer["Cache-Control"] = "no-store"
        return answer
