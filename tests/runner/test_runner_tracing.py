"""The runner's own spans: below the platform's, without texts, and nothing where they are off."""

import sys
import threading

import pytest
from ambient_runner.framework import RunFailed
from ambient_runner.tracing import Tracing

from tests.fakes.otlp_collector import Collector

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector(monkeypatch):
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("parent", "trace", "below"),
    [
        pytest.param(CALLER, CALLER.split("-")[1], CALLER.split("-")[2], id="below-the-platforms"),
        pytest.param(None, None, "", id="of-its-own-without-one"),
        pytest.param("nonsense", None, "", id="of-its-own-with-a-broken-one"),
    ],
)
def test_a_span_is_sent_when_the_process_ends(collector, parent, trace, below):
    tracing = Tracing("session-1")
    with tracing.span("agent run", parent, run_id="r1"):
        pass
    tracing.close()
    [span] = collector.spans
    assert (span.name, span.service, span.parent, span.failed) == (
        "agent run",
        "ambient-runner",
        below,
        False,
    )
    assert span.attributes == {"ambient.session_id": "session-1", "ambient.run_id": "r1"}
    assert trace is None or span.trace == trace


def test_a_failed_run_is_a_failed_span_without_its_text(collector):
    tracing = Tracing("session-1")
    with pytest.raises(RunFailed), tracing.span("agent run", CALLER):
        raise RunFailed("NoPrompt", "a private text")
    tracing.close()
    [span] = collector.spans
    assert span.failed
    assert "private" not in str(span)


def test_the_launch_names_the_span_that_started_the_process():
    assert Tracing("s", {"TRACEPARENT": CALLER}).started_by == CALLER


@pytest.mark.parametrize("environment", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}])
def test_without_the_setting_or_the_package_nothing_happens(monkeypatch, environment):
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    tracing = Tracing("s", environment)
    with tracing.span("agent run", CALLER):
        pass
    tracing.close()
