"""Every door is bounded: bodies, forms, JSON levels, fields, addresses, headers, websocket messages."""

import asyncio
import contextlib
import json
import socket

import pytest
import uvicorn
from asgiref.testing import ApplicationCommunicator

from ambient.common.body_limit import BodyLimit
from ambient.common.json_text import DEEPEST
from reconciler.http_protocol import LONGEST_HEADERS, LONGEST_URL, MOST_UNFINISHED, JsonErrors
from reconciler.management.commands.serve import LONGEST_FRAME, server_config
from sessions_app.consumers import FRAME_CHARACTERS

V1 = "/api/ambient/v1"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"


def part(name, value, more=""):
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'


# --- bodies


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", f"{V1}/projects", "application/json"),
        ("PATCH", f"{V1}/projects/demo", "application/json"),
        ("PUT", f"{V1}/sessions/s/workspace/a", "application/octet-stream"),
        ("POST", f"{V1}/no/such/path", "text/plain"),
        ("POST", "/admin/login/", FORM),
        ("POST", "/admin/projects_app/project/add/", MULTIPART),
        ("POST", "/token", "application/json"),
        ("GET", "/healthz", "text/plain"),
    ],
)
async def test_no_door_takes_a_body_over_every_limit(settings, method, path, kind, declared):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    seen = []

    async def keeps_all(scope, receive, send):
        while (message := await receive())["type"] == "http.request":
            seen.append(message.get("body", b""))
            if not message.get("more_body"):
                break

    headers = [(b"content-type", kind.encode())]
    if declared:
        headers.append((b"content-length", b"1000000"))
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    door = ApplicationCommunicator(BodyLimit(keeps_all), scope)
    for _ in range(3):
        await door.send_input({"type": "http.request", "body": b"x" * 600, "more_body": True})
    start = await door.receive_output()
    assert start["status"] == 413
    assert sum(map(len, seen)) <= 1000
    assert (b"x-content-type-options", b"nosniff") in start["headers"]


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        pytest.param(FORM, "username=" + "x" * 100_000, 413, id="form"),
        pytest.param(MULTIPART, part("username", "x" * 100_000) + "--b--\r\n", 413, id="multipart-field"),
        pytest.param(FORM, "&".join(f"a{n}" for n in range(1001)), 400, id="form-of-many-fields"),
        pytest.param(FORM, "a&" * 499 + "username=x", 200, id="form-of-many-empty-fields"),
        pytest.param(
            MULTIPART, "".join(part(f"a{n}", "") for n in range(1001)) + "--b--\r\n", 400, id="many-parts"
        ),
        pytest.param(
            MULTIPART,
            "".join(part(f"f{n}", "", f'; filename="{n}"') for n in range(101)) + "--b--\r\n",
            400,
            id="many-files",
        ),
        pytest.param(MULTIPART, "no part at all", 200, id="multipart-without-parts"),
        pytest.param("multipart/form-data", "x", 400, id="multipart-without-boundary"),
        pytest.param(MULTIPART.replace("=b", "=" + "b" * 9000), "x", 400, id="endless-boundary"),
        pytest.param(FORM + "; charset=nonsense", "username=x", 200, id="unknown-charset"),
    ],
)
def test_forms_of_the_admin(client, db, settings, kind, body, status):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000
    answer = client.generic("POST", "/admin/login/", body, content_type=kind)
    assert answer.status_code == status


# --- JSON


def levels(count, opening, closing, core=b"1"):
    return opening * count + core + closing * count


@pytest.mark.parametrize("count", [DEEPEST, 400, 900, 1020, 200_000])
@pytest.mark.parametrize(
    "core", [pytest.param(b"1", id="number"), pytest.param(b'"\\u0000"', id="text-with-nul")]
)
@pytest.mark.parametrize("path", ["/projects", "/sessions", "/credentials"])
def test_bodies_of_many_levels(admin_client_wire, path, core, count):
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        body = b'{"name":"x","extra":' + levels(count, opening, closing, core) + b"}"
        answer = admin_client_wire.call("post", path, body)
        assert answer.status_code == 400
        assert answer.json()["id"] == "17"


def test_what_is_wide_is_not_deep(admin_client_wire):
    body = {"name": "wide", "labels": json.dumps([[]] * 1000)}
    assert admin_client_wire.call("post", "/projects", body).status_code == 201
    wide = b'{"name":"wide2","extra":[' + b"[]," * 500 + b"[]]}"
    assert "unknown" in admin_client_wire.call("post", "/projects", wide).json()["reason"].lower()


# --- addresses


@pytest.mark.parametrize("path", ["/projects", "/sessions", "/openapi.html"])
def test_addresses_of_many_parameters(admin_client_wire, path):
    query = "&".join(f"a{n}=1" for n in range(1001))
    assert admin_client_wire.get(f"{V1}{path}?{query}").status_code == 400


def test_addresses_of_many_parameters_in_the_admin(client, admin, db):
    client.force_login(admin)
    query = "&".join(f"a{n}=1" for n in range(1001))
    assert client.get(f"/admin/projects_app/project/?{query}").status_code == 400


# --- heads


class Quiet(uvicorn.Server):
    """Leaves the test's signals alone."""

    @contextlib.contextmanager
    def capture_signals(self):
        yield


@contextlib.asynccontextmanager
async def raw_server():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = Quiet(uvicorn.Config(app, lifespan="off", log_config=None, http=JsonErrors))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


async def exchange(port, *pieces):
    """Send these bytes and read one answer's head."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with contextlib.suppress(ConnectionError):  # the server has answered and left
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        async with asyncio.timeout(20):
            head = await reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1])
    finally:
        writer.close()


FILL = b"x" * 65_000
ENDLESS = [FILL] * (MOST_UNFINISHED // len(FILL) + 2)


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        pytest.param([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"], 204, id="small"),
        pytest.param([b"GET / HTTP/1.1\r\nA: ", b"x" * 60_000, b"\r\n\r\n"], 204, id="large"),
        pytest.param([b"GET / HTTP/1.1\r\nA: ", b"x" * LONGEST_HEADERS, b"\r\n\r\n"], 431, id="one-too-long"),
        pytest.param([b"GET / HTTP/1.1\r\n", b"Aa: x\r\n" * 30_000, b"\r\n"], 431, id="many"),
        pytest.param([b"GET / HTTP/1.1\r\nA: ", *ENDLESS], 431, id="one-that-does-not-end"),
        pytest.param([b"GET / HTTP/1.1\r\n", *[b"A"] * 3, *ENDLESS], 431, id="a-name-that-does-not-end"),
        pytest.param([b"GET /" + b"x" * LONGEST_URL + b" HTTP/1.1\r\n\r\n"], 414, id="address"),
        pytest.param([b"GET /", *ENDLESS], 414, id="address-that-does-not-end"),
        pytest.param(
            [b"POST / HTTP/1.1\r\nContent-Length: 400000\r\n\r\n", b"x" * 400_000],
            204,
            id="a-body-is-no-head",
        ),
        pytest.param([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3], 204, id="several-at-once"),
    ],
)
async def test_heads(pieces, status):
    async with raw_server() as port:
        assert await exchange(port, *pieces) == status


async def test_a_connection_that_is_kept_begins_its_count_anew():
    async with raw_server() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(8):
            writer.write(b"GET / HTTP/1.1\r\nA: " + b"x" * 60_000 + b"\r\n\r\n")
            async with asyncio.timeout(20):
                assert (await reader.readuntil(b"\r\n\r\n")).split()[1] == b"204"
        writer.close()


# --- websockets


def test_a_websocket_message_is_bounded_before_it_is_kept():
    assert server_config("api").ws_max_size == LONGEST_FRAME
    assert 3 * FRAME_CHARACTERS < LONGEST_FRAME  # what is refused in words fits: 3 bytes a character
