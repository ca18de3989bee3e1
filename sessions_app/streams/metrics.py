"""Prometheus metrics of the streams."""

from prometheus_client import Counter, Gauge, Histogram

LEASES = Gauge("ambient_stream_leases", "Streams that this process holds.")
TAKEN = Counter("ambient_stream_leases_taken_total", "Streams taken.")
HEARTBEAT = Gauge("ambient_stream_heartbeat", "1 while this process may act as owner of streams.")
APPEND_SECONDS = Histogram(
    "ambient_stream_append_seconds",
    "Time to store one batch.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
BATCH_EVENTS = Histogram(
    "ambient_stream_batch_events", "Events in one batch.", buckets=(1, 2, 4, 8, 16, 64, 256, 1000)
)
EVENTS = Counter("ambient_stream_events_total", "Events stored by this process.")
WATCHERS = Gauge("ambient_stream_watchers", "Open watchers of this process.", ["kind"])
WATCHERS_CUT = Counter("ambient_stream_watchers_cut_total", "Watchers ended by us.", ["why"])
STORE_READS = Counter("ambient_stream_store_reads_total", "Pages read from the store for watchers.")
RUNS_ENDED = Counter("ambient_stream_runs_ended_total", "Runs ended by this process.", ["state"])
