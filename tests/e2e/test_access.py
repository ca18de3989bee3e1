"""Who may do what, with real keys; and what a runner's own tokens open."""

import secrets

import httpx
import pytest
import websockets

from tests.e2e.harness import APIError
from tests.e2e.system import V1
from tests.e2e.watchers import Refused

NEW_USER = """
from projects_app.models import User
User.objects.create_user(username='{name}', email='{name}@localhost')
"""
LAUNCH_TOKEN = """
from reconciler.launch import runner_secret
from sessions_app.models import Session
from sessions_app.runner_identity import launch_token
s = Session.objects.get(pk='{session}')
print(s.generation, s.attempt, launch_token(runner_secret(s), s.pk, s.generation, s.attempt))
"""


@pytest.fixture(scope="module")
def stranger(stage):
    """A key of somebody without any right."""
    name = f"u-{secrets.token_hex(3)}"
    stage.manage("shell", "--no-imports", "-c", NEW_USER.format(name=name))
    return stage.manage("create_api_key", "--user", name)


def test_stranger_sees_nothing_and_may_do_nothing(stage, watchers, running, stranger):
    client = stage.client_for(stranger)
    with pytest.raises(APIError) as read:
        client.sessions.get(running)
    with pytest.raises(APIError) as stream, client.sessions.stream(running):
        pass
    assert (read.value.status_code, stream.value.status_code) == (404, 404)
    for write in (lambda: client.sessions.stop(running), lambda: client.sessions.send(running, "hello")):
        with pytest.raises(APIError) as refused:
            write()
        assert refused.value.status_code == 403
    for kind, problem in (("sse", Refused), ("websocket", websockets.InvalidStatus)):
        for base in (stage.api, stage.control_plane):
            watcher = watchers.events(base, running, kind=kind, token=stranger)
            with pytest.raises(AssertionError) as failed:
                watcher.wait_runs(1)
            assert isinstance(failed.value.__cause__, problem)
    assert stage.client.sessions.get(running).phase == "Running"


def test_viewer_reads_the_stream_but_cannot_stop(stage, watchers, project, running):
    key = stage.manage("create_api_key", "--user", "admin", "--project", project, "--role", "project:viewer")
    viewer = stage.client_for(key)
    assert viewer.sessions.get(running).id == running
    stage.ask_and_wait(running, "/echo hello")
    for kind in ("sse", "websocket"):
        watcher = watchers.events(stage.api, running, kind=kind, token=key)
        watcher.wait_runs(1)
        watcher.check_dense()
    for write in (lambda: viewer.sessions.stop(running), lambda: viewer.sessions.send(running, "hello")):
        with pytest.raises(APIError) as refused:
            write()
        assert refused.value.status_code == 403


def test_key_that_does_not_exist_is_401_everywhere(stage, running):
    for path in (f"/sessions/{running}", f"/sessions/{running}/agui/events"):
        for base in (stage.api, stage.control_plane):
            answer = httpx.get(
                f"{base}{V1}{path}", headers={"Authorization": "Bearer nobody"}, trust_env=False
            )
            assert answer.status_code == 401


@pytest.mark.process_runtime  # pods have their cluster's tokens: tests/kube/runtime/test_identity.py
def test_runners_tokens_open_their_own_session_and_end_with_it(stage, make_session):
    mine, other = make_session(name="mine"), make_session(name="other")
    for session in (mine, other):
        stage.wait_phase(session, "Running")
    line = stage.manage("shell", "--no-imports", "-c", LAUNCH_TOKEN.format(session=mine)).split()
    generation, attempt, launch = int(line[0]), int(line[1]), line[2]

    def ask(session):
        body = {"session_id": session, "generation": generation, "attempt": attempt, "instance": "test"}
        return stage.request("POST", f"{stage.control_plane}/token", token=launch, json=body)

    issued = ask(mine)
    assert issued.status_code == 200
    assert ask(other).status_code == 401
    assert stage.request("POST", f"{stage.api}/token", token=launch, json={}).status_code == 404
    token = issued.json()["token"]
    assert stage.request("GET", f"/sessions/{mine}", token=token).status_code == 200
    for path in (f"/sessions/{other}", f"/sessions/{other}/messages", f"/sessions/{other}/agui/events"):
        assert stage.request("GET", path, token=token).status_code == 404
    assert stage.request("POST", f"/sessions/{other}/stop", token=token).status_code == 403

    stage.client.sessions.stop(mine)
    stage.wait_phase(mine, "Stopped")
    assert ask(mine).status_code == 403
    assert stage.request("GET", f"/sessions/{mine}", token=token).status_code == 401
