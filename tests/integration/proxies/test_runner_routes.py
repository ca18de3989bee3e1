"""Routes that the session's runner answers: what is asked of it, what people get, and who may ask."""

import asyncio
import base64
import io

import pytest
import yarl
from aiohttp import web

from ambient.common.exceptions import BadRequest
from projects_app.models import Role, User
from projects_app.services.role_bindings import role_binding_create
from sessions_app.choices import Phase
from sessions_app.models import Session
from sessions_app.proxies.calls import RunnerCall, workspace_path
from sessions_app.proxies.tickets import is_good, issue_ticket
from tests.integration.proxies.conftest import told
from tests.integration.streams.conftest import in_database

ITEM = {"name": "a", "path": "a", "isDir": False, "size": 1, "modifiedAt": "2026-01-01T00:00:00Z"}
CLEAN: dict[str, list[str]] = {"modified": [], "staged": [], "untracked": []}
READS = [
    # route, the runner's route and answer, what people get, what they get without a runner
    ("agui/capabilities", "/capabilities", {"framework": "x"}, {"framework": "x"}, {"framework": "unknown"}),
    ("agui/tasks", "/tasks", {"tasks": ["t"]}, {"tasks": ["t"], "total": 1}, {"tasks": [], "total": 0}),
    ("mcp/status", "/mcp/status", {"servers": [{}]}, {"servers": [{}]}, {"servers": [], "totalCount": 0}),
    ("workspace", "/content/list", {"items": [ITEM]}, {"files": [ITEM]}, {"files": []}),
    ("files", "/content/list", {"items": [ITEM]}, {"files": [ITEM]}, {"files": []}),
    ("git/status", "/content/git-status", {"branch": "b"}, {"branch": "b", **CLEAN}, CLEAN),
    ("git/branches", "/content/git-list-branches", {"branches": ["main"]}, ["main"], []),
    ("repos/status", "/repos/status", {"repos": [{"name": "x"}]}, [{"name": "x"}], []),
]
ONLY_WITH_A_RUNNER = [
    ("GET", "workspace/a", None),
    ("PUT", "workspace/a", b"x"),
    ("DELETE", "workspace/a", None),
    ("PUT", "files/a", b"x"),
    ("DELETE", "files/a", None),
    ("POST", "agui/feedback", b'{"type": "META", "metaType": "thumbs_up"}'),
    ("POST", "agui/tasks/t/stop", None),
    ("GET", "agui/tasks/t/output", None),
    ("POST", "git/configure-remote", b'{"remoteUrl": "u"}'),
]
EVERY = [("GET", route, None) for route, *_ in READS] + ONLY_WITH_A_RUNNER


def check_error(answer, status):
    body = answer.json()
    assert answer.status == status, body
    assert body["kind"] == "Error"
    assert body["code"]
    return body["reason"]


async def set_session(lab, **fields):
    await in_database(Session.objects.filter(pk=lab.session.pk).update, **fields)


# Each test below makes a database of its own, so the rows of a table share one.


async def test_a_read_is_the_runners_answer_and_empty_without_one(people, ann):
    for route, asked, told_by_runner, expected, _ in READS:
        people.lab.runner.answers[asked] = told(told_by_runner)
        answer = await people.call("GET", route, user=ann)
        assert (answer.status, answer.json()) == (200, expected), route
        assert people.lab.runner.calls[-1][:2] == ("GET", asked)
    await set_session(people.lab, phase=Phase.STOPPED, runner_endpoint=None)
    for route, _, _, _, without in READS:
        answer = await people.call("GET", route, user=ann)
        assert (answer.status, answer.json()) == (200, without), route


async def test_an_agent_without_such_a_route_is_like_no_runner(people, ann):
    for route, *_, without in READS:
        answer = await people.call("GET", route, user=ann)
        assert (answer.status, answer.json()) == (200, without), route


async def test_a_runner_that_does_not_answer_is_a_502_and_never_an_empty_answer(people, ann):
    await people.lab.runner.stop()
    for method, route, data in EVERY:
        check_error(await people.call(method, route, data, user=ann), 502)


async def test_what_needs_a_runner_is_503_without_one(people, ann):
    await set_session(people.lab, phase=Phase.STOPPED, runner_endpoint=None)
    for method, route, data in ONLY_WITH_A_RUNNER:
        answer = await people.call(method, route, data, user=ann)
        assert "not available" in check_error(answer, 503), route
        assert answer.headers["Retry-After"]


async def test_another_runner_at_the_address_hears_nothing(people, ann):
    people.lab.runner.secret = "another session's secret"
    for method, route, data in EVERY:
        check_error(await people.call(method, route, data, user=ann), 502)
    assert people.lab.runner.calls == []


async def test_who_may_ask(people, ann, project):
    people.lab.runner.answers |= {asked: told(body) for _, asked, body, *_ in READS}
    stranger, viewer, editor = [
        await in_database(User.objects.create, username=name) for name in ("stranger", "viewer", "editor")
    ]
    for user in (viewer, editor):
        role = await in_database(Role.objects.get, name=f"project:{user.username}")
        bound = {"scope": "project", "user_id": user.username, "project_id": project.pk}
        await in_database(role_binding_create, role=role, values=bound)
    for method, route, data in EVERY:
        reading = method == "GET"
        check_error(await people.call(method, route, data, user=stranger), 404 if reading else 403)
        answer = await people.call(method, route, data, user=viewer)
        assert (answer.status == 403) == (not reading), (route, answer.body)
        assert (await people.call(method, route, data, user=editor)).status not in (401, 403), route
        check_error(await people.call(method, route, data, user=ann, session="2" * 27), 404)


async def test_a_file_comes_as_its_bytes_and_never_as_a_page(people, ann):
    page = b"<script>alert(1)</script>" * 100_000

    async def file(request):
        response = web.StreamResponse(headers={"Content-Type": "text/html", "Set-Cookie": "a=b"})
        response.content_length = len(page)
        await response.prepare(request)
        for at in range(0, len(page), 65536):
            await response.write(page[at : at + 65536])
        return response

    people.lab.runner.answers["/content/file"] = file
    answer = await people.call("GET", "workspace/out/a%20page.html", user=ann)
    assert (answer.status, answer.body) == (200, page)
    assert people.lab.runner.calls == [("GET", "/content/file", {"path": "out/a page.html"}, None)]
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a%20page.html"
    assert answer.headers["Content-Length"] == str(len(page))
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(("route", "folder"), [("workspace", ""), ("files", "file-uploads/")])
async def test_a_file_is_written_and_deleted(people, ann, route, folder):
    people.lab.runner.answers |= {"/content/write": told({"message": "ok"}), "/content/delete": told({})}
    data = bytes(range(256)) * 12_000  # over what Django would take for JSON
    answer = await people.call("PUT", f"{route}/a/b.bin", io.BytesIO(data), user=ann)
    assert answer.json() == {"message": "ok", "path": f"{folder}a/b.bin", "size": len(data)}
    assert (await people.call("DELETE", f"{route}/a/b.bin", user=ann)).status == 204
    encoded = base64.b64encode(data).decode()
    assert people.lab.runner.calls == [
        (
            "POST",
            "/content/write",
            {},
            {"path": f"{folder}a/b.bin", "content": encoded, "encoding": "base64"},
        ),
        ("DELETE", "/content/delete", {}, {"path": f"{folder}a/b.bin"}),
    ]


async def test_a_file_over_the_limit_is_413_and_not_sent(people, ann, settings):
    settings.MAX_FILE_BYTES = 1000
    assert "1000 bytes" in check_error(await people.call("PUT", "workspace/a", b"x" * 1001, user=ann), 413)
    assert people.lab.runner.calls == []


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
async def test_a_body_over_every_limit_is_413_before_it_is_read(people, ann, settings, chunked):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000

    async def parts():
        for _ in range(20):
            yield b"x" * 10_000

    data = parts() if chunked else b"x" * 200_000
    check_error(await people.call("PUT", "workspace/a", data, user=ann), 413)


LEAVING = ["../x", "a/../../x", "a/..", "%2e%2e/x", "..%2fx", "a%5c..%5cx", "a%00b", "x" * 5000]


async def test_a_path_that_could_leave_the_workspace_is_refused_here(people, ann):
    headers = {"Authorization": f"Bearer {await people.token(ann)}"}
    for path in LEAVING:
        url = yarl.URL(f"{people.url}/sessions/{people.lab.session.pk}/workspace/{path}", encoded=True)
        for method in ("GET", "PUT", "DELETE"):
            async with people.http.request(method, url, headers=headers) as answer:
                assert answer.status == 400, (path, await answer.text())
    assert people.lab.runner.calls == []


REFUSALS = {400: 400, 404: 404, 409: 409, 413: 413, 422: 400, 401: 502, 500: 502, 302: 502, 204: 502}


async def test_a_refusal_of_the_runner_is_the_same_here(people, ann):
    for status, expected in REFUSALS.items():
        people.lab.runner.answers["/content/git-configure-remote"] = told(
            {"detail": "because of this", "reason": "Because"}, status
        )
        answer = await people.call("POST", "git/configure-remote", b'{"remoteUrl": "u"}', user=ann)
        assert (check_error(answer, expected) == "because of this") == (expected < 500), status


async def test_an_answer_that_makes_no_sense_is_502(people, ann):
    for raw in (b"{", b"\xff", b"[]", b'{"branches": 1', b"", b"{}", b"x" * 100):

        async def nonsense(request, raw=raw):
            return web.Response(body=raw)

        people.lab.runner.answers["/content/git-list-branches"] = nonsense
        check_error(await people.call("GET", "git/branches", user=ann), 502)


async def test_what_a_body_must_hold(people, ann):
    for route, data in [
        ("agui/feedback", b"{}"),
        ("agui/feedback", b"[]"),
        ("git/configure-remote", b"{}"),
        ("git/configure-remote", b'{"remoteUrl": ""}'),
        ("git/configure-remote", b'{"remoteUrl": "u", "path": "../x"}'),
    ]:
        check_error(await people.call("POST", route, data, user=ann), 400)
    assert people.lab.runner.calls == []


async def test_a_reader_that_leaves_a_file_ends_the_runners_answer(people, ann):
    left = asyncio.Event()

    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
                await asyncio.sleep(0)
        except (ConnectionError, asyncio.CancelledError):
            left.set()
            raise

    people.lab.runner.answers["/content/file"] = endless
    url = f"{people.url}/sessions/{people.lab.session.pk}/workspace/big"
    headers = {"Authorization": f"Bearer {await people.token(ann)}"}
    async with people.http.get(url, headers=headers) as response:
        await response.content.readexactly(1_000_000)
    async with asyncio.timeout(30):
        await left.wait()


async def test_callers_credentials_do_not_reach_the_runner(people, ann):
    seen = []

    async def look(request):
        seen.append(dict(request.headers))
        return web.json_response({"framework": "demo"})

    people.lab.runner.answers["/capabilities"] = look
    await people.call("GET", "agui/capabilities", user=ann, headers={"Cookie": "sessionid=hush"})
    assert not {"Authorization", "Cookie"} & set(seen[0])
    assert await people.token(ann) not in str(seen)


@pytest.mark.parametrize("process", ["through-the-control-plane"], indirect=True)
async def test_without_a_control_plane_reads_are_not_empty_but_503(people, ann, monkeypatch):
    monkeypatch.setattr("ambient.env.CONTROL_PLANE_URL", "http://127.0.0.1:1")
    for method, route, data in EVERY:
        check_error(await people.call(method, route, data, user=ann), 503)


@pytest.mark.parametrize("process", ["through-the-control-plane"], indirect=True)
async def test_the_control_plane_takes_only_what_the_api_has_authorised(people, lab):
    lab.runner.answers["/capabilities"] = told({"framework": "demo"})
    call = RunnerCall("GET", "/capabilities").encoded()
    url = f"{people.url.removesuffix('/api/ambient/v1')}/runners/{lab.session.pk}"
    good = issue_ticket(lab.session.pk, call)
    unknown = RunnerCall("POST", "/exit", body={"run": "r"}).encoded()
    rows = [
        (call, good, 200),
        (call, None, 401),
        (call, "nonsense", 401),
        (call, issue_ticket("another", call), 401),
        (RunnerCall("GET", "/tasks").encoded(), good, 401),
        (unknown, issue_ticket(lab.session.pk, unknown), 400),
        (b"{}", issue_ticket(lab.session.pk, b"{}"), 400),
    ]
    for body, ticket, status in rows:
        headers = {} if ticket is None else {"Authorization": f"Bearer {ticket}"}
        async with people.http.post(url, data=body, headers=headers) as answer:
            assert answer.status == status, (body, ticket)
    assert [found[1] for found in lab.runner.calls] == ["/capabilities"]
    async with people.http.get(url) as answer:
        assert answer.status == 405


def test_a_ticket_is_good_for_half_a_minute(monkeypatch):
    ticket = issue_ticket("s", b"call")
    assert is_good(ticket, "s", b"call")
    monkeypatch.setattr("sessions_app.proxies.tickets.LIFE_SECONDS", -1)
    assert not is_good(ticket, "s", b"call")


@pytest.mark.parametrize("path", ["a", "a/b c", "..a/b..", ".git/config", ""])
def test_paths_inside_are_taken_as_they_are(path):
    assert workspace_path(path) == path


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"1", b'{"method": "PATCH", "path": "/tasks"}', b'{"path": "/tasks"}']
)
def test_a_call_is_one_of_the_runners_routes(raw):
    with pytest.raises(BadRequest):
        RunnerCall.decoded(raw)
