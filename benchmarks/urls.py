"""The real views, and bare ones to hold them against."""

import json

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from versioning.api import ingest, traces
from versioning.api.views import current, health
from versioning.models import Check
from versioning.models.samples import PerformanceSample


@csrf_exempt
def bare_insert(request: HttpRequest) -> JsonResponse:
    """Insert one row as a plain Django view does."""
    fields = json.loads(request.body)
    PerformanceSample.objects.create(
        at=Check._meta.get_field("started_at").to_python(fields["time"]),
        latency_ms=fields["latency_ms"],
        quality=fields["quality"],
        input_tokens=fields["input_tokens"],
        output_tokens=fields["output_tokens"],
        task_id=1,
        route_id=1,
        tags_id=1,
    )
    return JsonResponse({"accepted": 1})


def bare_json(request: HttpRequest) -> JsonResponse:
    """Answer with a little JSON and no database."""
    return JsonResponse({"provider": "acme", "name": "writer", "version": "1.0.0"})


urlpatterns = [
    path("api/performance-samples", ingest.performance_samples),
    path("api/model-versions/<slug:provider>/<path:model>/current", current.CurrentView.as_view()),
    path("v1/traces", traces.export),
    path("livez", health.livez),
    path("bare/insert", bare_insert),
    path("bare/json", bare_json),
]
