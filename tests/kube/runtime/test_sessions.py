"""Sessions in pods, end to end: whole platform, real control plane, real runners on the one fake node."""

import pytest

from reconciler.kubernetes.names import object_name
from tests.e2e.system import GENEROUS, eventually

pytestmark = [pytest.mark.kube, pytest.mark.timeout(600)]

START_SECONDS = 60 * GENEROUS
LOST_SECONDS = 90 * GENEROUS
GONE_SECONDS = 60 * GENEROUS


@pytest.fixture(scope="module")
def stage(cluster, node, make_stage):
    return make_stage(cluster, node)


@pytest.fixture
def where(stage, project):
    """The namespace of the project's sessions."""
    return stage.runtime.namespace(project)


@pytest.fixture
def running(stage, project):
    session = stage.client.sessions.create(name="s", project_id=project, prompt="/report").id
    stage.wait_phase(session, "Running", "Failed", seconds=START_SECONDS)
    return session


def pods(api, namespace):
    found = api.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
    return [each["metadata"]["name"] for each in found]


def test_a_session_runs_works_stops_and_starts_again(stage, api, where, running):
    row = stage.client.sessions.get(running)
    assert (row.phase, row.kube_namespace) == ("Running", where)
    assert pods(api, where) == [object_name(running, 1)]
    eventually(
        lambda: any(
            "REPORT.md" in str(message.payload) for message in stage.client.sessions.messages(running)
        ),
        "its report",
        START_SECONDS,
    )
    assert stage.ask_and_wait(running, "/echo hello", START_SECONDS).delivery == "done"
    stage.client.sessions.stop(running)
    stage.wait_phase(running, "Stopped", seconds=GONE_SECONDS)
    assert pods(api, where) == []
    stage.client.sessions.start(running)
    stage.wait_attempt(running, 2, START_SECONDS)
    assert stage.client.sessions.get(running).phase == "Running"


def test_out_of_memory_says_the_limit_and_is_restarted(stage, node, where, running):
    node.kill_for_memory(where, object_name(running, 1))
    text = "The runner needed more memory than its limit of 4Gi."
    said = stage.wait_session(
        running, lambda row: text in (row.reason_text or ""), "the limit is said", START_SECONDS
    )
    assert said.reason == "OutOfMemory"
    assert stage.wait_attempt(running, 2, START_SECONDS).phase == "Running"


def test_an_evicted_pod_is_replaced(stage, node, where, running):
    node.evict(where, object_name(running, 1))
    stage.wait_session(running, lambda row: row.reason == "Evicted", "the eviction is said", START_SECONDS)
    assert stage.wait_attempt(running, 2, START_SECONDS).phase == "Running"


def test_a_pod_deleted_by_hand_is_replaced(stage, api, where, running):
    api.delete(f"/api/v1/namespaces/{where}/pods/{object_name(running, 1)}")
    stage.wait_session(running, lambda row: row.reason == "PodLost", "the loss is said", START_SECONDS)
    assert stage.wait_attempt(running, 2, START_SECONDS).phase == "Running"


def test_a_lost_nodes_pod_is_removed_by_force_and_replaced(stage, api, node, where, running):
    name = object_name(running, 1)
    with node.cut_off(power=True):
        stage.wait_session(running, lambda row: row.reason == "NodeLost", "the loss", LOST_SECONDS)
        eventually(lambda: name not in pods(api, where), "the pod is gone", LOST_SECONDS)
    row = stage.wait_attempt(running, 2, LOST_SECONDS)
    assert row.phase == "Running"


def test_an_image_that_is_not_there_is_said(stage, node, project):
    known, node.images = node.images, {}
    try:
        session = stage.client.sessions.create(name="s", project_id=project, prompt="/report").id
        seen = stage.wait_session(
            session, lambda row: "ImagePullFailed" in str(row.conditions), "the image's fault", START_SECONDS
        )
        assert seen.phase == "Creating"
    finally:
        node.images = known
    stage.wait_phase(session, "Running", seconds=START_SECONDS)


def test_a_cluster_without_room_is_said_and_waited_for(stage, node, project):
    with node.full():
        session = stage.client.sessions.create(name="s", project_id=project).id
        seen = stage.wait_session(
            session, lambda row: row.reason == "Unschedulable", "no room", START_SECONDS
        )
        assert seen.phase == "Creating"
    stage.wait_phase(session, "Running", seconds=START_SECONDS)
    assert stage.attempt(session) == 1


def test_a_used_up_quota_is_said_and_its_end_is_noticed(stage, api, where, project, running):
    api.post(
        f"/api/v1/namespaces/{where}/resourcequotas",
        {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}},
    )
    session = stage.client.sessions.create(name="s", project_id=project).id
    stage.wait_session(session, lambda row: row.reason == "QuotaExceeded", "the quota", START_SECONDS)

    def tries():
        [(attempts,)] = stage.query("SELECT attempts FROM reconciler_workitem WHERE key = %s", session)
        return attempts

    eventually(lambda: tries() > 1, "it is tried again", START_SECONDS)
    api.delete(f"/api/v1/namespaces/{where}/resourcequotas/none")
    stage.wait_phase(session, "Running", seconds=START_SECONDS)
    assert stage.attempt(session) == 1


def test_a_slow_start_is_waited_for(stage, node, project):
    with node.holding_starts():
        session = stage.client.sessions.create(name="s", project_id=project).id
        name = object_name(session, 1)
        eventually(lambda: [pod.name for pod in node.pods() if pod.name == name], "its pod", START_SECONDS)
        assert stage.client.sessions.get(session).phase in ("Pending", "Creating")
    stage.wait_phase(session, "Running", seconds=START_SECONDS)
    assert stage.attempt(session) == 1


def test_a_deleted_project_leaves_nothing(stage, api, project, where, running):
    stage.client.projects.delete(project)
    path = f"/api/v1/namespaces/{where}"
    eventually(lambda: not api.exists(path), "the namespace is gone", GONE_SECONDS)
