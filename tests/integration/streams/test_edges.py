"""SSE and websockets through the real server, with two processes' worth of nodes."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
from django.db import connection
from django.test import Client

from ambient import websocket_auth
from ambient.common import hints
from ambient.common.exceptions import Unavailable
from projects_app.models import User
from projects_app.services.api_keys import api_key_create, api_key_revoke
from sessions_app.models import Session
from sessions_app.services.sessions import session_stop
from tests.fakes.runner import FakeRun
from tests.integration.streams.conftest import Lab, eventually, in_database
from tests.integration.streams.server import SseClient, serving


@dataclass
class Web:
    """A signed-in client of one server."""

    lab: Lab
    http: aiohttp.ClientSession
    url: str
    key: Any
    token: str

    def path(self, suffix: str) -> str:
        return f"{self.url}/sessions/{self.lab.session.pk}/{suffix}"

    @contextlib.asynccontextmanager
    async def sse(self, suffix: str, method: str = "GET", **kwargs: Any) -> AsyncIterator[SseClient]:
        headers = {"Accept": "text/event-stream"} | kwargs.pop("headers", {})
        async with self.http.request(method, self.path(suffix), headers=headers, **kwargs) as response:
            assert response.status == 200, await response.text()
            yield SseClient(response)


@pytest_asyncio.fixture
async def web(lab: Lab, ann: User) -> AsyncIterator[Web]:
    key, token = await in_database(api_key_create, user=ann)
    node = await lab.node()
    async with (
        serving(node) as url,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http,
    ):
        yield Web(lab, http, url, key, token)


async def test_a_posted_message_is_followed_by_its_events(web: Web) -> None:
    async with web.sse("agui/events") as events:
        async with web.http.post(web.path("messages"), json={"payload": "hello"}) as response:
            assert response.status == 201
            assert (await response.json())["seq"] == 1
        got = await events.until("RUN_FINISHED")
    assert [seq for seq, _ in got] == list(range(1, len(got) + 1))


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_cursor_resumes_without_gap_or_double(web: Web, how: str) -> None:
    await web.lab.send("hello")
    stored = await web.lab.ended()
    given: dict[str, Any] = (
        {"headers": {"Last-Event-ID": "3"}} if how == "header" else {"params": {"after_seq": "3"}}
    )
    async with web.sse("agui/events", **given) as events:
        got = await events.until("RUN_FINISHED")
    assert [seq for seq, _ in got] == list(range(4, len(stored) + 1))
    assert [event for _, event in got] == stored[3:]


async def test_watchers_of_two_processes_see_the_same_through_the_loss_of_the_holder(web: Web) -> None:
    go_on = asyncio.Event()

    async def script(run: FakeRun) -> None:
        run.start()
        run.say("first", "a", parts=5)
        await go_on.wait()
        run.say("second", "b", parts=5)
        run.finish()

    lab = web.lab
    lab.runner.script = script
    watching = await lab.node(holds=False)
    async with serving(watching) as other_url:
        other = Web(lab, web.http, other_url, web.key, web.token)
        async with web.sse("agui/events") as near, other.sse("agui/events") as far:
            await lab.send("hello")
            first_near, first_far = await near.until("TEXT_MESSAGE_END"), await far.until("TEXT_MESSAGE_END")
            holder = lab.nodes[0].holder
            assert holder is not None
            await holder.kill()
            await lab.nodes[0].heartbeat.kill()
            await lab.node()

            async def attached() -> Any:
                return lab.runner.attached

            await eventually(attached, "another process attaches")
            go_on.set()
            rest_near, rest_far = await near.until("RUN_FINISHED"), await far.until("RUN_FINISHED")
    stored = await lab.ended()
    for got in (first_near + rest_near, first_far + rest_far):
        assert [seq for seq, _ in got] == list(range(1, len(stored) + 1))
        assert [event for _, event in got] == stored


async def test_an_agui_run_streams_exactly_its_own_events(web: Web) -> None:
    await web.lab.send("before")
    body = {
        "threadId": web.lab.session.pk,
        "runId": "client-run-1",
        "messages": [{"id": "client-message-1", "role": "user", "content": "mine"}],
        "forwardedProps": {"model": "x"},
    }
    for _ in range(2):  # the same run id again is the same run
        async with web.sse("agui/run", "POST", json=body) as events:
            got = [event for _, event in await events.rest()]
        assert got[0]["runId"] == "client-run-1"
        assert got[-1]["type"] == "RUN_FINISHED"
        assert "".join(e.get("delta", "") for e in got) == "You said: mine"
    posted = [p for p in web.lab.runner.posts if p["runId"] == "client-run-1"]
    assert len(posted) == 1
    assert posted[0]["forwardedProps"] == {"model": "x"}
    assert posted[0]["messages"][-1]["id"] == "client-message-1"


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        pytest.param({"messages": []}, 400, "messages", id="nothing-to-say"),
        pytest.param({"messages": "x"}, 400, "messages", id="messages-no-array"),
        pytest.param({"threadId": "other", "messages": []}, 400, "threadId", id="other-thread"),
        pytest.param({"runId": 5}, 400, "runId", id="run-id-no-text"),
        pytest.param({"runId": "r" * 200}, 400, "runId", id="run-id-too-long"),
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "image"}]}]}, 400, "text", id="image"
        ),
        pytest.param(
            {"resume": [{"interruptId": "x", "status": "maybe"}]}, 400, "status", id="resume-status"
        ),
        pytest.param(
            {"resume": [{"interruptId": "x", "status": "resolved"}]}, 400, "unknown", id="resume-unknown"
        ),
    ],
)
async def test_a_wrong_run_input_is_refused_by_name(
    web: Web, body: dict[str, Any], status: int, word: str
) -> None:
    async with web.http.post(web.path("agui/run"), json=body) as response:
        assert response.status == status
        assert word in (await response.json())["reason"]


async def test_a_run_that_fails_in_the_queue_is_told_to_its_reader(web: Web) -> None:
    lab = web.lab
    rows = Session.objects.filter(pk=lab.session.pk)
    await in_database(lambda: rows.update(phase="Creating"))
    body = {"messages": [{"role": "user", "content": "never"}]}
    async with web.sse("agui/run", "POST", json=body) as events:
        await in_database(session_stop, session=lab.session)
        got = await events.rest()
    assert [(seq, event["type"]) for seq, event in got] == [(None, "RUN_STARTED"), (None, "RUN_ERROR")]
    assert got[1][1]["code"] == "SessionStopped"


async def test_the_runner_stream_shows_an_answer_once_and_then_blocks(web: Web) -> None:
    async with web.http.post(web.path("messages"), json={"payload": "fast"}) as response:
        assert response.status == 201
    await web.lab.ended()
    async with web.sse("events") as events:
        got = await events.rest()
    assert got[-1][1]["type"] == "RUN_FINISHED"
    async with web.sse("events") as events:  # as `acpctl messages -F` does: nothing to show again
        with pytest.raises(TimeoutError):
            await events.next(timeout=0.7)
        await web.lab.send("more")
        again = await events.rest()
    assert "more" in "".join(event.get("delta", "") for _, event in again)


async def test_a_session_that_is_over_has_no_runner_stream(web: Web) -> None:
    rows = Session.objects.filter(pk=web.lab.session.pk)
    await in_database(lambda: rows.update(phase="Stopped", desired_state="stopped"))
    async with web.http.get(web.path("events")) as response:
        assert response.status == 502
    async with web.sse("events", params={"after_seq": "0"}) as events:
        assert events.response.status == 200


async def test_a_completed_session_shows_an_answer_once_and_then_has_no_runner_stream(web: Web) -> None:
    async with web.http.post(web.path("messages"), json={"payload": "fast"}) as response:
        assert response.status == 201
    await web.lab.ended()
    rows = Session.objects.filter(pk=web.lab.session.pk)
    await in_database(lambda: rows.update(phase="Completed"))
    async with web.sse("events") as events:  # as `acpctl send -f` does: it opens the stream after the POST
        got = await events.rest()
    assert [event["type"] for _, event in got][:: len(got) - 1] == ["RUN_STARTED", "RUN_FINISHED"]
    async with web.http.get(web.path("events")) as response:
        assert response.status == 502


async def test_stored_messages_are_listed_and_followed(web: Web) -> None:
    await web.lab.send("hello")
    await web.lab.ended()
    async with web.http.get(web.path("messages"), params={"after_seq": "1", "size": "1"}) as response:
        rows = await response.json()
    assert [(row["seq"], row["event_type"], row["payload"]) for row in rows] == [
        (2, "assistant", "You said: hello")
    ]
    async with web.sse("messages") as messages:
        assert (await messages.next())[1]["payload"] == "hello"  # type: ignore[index]
        assert (await messages.next())[0] == 2  # type: ignore[index]
        await web.lab.send("next")
        assert (await messages.next())[1]["payload"] == "next"  # type: ignore[index]


async def test_an_unknown_session_is_404_for_readers(web: Web) -> None:
    for suffix in ("messages", "events", "agui/events", "interrupts", "runs"):
        async with web.http.get(f"{web.url}/sessions/nothing/{suffix}") as response:
            assert response.status == 404


async def test_a_revoked_key_ends_open_streams(web: Web) -> None:
    async with web.sse("agui/events") as events:
        await in_database(api_key_revoke, key=web.key)
        hints.publish(hints.ACCESS, "*")
        assert await events.rest() == []


# Websockets


@contextlib.asynccontextmanager
async def socket(web: Web, query: str = "", **kwargs: Any) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with web.http.ws_connect(web.path(f"agui/ws{query}"), **kwargs) as ws:
        yield ws


async def frames_until(ws: aiohttp.ClientWebSocketResponse, type_: str) -> list[dict[str, Any]]:
    found = []
    while True:
        frame = await ws.receive_json(timeout=20)
        found.append(frame)
        if frame.get("event", {}).get("type") == type_:
            return found


async def test_a_websocket_sends_and_receives(web: Web) -> None:
    async with socket(web, "?after_seq=0") as ws:
        await ws.send_json({"op": "send", "ref": "1", "text": "hello"})
        frames = await frames_until(ws, "RUN_FINISHED")
    answer = next(frame for frame in frames if "ref" in frame)
    assert answer["ok"] is True
    assert answer["data"]["payload"] == "hello"
    seqs = [frame["seq"] for frame in frames if "seq" in frame]
    assert seqs == list(range(1, len(seqs) + 1))
    async with socket(web, "?after_seq=2") as ws:
        assert (await ws.receive_json(timeout=20))["seq"] == 3


@pytest.mark.parametrize("how", ["header", "subprotocol"])
async def test_websocket_proofs(web: Web, how: str) -> None:
    async with aiohttp.ClientSession() as plain:
        kwargs: dict[str, Any] = (
            {"headers": {"Authorization": f"Bearer {web.token}"}}
            if how == "header"
            else {"protocols": ["ambient", f"bearer.{web.token}"]}
        )
        async with plain.ws_connect(web.path("agui/ws"), **kwargs) as ws:
            assert ws.protocol == (None if how == "header" else "ambient")
            await ws.send_json({"op": "ping", "ref": "p"})
            assert await ws.receive_json(timeout=20) == {"ref": "p", "ok": True, "data": {}}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        pytest.param("/sessions/{id}/agui/ws", {}, id="no-token"),
        pytest.param("/sessions/{id}/agui/ws?token={token}", {}, id="token-in-query"),
        pytest.param("/sessions/{id}/agui/ws", {"Authorization": "Bearer wrong"}, id="bad-token"),
        pytest.param("/sessions/none/agui/ws", {"Authorization": "Bearer {token}"}, id="unknown-session"),
        pytest.param("/other", {"Authorization": "Bearer {token}"}, id="unknown-path"),
    ],
)
async def test_a_refused_websocket_is_never_accepted(web: Web, path: str, headers: dict[str, str]) -> None:
    def fill(text: str) -> str:
        return text.format(id=web.lab.session.pk, token=web.token)

    async with aiohttp.ClientSession() as plain:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await plain.ws_connect(
                web.url + fill(path), headers={name: fill(value) for name, value in headers.items()}
            )
    assert refused.value.status == 403


async def test_a_websocket_is_told_when_tokens_cannot_be_judged(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(token: str) -> Any:
        raise Unavailable("The identity provider's keys cannot be read", retry_after=30)

    monkeypatch.setattr(websocket_auth, "authenticate_bearer", away)
    async with aiohttp.ClientSession() as plain:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await plain.ws_connect(web.path("agui/ws"), headers={"Authorization": f"Bearer {web.token}"})
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "30")  # type: ignore[index]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param("no json", 400, id="not-json"),
        pytest.param("[]", 400, id="not-an-object"),
        pytest.param('{"op":"dance"}', 400, id="unknown-op"),
        pytest.param('{"op":"send"}', 400, id="no-text"),
        pytest.param('{"op":"send","text":"a\\u0000"}', 400, id="nul"),
        pytest.param('{"op":"answer","interrupt_id":"x","status":"resolved"}', 404, id="no-such-interrupt"),
    ],
)
async def test_a_wrong_frame_is_answered_with_its_reason(web: Web, frame: str, code: int) -> None:
    async with socket(web) as ws:
        await ws.send_str(frame)
        answer = await ws.receive_json(timeout=20)
        assert answer["error"]["code"] == code
        assert answer["error"]["reason"]


async def test_garbage_closes_a_websocket_after_ten(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    async with socket(web) as ws:
        for _ in range(15):
            await ws.send_bytes(b"\xff\x00")
        while (message := await ws.receive(timeout=20)).type == aiohttp.WSMsgType.TEXT:
            assert json.loads(message.data)["error"]["code"] == 400
        assert ws.close_code == 4400
    assert "Exception in ASGI application" not in caplog.text


async def test_a_flood_closes_a_websocket(web: Web) -> None:
    async with socket(web) as ws:
        for number in range(100):
            await ws.send_json({"op": "ping", "ref": str(number)})
        while (await ws.receive(timeout=20)).type == aiohttp.WSMsgType.TEXT:
            pass
        assert ws.close_code == 4400


async def test_a_stopping_process_closes_its_watchers(web: Web) -> None:
    async with socket(web) as ws, web.sse("agui/events") as events:
        await ws.send_json({"op": "ping"})
        await ws.receive_json(timeout=20)
        web.lab.nodes[0].begin_drain()
        await ws.receive(timeout=20)
        assert ws.close_code == 1012
        assert await events.rest() == []


@pytest.mark.parametrize(
    ("origin", "opens"),
    [
        pytest.param("own", True, id="a-page-of-ours"),
        pytest.param("https://elsewhere.example", False, id="a-page-of-others"),
        pytest.param(None, False, id="no-origin"),
    ],
)
async def test_a_cookie_opens_a_websocket_only_from_our_own_pages(
    web: Web, ann: User, origin: str | None, opens: bool
) -> None:
    browser = Client()
    await in_database(browser.force_login, ann, "django.contrib.auth.backends.ModelBackend")
    headers = {"Cookie": f"sessionid={browser.cookies['sessionid'].value}"}
    if origin is not None:
        headers["Origin"] = web.url.removesuffix("/api/ambient/v1") if origin == "own" else origin
    async with aiohttp.ClientSession() as plain:
        if opens:
            async with plain.ws_connect(web.path("agui/ws"), headers=headers) as ws:
                await ws.send_json({"op": "ping"})
                assert (await ws.receive_json(timeout=20))["ok"] is True
        else:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await plain.ws_connect(web.path("agui/ws"), headers=headers)


DROP_STREAMS = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                  WHERE application_name LIKE 'ambient-streams-%' AND datname = current_database()"""
MANY = """INSERT INTO sessions_app_sessionmessage (id, session_id, seq, event_type, payload, created_at)
          SELECT 'm' || n, %s, n, 'assistant', repeat('x', 500), now() FROM generate_series(1, 1500) n"""


async def test_many_messages_come_whole_although_the_database_dropped_its_connections(web: Web) -> None:
    def prepare() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM sessions_app_sessionmessage WHERE session_id = %s", [web.lab.session.pk]
            )
            cursor.execute(MANY, [web.lab.session.pk])
            cursor.execute(DROP_STREAMS)
            return int(cursor.fetchone()[0])

    assert await in_database(prepare) > 0
    async with web.http.get(web.path("messages")) as response:
        assert response.status == 200
        assert [message["seq"] for message in await response.json()] == list(range(1, 1501))


LONG = b"GET /api/ambient/v1/projects?search=" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "id_"),
    [(LONG, 414, "21"), (b"rubbish\r\n\r\n", 400, "21")],
    ids=["address-too-long", "no-http"],
)
async def test_what_the_server_itself_refuses_has_the_apis_error_body(
    web: Web, sent: bytes, status: int, id_: str
) -> None:
    address = urlsplit(web.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(sent)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert json.loads(body)["id"] == id_
    assert json.loads(body)["code"]
