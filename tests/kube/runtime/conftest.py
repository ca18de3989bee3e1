"""The runtime with the permissions of a worker and no more."""

import secrets

import pytest

from ambient import env
from reconciler.kubernetes.client import Cluster
from reconciler.models import Limit
from reconciler.runtimes.kubernetes import KubernetesRuntime
from tests.integration.reconciler.conftest import processes  # noqa: F401 - pytest finds it here
from tests.kube.runtime.lab import Lab, make_session
from tests.kube.runtime.permissions import granted

OWN = "ambient"


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
