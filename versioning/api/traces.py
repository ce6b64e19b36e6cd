"""The way in for OpenTelemetry: ``POST /v1/traces`` of OTLP/HTTP, protobuf or JSON."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse

from versioning.api.ingest import ingest_view, read_body
from versioning.api.problems import Problem
from versioning.models import ApiKey
from versioning.services.samples import traces
from versioning.services.samples.trace_format import read_json, read_protobuf
from versioning.services.samples.trace_names import is_read

PROTOBUF, JSON = "application/x-protobuf", "application/json"


@ingest_view("POST")
def export(request: HttpRequest, key: ApiKey, now: datetime) -> HttpResponse:
    """Take in an export of spans; the answer tells how many could not be used, and why."""
    form = request.content_type
    if form not in {PROTOBUF, JSON}:
        raise Problem(415, "unsupported-media-type", f"Send {PROTOBUF} or {JSON}.")
    read = read_protobuf if form == PROTOBUF else read_json
    spans = read(read_body(request), wanted=is_read)
    receipt = traces.accept(spans, api_key_id=key.pk, now=now)
    body = receipt.as_protobuf() if form == PROTOBUF else receipt.as_json()
    return HttpResponse(body, content_type=form)
