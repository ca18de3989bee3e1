"""The API server is killed again and again while many sessions start and run: none of them suffers."""

from collections import defaultdict

import pytest

from reconciler.kubernetes.names import object_name
from tests.e2e.harness import Stage
from tests.e2e.system import GENEROUS, eventually
from tests.kube.cluster import API_SERVER
from tests.kube.images import IMAGES
from tests.kube.node import Node
from tests.kube.runtime.conftest import OWN

pytestmark = [pytest.mark.kube, pytest.mark.faults, pytest.mark.timeout(1800)]

KILLS = 10
SESSIONS = 50
LIVE = ("Running", "Completed")
PROGRESS_SECONDS = 300 * GENEROUS
GONE_SECONDS = 180 * GENEROUS


class RememberingNode(Node):
    """A node that knows every pod which ever came to it."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.ever = defaultdict(set)

    def _seen(self, kind, document):
        self.ever[document["metadata"]["name"]].add(document["metadata"]["uid"])
        super()._seen(kind, document)


@pytest.fixture
def own_node(own_cluster, tmp_path):
    node = RememberingNode(own_cluster, "remembering", tmp_path, IMAGES)
    node.start()
    yield node
    node.stop()


@pytest.fixture
def stage(tmp_path_factory, own_cluster, own_node):
    stage = Stage(
        tmp_path_factory.mktemp("platform"),
        AMBIENT_RUNTIME="kubernetes",
        AMBIENT_KUBECONFIG=str(own_cluster.kubeconfig),
        AMBIENT_NAMESPACE=OWN,
        AMBIENT_RUNNER_IMAGE="ambient-runner:1",
        AMBIENT_RUNNER_NODE_SELECTOR=f"kubernetes.io/hostname={own_node.name}",
        # Fifty runners at once are slow to start on a small machine, which is not what is looked at here.
        AMBIENT_START_DEADLINE_SECONDS="900",
        AMBIENT_LIVENESS_SECONDS="60",
    )
    stage.start()
    stage.execute(f"UPDATE reconciler_limit SET max_running = {SESSIONS} WHERE project_id IS NULL")
    yield stage
    stage.stop()


def test_an_api_server_that_is_killed_ten_times_costs_no_session_anything(stage, own_cluster, own_node):
    project = stage.client.projects.create(name="lab").id
    made = [
        stage.client.sessions.create(
            name="s", project_id=project, prompt="/echo here", stop_on_run_finished=number % 5 == 4
        ).id
        for number in range(SESSIONS)
    ]

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

    api = own_cluster.api()
    attempts = dict(stage.query("SELECT id, attempt FROM sessions_app_session WHERE phase = 'Running'"))
    wanted = {object_name(session, attempt) for session, attempt in attempts.items()}
    for kind in ("api/v1/{}/pods", "api/v1/{}/serviceaccounts", "api/v1/{}/secrets"):
        path = "/" + kind.format(f"namespaces/{project}")
        eventually(lambda path=path: names(api, path) == wanted, f"{path}: no more and no less", GONE_SECONDS)
    stage.client.projects.delete(project)
    eventually(lambda: not api.exists(f"/api/v1/namespaces/{project}"), "all is gone", GONE_SECONDS)
    eventually(lambda: not own_node.pods(), "the node has none of it left")
    api.close()


def names(api, path):
    """Of our objects there."""
    found = api.get(path, labelSelector="ambient-code.io/session-id")["items"]
    return {each["metadata"]["name"] for each in found}
