"""An OpenTelemetry collector that keeps the spans it gets: OTLP over HTTP, as protobuf."""

import gzip
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class ReceivedSpan:
    """One span as it came over the wire."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    failed: bool


class Collector(ThreadingHTTPServer):
    """Listens on a free port; `url` is what OTEL_EXPORTER_OTLP_ENDPOINT wants."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._lock = threading.Lock()
        self._spans: list[ReceivedSpan] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def spans(self) -> list[ReceivedSpan]:
        """Everything so far."""
        with self._lock:
            return list(self._spans)

    def named(self, name: str, trace: str | None = None) -> list[ReceivedSpan]:
        """Spans of a name, of one trace or of all."""
        return [span for span in self.spans if span.name == name and trace in (None, span.trace)]

    def take(self, request: ExportTraceServiceRequest) -> None:
        """Keep the spans of one export."""
        with self._lock:
            for group in request.resource_spans:
                resource = _attributes(group.resource.attributes)
                for scope in group.scope_spans:
                    for span in scope.spans:
                        self._spans.append(
                            ReceivedSpan(
                                service=str(resource.get("service.name")),
                                name=span.name,
                                trace=span.trace_id.hex(),
                                id=span.span_id.hex(),
                                parent=span.parent_span_id.hex(),
                                attributes=_attributes(span.attributes),
                                failed=span.status.code == 2,
                            )
                        )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        found = self.path == "/v1/traces"
        if found:
            self.server.take(ExportTraceServiceRequest.FromString(body))
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal."""
