"""What the streams count while they work."""

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from prometheus_client import REGISTRY, CollectorRegistry

from projects_app.models import User
from projects_app.services.api_keys import api_key_create
from sessions_app.streams import metrics
from sessions_app.streams.hub import Gap
from sessions_app.streams.node import Limits
from sessions_app.streams.outlets import mark_of
from sessions_app.streams.tail import Restated
from tests.fakes.runner import FakeRun
from tests.integration.streams.conftest import Lab, eventually, in_database
from tests.integration.streams.server import SseClient, serving


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def grown() -> Callable[..., float]:
    """By how much a number has grown since it was first asked for."""
    before: dict[Any, float] = {}

    def since(name: str, **labels: str) -> float:
        key = (name, *sorted(labels.items()))
        return value(name, **labels) - before.setdefault(key, value(name, **labels))

    return since


async def test_a_run_is_counted_as_it_is_stored(lab: Lab, grown: Callable[..., float]) -> None:
    async def script(run: FakeRun) -> None:
        run.start()
        run.emit_raw(b"this is no JSON")
        run.finish()

    counted = {
        "ambient_stream_events_total": {},
        "ambient_stream_append_seconds_count": {},
        "ambient_stream_batch_events_sum": {},
        "ambient_stream_leases_taken_total": {},
        "ambient_stream_dropped_events_total": {"reason": "unreadable"},
        "ambient_stream_runs_ended_total": {"state": "finished"},
        "ambient_stream_stored_bytes_total": {},
    }
    for name, labels in counted.items():
        grown(name, **labels)
    lab.runner.script = script
    await lab.node()
    await lab.send("hello")
    stored = await lab.ended()

    async def ended() -> Any:
        return grown("ambient_stream_runs_ended_total", state="finished")

    await eventually(ended, "the run's end is counted")
    assert value("ambient_stream_heartbeat") == 1
    found = {name: grown(name, **labels) for name, labels in counted.items()}
    assert found["ambient_stream_events_total"] == len(stored)
    assert found["ambient_stream_batch_events_sum"] == len(stored)
    assert 1 <= found["ambient_stream_append_seconds_count"] <= len(stored)
    assert found["ambient_stream_stored_bytes_total"] > len(stored) * 20
    assert found["ambient_stream_dropped_events_total"] == 1
    assert found["ambient_stream_leases_taken_total"] == 1


async def test_watchers_their_bytes_and_who_found_no_place(
    lab: Lab, ann: User, grown: Callable[..., float]
) -> None:
    _, token = await in_database(api_key_create, user=ann)
    node = await lab.node(limits=Limits(per_user=2))
    await lab.send("hello")
    stored = await lab.ended()
    refused = {"kind": "events", "why": "user"}
    grown("ambient_stream_watchers_refused_total", **refused)
    kinds = ("events", "websocket")
    for kind in kinds:
        grown("ambient_stream_sent_bytes_total", kind=kind)
        grown("ambient_stream_watchers", kind=kind)
    headers = {"Authorization": f"Bearer {token}"}
    async with serving(node) as url, aiohttp.ClientSession(headers=headers) as http:
        path = f"{url}/sessions/{lab.session.pk}/agui"
        stream = {"Accept": "text/event-stream"}
        async with (
            http.get(f"{path}/events", headers=stream) as response,
            http.ws_connect(f"{path}/ws") as socket,
        ):
            await SseClient(response).until("RUN_FINISHED")
            for _ in stored:
                await socket.receive_json(timeout=20)
            assert [grown("ambient_stream_watchers", kind=kind) for kind in kinds] == [1, 1]
            async with http.get(f"{path}/events", headers=stream) as third:
                assert third.status == 429

            async def sent() -> Any:
                return all(grown("ambient_stream_sent_bytes_total", kind=k) > len(stored) * 20 for k in kinds)

            await eventually(sent, "what was sent is counted")
        assert grown("ambient_stream_watchers_refused_total", **refused) == 1

        async def gone() -> Any:
            return [grown("ambient_stream_watchers", kind=kind) for kind in kinds] == [0, 0]

        await eventually(gone, "both watchers are gone")


@pytest.mark.parametrize(
    ("chunk", "mark"), [(Gap(1, 5), "truncated"), (Restated(1, 5, []), "restated")], ids=["gap", "restated"]
)
def test_marks_are_counted(grown: Callable[..., float], chunk: Gap | Restated, mark: str) -> None:
    grown("ambient_stream_marks_total", mark=mark)
    mark_of(chunk)
    assert grown("ambient_stream_marks_total", mark=mark) == 1


def test_only_who_holds_streams_shows_a_heartbeat() -> None:
    registry = CollectorRegistry()
    assert registry.get_sample_value("ambient_stream_heartbeat") is None
    metrics.show_heartbeat(registry)
    metrics.show_heartbeat(registry)
    assert registry.get_sample_value("ambient_stream_heartbeat") is not None
