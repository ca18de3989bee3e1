"""One trace over request, pass, run and runner, as a real collector gets it from real processes."""

import sys
import threading
from pathlib import Path

import httpx
import pytest

from tests.e2e.harness import Stage
from tests.e2e.system import eventually
from tests.fakes.otlp_collector import Collector

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE, CALLERS_SPAN = CALLER.split("-")[1:3]


@pytest.fixture(scope="module")
def collector():
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def traced(tmp_path_factory, collector):
    """A platform with tracing; its runners use our own interpreter, which has OpenTelemetry."""
    stage = Stage(tmp_path_factory.mktemp("traced"), OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    stage.runtime.use(Path(sys.executable))
    stage.start()
    stage.client.projects.create(name="traced")
    yield stage
    stage.stop()


def create(stage, **headers):
    body = {"name": "s", "project_id": "traced", "prompt": "/echo hello"}
    with_token = {"Authorization": f"Bearer {stage.token}", **headers}
    answer = httpx.post(
        f"{stage.api}/api/ambient/v1/sessions", json=body, headers=with_token, timeout=30, trust_env=False
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def one(collector, name, trace, what=None):
    """The one span of a name in a trace, once it came."""
    [span, *_] = eventually(lambda: collector.named(name, trace), what or f"span {name}")
    return span


def test_a_request_its_pass_its_run_and_the_runner_are_one_trace(traced, collector):
    session = create(traced, traceparent=CALLER)
    request = one(collector, "POST /api/ambient/v1/sessions", TRACE)
    assert (request.service, request.parent) == ("ambient-api", CALLERS_SPAN)
    assert request.attributes["http.response.status_code"] == 201

    started = one(collector, "pass session", TRACE)
    assert (started.service, started.parent) == ("ambient-worker", request.id)
    assert started.attributes["ambient.key"] == session

    run = one(collector, "run", TRACE)
    assert (run.service, run.parent) == ("ambient-control-plane", request.id)
    assert run.attributes["ambient.run_state"] == "finished"
    assert run.attributes["ambient.session_id"] == session

    agent = one(collector, "agent run", TRACE)
    assert (agent.service, agent.parent) == ("ambient-runner", run.id)
    assert agent.attributes["ambient.run_id"] == run.attributes["ambient.run_id"]

    prepared = one(collector, "prepare workspace", TRACE)
    passes = {span.id for span in collector.named("pass session", TRACE)}
    assert prepared.service == "ambient-runner"
    assert prepared.parent in passes

    log = traced.log_path.read_text()
    assert any(TRACE in line for line in log.splitlines() if line.startswith("worker"))
    texts = [str(value) for span in collector.spans for value in span.attributes.values()]
    assert not any("hello" in text for text in texts)


def test_a_wish_that_is_fulfilled_has_no_trace_any_more(traced, collector):
    session = create(traced)
    [request] = eventually(
        lambda: [span for span in collector.named("POST /api/ambient/v1/sessions") if span.trace != TRACE],
        "a trace of its own",
    )
    assert request.parent == ""
    traced.wait_phase(session, "Running")
    query = "SELECT trace FROM reconciler_workitem WHERE kind = 'session' AND key = %s"
    eventually(lambda: traced.query(query, session) in ([], [(None,)]), "a work item without a trace")
    [(kept,)] = traced.query("SELECT trace FROM sessions_app_run WHERE session_id = %s", session)
    assert kept.split("-")[1] == request.trace


def test_probes_and_scrapes_make_no_spans(traced, collector):
    traced.metric(traced.api, "ambient_work_due")
    assert not [span for span in collector.spans if "metrics" in span.name or "health" in span.name]
