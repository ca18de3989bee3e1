"""Traces inside one process: what is made, what is carried on, and that nothing happens when they are off."""

import os
import subprocess
import sys

import pghistory
import pytest
import structlog
from django.db import connection
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ambient import env
from ambient.common import tracing
from reconciler.launch import launch_document
from reconciler.models import WorkItem
from reconciler.tasks import run_pass
from reconciler.workqueue import ask, claim_next, finish, seen
from sessions_app.models import Run
from sessions_app.services.sending import message_send
from sessions_app.services.sessions import session_create
from tests.factories import SessionFactory

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = CALLER.replace("0af7", "1af7")
IMPORTED = """
import sys, django
django.setup()
import ambient.asgi, reconciler.tasks
from ambient.common import tracing
with tracing.span("x") as span:
    span.name("y"), span.note(a=1), span.fail("z")
assert not tracing.is_on() and tracing.headers() == {} and tracing.traceparent() is None
ours = ("opentelemetry.exporter", "opentelemetry.sdk.trace")  # redis-py imports other parts by itself
print([name for name in sys.modules if name.startswith(ours)])
"""
NOT_INSTALLED = """
import sys, django
sys.modules["opentelemetry"] = sys.modules["opentelemetry.sdk"] = None
django.setup()
from ambient.common import tracing
with tracing.span("x"):
    print(tracing.is_on(), tracing.headers())
"""


@pytest.fixture
def spans(monkeypatch):
    """Tracing is on, and this is what it made."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing.tracing, "_asked", True)
    monkeypatch.setattr(tracing.tracing, "_tracer", provider.get_tracer("tests"))
    yield exporter
    provider.shutdown()


def trace_of(span) -> str:
    return f"{span.context.trace_id:032x}"


def python(code: str, **variables: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    variables = (
        inherited | {"DJANGO_SETTINGS_MODULE": "ambient.settings", "AMBIENT_PROCESS": "api"} | variables
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=env.BASE_DIR,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip() + done.stderr


def test_off_nothing_is_made_and_nothing_is_imported(tmp_path):
    assert python(IMPORTED, AMBIENT_HOME=str(tmp_path)).startswith("[]")


def test_wanted_but_not_installed_is_said_once_and_changes_nothing(tmp_path):
    out = python(NOT_INSTALLED, AMBIENT_HOME=str(tmp_path), OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert out.startswith("False {}")
    assert out.count("make setup-otel") == 1


@pytest.mark.parametrize(
    ("sent", "continued"),
    [
        pytest.param(CALLER, True, id="a-traceparent-is-continued"),
        pytest.param("00-0af7", False, id="a-broken-one-begins-a-trace"),
        pytest.param(
            CALLER.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32), False, id="zeros-are-none"
        ),
        pytest.param(None, False, id="without-one-a-trace-begins"),
    ],
)
def test_a_request_is_a_span_named_by_its_route(spans, admin_client_wire, sent, continued):
    session = SessionFactory()
    headers = {} if sent is None else {"traceparent": sent}
    assert admin_client_wire.call("get", f"/sessions/{session.pk}", **headers).status_code == 200
    [span] = spans.get_finished_spans()
    assert span.name.startswith("GET /api/ambient/v1/sessions/")
    assert session.pk not in span.name
    assert span.attributes["ambient.object_id"] == session.pk
    assert span.attributes["http.response.status_code"] == 200
    assert (trace_of(span) == CALLER.split("-")[1]) is continued


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_probes_are_no_spans(spans, anonymous, path):
    anonymous.get(path)
    assert spans.get_finished_spans() == ()


def test_the_trace_is_in_the_logs_of_the_block_only(spans):
    with tracing.span("x", parent=CALLER):
        assert structlog.contextvars.get_contextvars()["trace_id"] == CALLER.split("-")[1]
    assert "trace_id" not in structlog.contextvars.get_contextvars()


def test_an_exception_is_told_by_its_name_alone(spans):
    with pytest.raises(ValueError, match="secret"), tracing.span("x"):
        raise ValueError("a secret text")
    [span] = spans.get_finished_spans()
    assert not span.events
    assert span.status.description == "ValueError"


@pytest.mark.django_db
def test_a_wish_over_rest_carries_its_trace_to_the_work_item_and_the_run(spans, admin_client_wire, project):
    body = {"name": "s", "project_id": project.pk, "prompt": "hello"}
    answer = admin_client_wire.call("post", "/sessions", body, traceparent=CALLER)
    session = answer.json()["id"]
    [span] = spans.get_finished_spans()
    own = f"{CALLER[:36]}{span.context.span_id:016x}"
    assert WorkItem.objects.get(kind="session", key=session).trace.startswith(own)
    assert Run.objects.get(session_id=session).trace.startswith(own)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("metadata", "trace"),
    [
        pytest.param({"traceparent": CALLER}, CALLER, id="as-it-was-sent"),
        pytest.param({"user": "ann", "traceparent": CALLER, "x": 1}, CALLER, id="among-others"),
        pytest.param({"user": f'"traceparent": "{CALLER}"'}, None, id="inside-a-name-it-is-none"),
        pytest.param({"traceparent": "00-xyz"}, None, id="broken"),
        pytest.param({"user": "O'Hara \u2028 \\"}, None, id="hostile-names"),
        pytest.param({}, None, id="none"),
    ],
)
def test_the_trigger_takes_a_traceparent_and_nothing_else(project, metadata, trace):
    with pghistory.context(**metadata):
        session = session_create(actor="ann", project=project, spec={"name": "s"})
    assert WorkItem.objects.get(kind="session", key=session.pk).trace == trace


@pytest.mark.django_db
def test_without_a_context_a_wish_has_no_trace_and_the_newest_wish_counts(db):
    with connection.cursor() as cursor:
        cursor.execute("RESET pghistory.context_metadata")
    ask("session", "a")
    assert WorkItem.objects.get(key="a").trace is None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('pghistory.context_metadata', %s, true)", [f'{{"traceparent": "{CALLER}"}}']
        )
    ask("session", "a")
    assert WorkItem.objects.get(key="a").trace == CALLER
    seen("session", "a")
    assert WorkItem.objects.get(key="a").trace == CALLER


@pytest.mark.django_db
@pytest.mark.parametrize(("settled", "kept"), [(False, CALLER), (True, None)], ids=["not-yet", "fulfilled"])
def test_the_trace_stays_until_the_wish_is_fulfilled(settled, kept):
    WorkItem.objects.all().delete()
    ask("session", "a")
    WorkItem.objects.update(trace=CALLER)
    claim = claim_next()
    assert claim.trace == CALLER
    assert finish(claim, 60.0, settled=settled)
    assert WorkItem.objects.get(key="a").trace == kept


@pytest.mark.django_db
def test_a_pass_continues_the_trace_and_gives_it_to_the_runner(spans, project, monkeypatch):
    session = session_create(actor="ann", project=project, spec={"name": "s"})
    WorkItem.objects.exclude(key=session.pk).delete()
    WorkItem.objects.update(trace=OTHER)
    documents = []

    def reconcile(claim):
        from reconciler.outcome import Outcome

        documents.append(launch_document(session, generation=1, attempt=1))
        return Outcome()

    monkeypatch.setitem(run_pass.__globals__["PASSES"], "session", reconcile)
    assert run_pass(claim_next()) == "done"
    [span] = spans.get_finished_spans()
    assert (span.name, trace_of(span)) == ("pass session", OTHER.split("-")[1])
    assert f"{span.parent.span_id:016x}" == OTHER.split("-")[2]
    assert documents[0]["traceparent"].split("-")[2] == f"{span.context.span_id:016x}"
    assert span.attributes["ambient.outcome"] == "done"


@pytest.mark.django_db
def test_a_message_outside_a_span_has_no_trace(project):
    session = session_create(actor="ann", project=project, spec={"name": "s"})
    message = message_send(session=session, actor="ann", text="hello")
    assert Run.objects.get(pk=message.run).trace is None
