"""This process's own spans, below the platform's: the preparation of the workspace and each run.

On only where OTEL_EXPORTER_OTLP_ENDPOINT is set and OpenTelemetry's SDK is installed; else nothing of it is
imported.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ambient_runner import __version__

EXPORT_EVERY_MS = 500
EXPORT_SECONDS = 1.0  # an unreachable collector must not hold up the end of the process

log = logging.getLogger(__name__)


class Tracing:
    """Makes spans, or does nothing."""

    def __init__(self, session_id: str, environ: Mapping[str, str] = os.environ) -> None:
        self._session_id = session_id
        self.started_by = environ.get("TRACEPARENT")
        self._provider = _provider() if environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") else None

    @contextmanager
    def span(self, name: str, parent: str | None, **attributes: str) -> Iterator[None]:
        """A span for the time of the block, below a traceparent."""
        if self._provider is None:
            yield
            return
        from opentelemetry.trace import StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        context = TraceContextTextMapPropagator().extract({"traceparent": parent or ""})
        with self._provider.get_tracer("ambient_runner", __version__).start_as_current_span(
            name,
            context=context,
            attributes={f"ambient.{key}": value for key, value in attributes.items()}
            | {"ambient.session_id": self._session_id},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Exception as exc:
                span.set_status(StatusCode.ERROR, type(exc).__name__)
                raise

    def close(self) -> None:
        """Send what was not sent yet."""
        if self._provider is not None:
            self._provider.shutdown()


def _provider() -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.info("no spans of the runner: OpenTelemetry's SDK is not installed in its environment")
        return None
    resource = {
        "service.namespace": "ambient",
        "service.name": "ambient-runner",
        "service.version": __version__,
    }
    provider = TracerProvider(resource=Resource.create(resource), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_EVERY_MS))
    return provider
