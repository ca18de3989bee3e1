"""Prometheus metrics of the streams (docs/metrics.md). Each process counts its own: sum them."""

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.registry import REGISTRY, CollectorRegistry

LEASES = Gauge("ambient_stream_leases", "Streams that this process holds.")
TAKEN = Counter("ambient_stream_leases_taken_total", "Streams taken.")
LOST = Counter("ambient_stream_leases_lost_total", "Streams that another process took from this one.")
HEARTBEAT = Gauge(
    "ambient_stream_heartbeat",
    "1 while this process may act as owner of streams; only the control plane has it.",
    registry=None,
)
APPEND_SECONDS = Histogram(
    "ambient_stream_append_seconds",
    "Time to store one batch.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
BATCH_EVENTS = Histogram(
    "ambient_stream_batch_events", "Events in one batch.", buckets=(1, 2, 4, 8, 16, 64, 256, 1000)
)
EVENTS = Counter("ambient_stream_events_total", "Events stored by this process.")
STORED_BYTES = Counter("ambient_stream_stored_bytes_total", "Bytes of the events stored by this process.")
SENT_BYTES = Counter("ambient_stream_sent_bytes_total", "Bytes handed to watchers by this process.", ["kind"])
DROPPED = Counter(
    "ambient_stream_dropped_events_total",
    "Events of runners in whose place a mark (ambient:dropped) was stored.",
    ["reason"],
)
WATCHERS = Gauge("ambient_stream_watchers", "Open watchers of this process.", ["kind"])
WATCHERS_CUT = Counter("ambient_stream_watchers_cut_total", "Watchers ended by us.", ["why"])
WATCHERS_REFUSED = Counter(
    "ambient_stream_watchers_refused_total", "Watchers that found no place (429, 4429).", ["kind", "why"]
)
STORE_READS = Counter("ambient_stream_store_reads_total", "Pages read from the store for watchers.")
MARKS = Counter("ambient_stream_marks_total", "Marks sent to watchers about old events.", ["mark"])
RUNS_ENDED = Counter("ambient_stream_runs_ended_total", "Runs ended by this process.", ["state"])

for _reason in ("unreadable", "refused"):
    DROPPED.labels(_reason)  # shown as 0 before the first: Prometheus sees no growth in what was not there
for _why in ("access", "stalled", "closing"):
    WATCHERS_CUT.labels(_why)
for _kind in ("events", "messages", "run", "runner", "websocket"):
    SENT_BYTES.labels(_kind)
    for _why in ("user", "process", "closing"):
        WATCHERS_REFUSED.labels(_kind, _why)

_shown: set[CollectorRegistry] = set()


def show_heartbeat(registry: CollectorRegistry = REGISTRY) -> None:
    """A process that holds streams shows its heartbeat; from others a 0 would look like a fault."""
    if registry not in _shown:
        _shown.add(registry)
        registry.register(HEARTBEAT)
