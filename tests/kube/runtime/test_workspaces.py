"""What becomes of a session's files between two pods, for each kind of workspace: whole platform, real S3."""

import secrets

import pytest

from reconciler.kubernetes.names import claim_name
from tests.e2e.system import GENEROUS, eventually
from tests.kube.storage import storage
from tests.s3 import BUCKET

pytestmark = [pytest.mark.kube, pytest.mark.lengthy, pytest.mark.timeout(900)]

START_SECONDS = 90 * GENEROUS
GONE_SECONDS = 60 * GENEROUS
NOTES = b"what I must not forget"


@pytest.fixture(scope="module")
def storage_class(cluster, node, tmp_path_factory):
    api = cluster.api()
    with storage(api, node, tmp_path_factory.mktemp("volumes"), volumes=2) as name:
        yield name
    api.close()


class Files:
    """One session, and its files over the API."""

    def __init__(self, stage):
        self.stage = stage
        self.project = stage.client.projects.create(name=f"p{secrets.token_hex(4)}").id
        self.session = stage.client.sessions.create(name="s", project_id=self.project).id
        self.has_workspace(1)

    def has_workspace(self, attempt):
        row = self.stage.wait_attempt(self.session, attempt, START_SECONDS)
        assert row.phase == "Running", row.reason_text
        # The answer to a message comes from a workspace that is ready.
        self.stage.ask_and_wait(self.session, "/echo hello", START_SECONDS)

    def write(self):
        path = f"/sessions/{self.session}/files/notes.txt"
        assert self.stage.request("PUT", path, content=NOTES).status_code < 300

    def read(self):
        answer = self.stage.request("GET", f"/sessions/{self.session}/workspace/file-uploads/notes.txt")
        return answer.content if answer.status_code == 200 else None

    def stop(self):
        self.stage.client.sessions.stop(self.session)
        self.stage.wait_phase(self.session, "Stopped", seconds=GONE_SECONDS)

    def start(self):
        self.stage.client.sessions.start(self.session)

    def stop_and_start(self):
        self.stop()
        self.start()
        self.has_workspace(2)


def test_an_emptydir_loses_them(cluster, node, make_stage):
    files = Files(make_stage(cluster, node, AMBIENT_WORKSPACE="emptydir"))
    files.write()
    assert files.read() == NOTES
    files.stop_and_start()
    assert files.read() is None


def test_a_claim_keeps_them_as_long_as_the_session(cluster, node, make_stage, api, storage_class):
    settings = {
        "AMBIENT_WORKSPACE": "pvc",
        "AMBIENT_WORKSPACE_SIZE": "1Gi",
        "AMBIENT_WORKSPACE_STORAGE_CLASS": storage_class,
    }
    files = Files(make_stage(cluster, node, **settings))
    files.write()
    files.stop_and_start()
    assert files.read() == NOTES
    where = files.stage.runtime.namespace(files.project)
    path = f"/api/v1/namespaces/{where}/persistentvolumeclaims/{claim_name(files.session)}"
    assert api.get(path)["spec"]["resources"]["requests"]["storage"] == "1Gi"
    files.stage.client.sessions.delete(files.session)
    eventually(lambda: not api.exists(path), "its claim is gone", GONE_SECONDS)


def test_a_snapshot_keeps_them_and_a_damaged_one_fails_the_start(cluster, node, make_stage, s3):
    files = Files(make_stage(cluster, node, **s3.settings))
    files.write()
    files.stop_and_start()
    assert files.read() == NOTES
    files.stop()
    newest = max(s3.keys(), key=lambda key: key.rpartition("/")[2])
    s3.client.put_object(Bucket=BUCKET, Key=newest, Body=b"rubbish")
    files.start()
    row = files.stage.wait_phase(files.session, "Failed", seconds=START_SECONDS)
    assert (row.reason, "is damaged" in row.reason_text) == ("WorkspaceNotRestored", True)
    assert newest in s3.keys()
