"""The runtime with the permissions of a worker, and platforms with those of all our processes, no more."""

import secrets
from contextlib import ExitStack

import pytest

from ambient import env
from reconciler.kubernetes.client import Cluster
from reconciler.models import Limit
from reconciler.runtimes.kubernetes import KubernetesRuntime
from tests.e2e.conftest import make_watchers, model_api  # noqa: F401 - pytest finds them here
from tests.e2e.harness import Stage
from tests.integration.reconciler.conftest import processes  # noqa: F401 - pytest finds it here
from tests.kube.driver import OWN, NodeDriver
from tests.kube.images import IMAGES
from tests.kube.node import Node
from tests.kube.runtime.lab import Lab, make_session
from tests.kube.runtime.permissions import granted
from tests.s3 import s3_server


@pytest.fixture(scope="session")
def identities(cluster):
    """A kubeconfig for each of our processes."""
    return {
        process: str(cluster.least_privilege(granted(process, OWN), f"{OWN}/{process}"))
        for process in ("worker", "watcher", "control-plane")
    }


@pytest.fixture
def settings_of_pods(monkeypatch, namespace_prefix):
    """Sessions go to namespaces of this test, and to a node that there is not."""
    monkeypatch.setattr(env, "RUNTIME", "kubernetes")
    monkeypatch.setattr(env, "NAMESPACE_PREFIX", f"{namespace_prefix}{secrets.token_hex(3)}-")
    monkeypatch.setattr(env, "NAMESPACE", OWN)
    monkeypatch.setattr(env, "RUNNER_IMAGE", "ambient-runner:1")
    monkeypatch.setattr(env, "RUNNER_NODE_SELECTOR", {"kubernetes.io/hostname": "nowhere"})


@pytest.fixture
def lab(db, cluster, api, identities, settings_of_pods):
    Limit.objects.update_or_create(project=None, defaults={"max_running": 50})
    return Lab(KubernetesRuntime(Cluster(identities["worker"])), api)


@pytest.fixture
def session(lab):
    return make_session()


@pytest.fixture(scope="module")
def own_node(own_cluster, tmp_path_factory):
    """A node of the cluster that is broken."""
    folder = tmp_path_factory.mktemp("own-node")
    node = Node(own_cluster, f"own-{secrets.token_hex(3)}", folder, IMAGES)
    node.start()
    yield node
    node.stop()


@pytest.fixture(scope="module")
def make_stage(tmp_path_factory):
    """A whole platform whose sessions run in pods of a node."""
    with ExitStack() as stages:

        def make(cluster, node, **settings):
            stage = Stage(tmp_path_factory.mktemp("platform"), NodeDriver(cluster, node), **settings)
            stages.callback(stage.stop)
            stage.start()
            return stage

        yield make


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """A bucket for the files of sessions."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def project(stage):
    """A project of this test on the module's platform."""
    return stage.client.projects.create(name=f"p{secrets.token_hex(4)}").id
