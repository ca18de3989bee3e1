"""A message over the websocket begins a trace, and its run goes on with it."""

from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ambient.common import tracing
from projects_app.models import User
from projects_app.services.api_keys import api_key_create
from sessions_app.models import Run
from tests.integration.streams.conftest import Lab, eventually, in_database
from tests.integration.streams.server import serving


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing.tracing, "_asked", True)
    monkeypatch.setattr(tracing.tracing, "_tracer", provider.get_tracer("tests"))
    yield exporter
    provider.shutdown()


async def test_a_websocket_message_and_its_run_are_one_trace(
    lab: Lab, ann: User, spans: InMemorySpanExporter
) -> None:
    _, token = await in_database(api_key_create, user=ann)
    node = await lab.node()
    headers = {"Authorization": f"Bearer {token}"}
    async with serving(node) as url, aiohttp.ClientSession(headers=headers) as http:
        async with http.ws_connect(f"{url}/sessions/{lab.session.pk}/agui/ws") as socket:
            await socket.send_json({"op": "send", "ref": "1", "text": "hello"})
            await lab.ended()

    def named(name: str) -> Any:
        return next((span for span in spans.get_finished_spans() if span.name == name), None)

    async def run_ended() -> Any:
        return named("run")

    run = await eventually(run_ended, "the run's span")
    sent = named("websocket send")
    assert run.context.trace_id == sent.context.trace_id
    assert run.parent.span_id == sent.context.span_id
    assert run.attributes["ambient.run_state"] == "finished"
    row = await in_database(lambda: Run.objects.get(session_id=lab.session.pk))
    assert row.trace.split("-")[1] == f"{sent.context.trace_id:032x}"
