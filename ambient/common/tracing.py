"""Traces over OpenTelemetry, from a request to the pass and the run that follow from it (docs/metrics.md).

On only where OTEL_EXPORTER_OTLP_ENDPOINT is set and the extra is installed (`make setup-otel`). Otherwise
nothing of it is imported, and every function here returns at once.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import structlog

from ambient import env
from ambient.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

Kind = Literal["server", "client", "internal", "consumer"]
EXPORT_EVERY_MS = 1000

log = structlog.get_logger(__name__)


class Span:
    """One span as far as the platform writes to it; without tracing it is nothing."""

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def name(self, name: str) -> None:
        """A better name than the one it began with."""
        if self._span is not None:
            self._span.update_name(name)

    def note(self, **attributes: str | int) -> None:
        """Attributes; two underscores in a name stand for a dot."""
        if self._span is not None:
            self._span.set_attributes({name.replace("__", "."): value for name, value in attributes.items()})

    def fail(self, why: str) -> None:
        """Mark it as failed. `why` is a word, never a person's text."""
        if self._span is not None:
            from opentelemetry.trace import StatusCode

            self._span.set_status(StatusCode.ERROR, why)


NO_SPAN = Span()


class _Tracing:
    """The process's tracer, made when it is first wanted: after a fork each process makes its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self._tracer: Tracer | None = None

    def tracer(self) -> "Tracer | None":
        if self._asked or not env.OTEL_EXPORTER_OTLP_ENDPOINT:
            return self._tracer
        with self._lock:
            if not self._asked:
                self._tracer = _make_tracer()
                self._asked = True
        return self._tracer


def _make_tracer() -> "Tracer | None":
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as exc:
        log.warning("OTEL_EXPORTER_OTLP_ENDPOINT is set, but `make setup-otel` was not run", error=str(exc))
        return None
    resource = {
        "service.namespace": "ambient",
        "service.name": f"ambient-{env.PROCESS}",
        "service.version": VERSION,
    }
    provider = TracerProvider(resource=Resource.create(resource))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=EXPORT_EVERY_MS))
    return provider.get_tracer("ambient", VERSION)


tracing = _Tracing()


def is_on() -> bool:
    """Whether this process makes spans."""
    return tracing.tracer() is not None


@contextmanager
def span(
    name: str,
    *,
    kind: Kind = "internal",
    parent: str | None = None,
    attributes: Mapping[str, str | int] | None = None,
) -> Iterator[Span]:
    """A span for the time of the block, below `parent` (a traceparent) or the present one.

    The logs of the block carry its trace id. Texts of exceptions do not leave the process.
    """
    tracer = tracing.tracer()
    if tracer is None:
        yield NO_SPAN
        return
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = None if parent is None else TraceContextTextMapPropagator().extract({"traceparent": parent})
    with tracer.start_as_current_span(
        name,
        context=context,
        kind=SpanKind[kind.upper()],
        attributes=dict(attributes or {}),
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        trace_id = f"{current.get_span_context().trace_id:032x}"
        found = Span(current)
        with structlog.contextvars.bound_contextvars(trace_id=trace_id):
            try:
                yield found
            except Exception as exc:
                found.fail(type(exc).__name__)
                raise


def traceparent() -> str | None:
    """The present span in the form of W3C Trace Context; None where there is none."""
    return headers().get("traceparent")


def headers() -> dict[str, str]:
    """What a request to another process of ours carries: a `traceparent`, or nothing."""
    if tracing.tracer() is None:
        return {}
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return {"traceparent": carrier["traceparent"]} if "traceparent" in carrier else {}
