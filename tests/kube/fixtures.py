"""The cluster of a test run. Tests elsewhere import these fixtures by name into their conftest."""

import secrets

import pytest

from tests.kube.access import Access
from tests.kube.cluster import BUILD, Cluster, programs
from tests.kube.host import join
from tests.kube.images import IMAGES
from tests.kube.node import CAPACITY, NO_PODS, Node


@pytest.fixture(scope="session")
def kube_programs():
    """The built control plane."""
    folder = programs()
    if not folder.is_dir():
        pytest.skip(f"no Kubernetes programs in {folder}: {BUILD.relative_to(BUILD.parents[2])} builds them")
    return folder


@pytest.fixture(scope="session")
def cluster(kube_programs, tmp_path_factory, worker_id):
    """The cluster that all workers share. Who wants to break one takes `own_cluster`."""
    base = tmp_path_factory.getbasetemp()
    access = Access((base if worker_id == "master" else base.parent) / "kube")
    connection = join(access.folder)
    yield access
    connection.close()


@pytest.fixture(scope="session")
def node(cluster, tmp_path_factory, worker_id):
    """This worker's node in the shared cluster; `node.selector` leads pods to it. Who breaks it, heals it."""
    name = f"node-{worker_id}-{secrets.token_hex(3)}"
    node = Node(cluster, name, tmp_path_factory.mktemp("node"), IMAGES)
    # Where all nodes are lost, Kubernetes thinks that it is itself cut off, and evicts nobody.
    witness = Node(cluster, f"{name}-witness", tmp_path_factory.mktemp("witness"), {}, CAPACITY | NO_PODS)
    for each in (node, witness):
        each.start()
    yield node
    api = cluster.api()
    for each in (node, witness):
        each.stop()
        api.delete(each.path)
    api.close()


@pytest.fixture(scope="session")
def own_cluster(kube_programs, tmp_path_factory):
    """A cluster of this worker alone, to be broken; who breaks it, heals it."""
    cluster = Cluster(tmp_path_factory.mktemp("own-kube"))
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def namespace_prefix(worker_id):
    """What the names of this worker's namespaces begin with, so that workers do not meet."""
    return f"t{secrets.token_hex(3)}-{worker_id}-"


@pytest.fixture
def api(cluster):
    """The shared cluster's API, as the administrator."""
    api = cluster.api()
    yield api
    api.close()


@pytest.fixture
def namespace(api, namespace_prefix):
    """A namespace of this test, asked to go afterwards."""
    name = f"{namespace_prefix}{secrets.token_hex(3)}"
    api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    api.delete(f"/api/v1/namespaces/{name}")
