"""Traces of Hotswap's own work by OpenTelemetry, where ``HOTSWAP_TRACES_URL`` is set. An extra.

A span says what took how long, and never what was in it: addresses may hold a calendar's token or a
chat's secret, and the text of an error may hold either. So only what ``KEPT`` names leaves, and of
an error its class.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery.signals import worker_process_shutdown
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import set_global_textmap
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from providers.http import transport
from providers.http.lent import LentSession

os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")  # instrumentations read it

from opentelemetry.instrumentation.celery import CeleryInstrumentor  # noqa: E402
from opentelemetry.instrumentation.django import DjangoInstrumentor  # noqa: E402
from opentelemetry.instrumentation.utils import is_instrumentation_enabled  # noqa: E402

REQUEST_ID = "hotswap.request_id"
KEPT = frozenset(
    {
        REQUEST_ID,
        "celery.action",
        "celery.state",
        "celery.task_name",
        "db.namespace",
        "db.query.text",  # with a place for each value
        "db.system.name",
        "error.type",
        "exception.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "messaging.destination",
        "messaging.message.id",
        "server.address",
        "server.port",
        "url.scheme",
    }
)
"""The attributes of spans and their events that leave, by OpenTelemetry's conventions."""

NOT_TRACED = "livez,readyz,metrics,static"
"""Addresses that machines ask every few seconds."""


def start(service: str) -> None:
    """Send the spans of this process, and of those that it forks, under the name of a service."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    exporter = FiguresExporter(
        endpoint=f"{settings.HOTSWAP['TRACES_URL']}/v1/traces", session=LentSession()
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    # A worker's processes end without what Python does at its end.
    worker_process_shutdown.connect(lambda **_: provider.force_flush(), weak=False)
    set_global_textmap(TraceContextTextMapPropagator())  # and nobody's baggage
    DjangoInstrumentor().instrument(excluded_urls=NOT_TRACED, response_hook=_name_the_request)
    CeleryInstrumentor().instrument()
    connection_created.connect(_trace_queries)
    transport.observe_by(_asked)


def _name_the_request(span: Span, request: Any, response: Any) -> None:
    """Give the span the id that the log's lines and the answer bear."""
    span.set_attribute(REQUEST_ID, str(getattr(request, "request_id", "")))


def _trace_queries(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _in_a_span not in connection.execute_wrappers:  # it may have been made anew
        connection.execute_wrappers.append(_in_a_span)


def _in_a_span(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Run a query in a span of its own, where it is part of something: of either database."""
    if not trace.get_current_span().is_recording():
        return execute(sql, params, many, context)
    database = context["connection"]
    attributes = {
        "db.system.name": database.vendor,
        "db.namespace": Path(database.settings_dict["NAME"]).name,
        "db.query.text": sql,
    }
    with trace.get_tracer(__name__).start_as_current_span(
        sql.split(maxsplit=1)[0], kind=SpanKind.CLIENT, attributes=attributes
    ):
        return execute(sql, params, many, context)


@contextmanager
def _asked(method: str, url: str) -> Iterator[Callable[[int | None], None]]:
    """Put an exchange with somebody else in a span; they learn nothing of the trace."""
    if not is_instrumentation_enabled():  # the spans themselves are on their way
        yield lambda status: None
        return
    parts = urlsplit(url)
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "url.scheme": parts.scheme,
        "server.address": parts.hostname or "",
        **({"server.port": parts.port} if parts.port else {}),
    }
    with trace.get_tracer(__name__).start_as_current_span(
        method, kind=SpanKind.CLIENT, attributes=attributes
    ) as span:

        def ended(status: int | None) -> None:
            if status is None:
                span.set_status(StatusCode.ERROR)
            else:
                span.set_attribute("http.response.status_code", status)

        yield ended


class FiguresExporter(OTLPSpanExporter):
    """Sends spans without what could be a secret. Ten seconds, a few tries, then they are lost."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return super().export([_without_words(span) for span in spans])


def _without_words(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_kept(span.attributes),
        events=[
            Event(event.name, _kept(event.attributes), event.timestamp) for event in span.events
        ],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _kept(attributes: Any) -> dict[str, Any]:
    return {name: value for name, value in (attributes or {}).items() if name in KEPT}
