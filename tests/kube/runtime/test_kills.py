"""The API server is killed again and again while many sessions run, start and end: none of them suffers."""

from contextlib import closing

import pytest

from reconciler.kubernetes.names import object_name
from sessions_app.event_history import MAX_LIMIT
from tests.e2e.system import GENEROUS, eventually
from tests.kube.cluster import API_SERVER
from tests.kube.runtime.pods import PodHistory

pytestmark = [pytest.mark.kube, pytest.mark.faults, pytest.mark.timeout(1800)]

KILLS = 10
SESSIONS = 50
PROGRESS_SECONDS = 300 * GENEROUS
GONE_SECONDS = 180 * GENEROUS
UNFINISHED = "SELECT id FROM sessions_app_run WHERE state IN ('queued', 'running')"


@pytest.fixture
def stage(own_cluster, own_node, make_stage):
    # Fifty runners at once are slow to start on a small machine, which is not what is looked at here.
    stage = make_stage(
        own_cluster, own_node, AMBIENT_START_DEADLINE_SECONDS="900", AMBIENT_LIVENESS_SECONDS="60"
    )
    stage.execute(f"UPDATE reconciler_limit SET max_running = {SESSIONS + KILLS} WHERE project_id IS NULL")
    return stage


@pytest.fixture
def pods(own_cluster):
    """What the administrator sees of sessions' pods, from before the first one."""
    with closing(own_cluster.api()) as api, PodHistory(api) as history:
        yield history


def test_an_api_server_that_is_killed_ten_times_costs_no_session_anything(
    stage, project, own_cluster, own_node, pods, make_watchers
):
    """All fifty run before the first kill. At each, one is asked something, one ends and one starts."""
    watchers = make_watchers(stage)
    following = {}

    def made(**spec):
        session = stage.client.sessions.create(name="s", project_id=project, **spec).id
        following[session] = watchers.events(stage.api, session)
        return session

    ending = [made(stop_on_run_finished=True) for _ in range(KILLS)]  # nothing to do yet, so they wait
    staying = [made(prompt="/echo here") for _ in range(SESSIONS - KILLS)]

    def phases():
        return dict(stage.query("SELECT id, phase FROM sessions_app_session"))

    def all_are(phase, sessions):
        found = phases()
        return all(found[session] == phase for session in sessions)

    eventually(lambda: all_are("Running", ending + staying), "all run", PROGRESS_SECONDS)
    starting = []
    for number in range(KILLS):
        starting.append(made(prompt="/echo here"))
        stage.wait_phase(starting[-1], "Creating", "Running", seconds=PROGRESS_SECONDS)
        with own_cluster.without(API_SERVER):
            for session, text in ((staying[number], "/echo still here"), (ending[number], "/echo the last")):
                assert stage.ask_and_wait(session, text, PROGRESS_SECONDS).delivery == "done"
        eventually(lambda: all_are("Running", staying + starting), "all that stay run", PROGRESS_SECONDS)

    eventually(lambda: all_are("Completed", ending), "those that end have ended", PROGRESS_SECONDS)
    assert all_are("Running", staying + starting)
    assert pods.doubled == []
    assert {session: len(pods.ever[session]) for session in following} == dict.fromkeys(following, 1)
    counts = {
        row[0]: row[1:] for row in stage.query("SELECT id, restarts, attempt FROM sessions_app_session")
    }
    assert {session: counts[session] for session in following if counts[session][0] != 0} == {}
    assert {session: counts[session] for session in ending + staying if counts[session][1] != 1} == {}
    # A start that a kill broke off before its pod was there goes on as the next attempt: no restart.
    assert sum(counts[session][1] - 1 for session in starting) <= KILLS
    eventually(lambda: stage.query(UNFINISHED) == [], "no run is left", PROGRESS_SECONDS)
    for session, watcher in following.items():
        told = history(stage, session)
        watcher.wait(lambda w=watcher, told=told: len(w.seen) >= len(told), "what the history tells")
        watcher.check_dense()
        assert watcher.seen == told
        assert (watcher.count("RUN_FINISHED") > 0, watcher.count("RUN_ERROR")) == (True, 0)

    api, where = own_cluster.api(), stage.runtime.namespace(project)
    attempts = dict(stage.query("SELECT id, attempt FROM sessions_app_session WHERE phase = 'Running'"))
    wanted = {object_name(session, attempt) for session, attempt in attempts.items()}
    for kind in ("api/v1/{}/pods", "api/v1/{}/serviceaccounts", "api/v1/{}/secrets"):
        path = "/" + kind.format(f"namespaces/{where}")
        eventually(lambda path=path: names(api, path) == wanted, f"{path}: no more and no less", GONE_SECONDS)
    stage.client.projects.delete(project)
    eventually(lambda: not api.exists(f"/api/v1/namespaces/{where}"), "all is gone", GONE_SECONDS)
    eventually(lambda: not own_node.pods(), "the node has none of it left")
    api.close()


def names(api, path):
    """Of our objects there."""
    found = api.get(path, labelSelector="ambient-code.io/session-id")["items"]
    return {each["metadata"]["name"] for each in found}


def history(stage, session):
    """All stored events of a session: (seq, event)."""
    body = stage.request("GET", f"/sessions/{session}/events/history?limit={MAX_LIMIT}").json()
    assert "next_after_seq" not in body
    return [(item["seq"], item["event"]) for item in body["items"]]
