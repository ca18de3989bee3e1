"""The API server is killed again and again while many sessions start and run: none of them suffers."""

import pytest

from reconciler.kubernetes.names import object_name
from sessions_app.event_history import MAX_LIMIT
from tests.e2e.system import GENEROUS, eventually
from tests.kube.cluster import API_SERVER

pytestmark = [pytest.mark.kube, pytest.mark.faults, pytest.mark.timeout(1800)]

KILLS = 10
SESSIONS = 50
LIVE = ("Running", "Completed")
PROGRESS_SECONDS = 300 * GENEROUS
GONE_SECONDS = 180 * GENEROUS
UNFINISHED = "SELECT id FROM sessions_app_run WHERE state IN ('queued', 'running')"


@pytest.fixture
def stage(own_cluster, own_node, make_stage):
    # Fifty runners at once are slow to start on a small machine, which is not what is looked at here.
    stage = make_stage(
        own_cluster, own_node, AMBIENT_START_DEADLINE_SECONDS="900", AMBIENT_LIVENESS_SECONDS="60"
    )
    stage.execute(f"UPDATE reconciler_limit SET max_running = {SESSIONS} WHERE project_id IS NULL")
    return stage


def test_an_api_server_that_is_killed_ten_times_costs_no_session_anything(
    stage, project, own_cluster, own_node, make_watchers
):
    made = [
        stage.client.sessions.create(
            name="s", project_id=project, prompt="/echo here", stop_on_run_finished=number % 5 == 4
        ).id
        for number in range(SESSIONS)
    ]
    watchers = make_watchers(stage)
    following = {session: watchers.events(stage.api, session) for session in made}

    def phases():
        return dict(stage.query("SELECT id, phase FROM sessions_app_session"))

    def live():
        return [session for session, phase in phases().items() if phase in LIVE]

    for number in range(KILLS):
        wanted = SESSIONS * number // (KILLS - 1)
        eventually(lambda wanted=wanted: len(live()) >= wanted, f"{wanted} are live", PROGRESS_SECONDS)
        with own_cluster.without(API_SERVER):
            running = next((session for session, phase in phases().items() if phase == "Running"), None)
            if running:
                assert stage.ask_and_wait(running, "/echo still here", PROGRESS_SECONDS).delivery == "done"

    def at_rest():
        found = phases()
        return all(found[session] == LIVE[number % 5 == 4] for number, session in enumerate(made))

    eventually(at_rest, "each runs or has completed", PROGRESS_SECONDS)
    assert {name: len(uids) for name, uids in own_node.ever.items() if len(uids) > 1} == {}
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
