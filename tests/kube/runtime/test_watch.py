"""The watch on a real API server: what moves is seen, and what breaks the thread asks for a sweep."""

import pytest

from reconciler.errors import TemporaryError
from reconciler.kubernetes.client import Cluster
from reconciler.kubernetes.errors import Gone
from reconciler.kubernetes.health import silent_seconds
from reconciler.kubernetes.names import session_labels
from reconciler.kubernetes.watch import PATH
from reconciler.models import Installation, WorkItem
from sessions_app.choices import Reason
from tests.e2e.system import GENEROUS, eventually
from tests.kube.cluster import API_SERVER, ETCD
from tests.kube.driver import OWN
from tests.kube.runtime.permissions import granted

pytestmark = [pytest.mark.kube, pytest.mark.timeout(600), pytest.mark.django_db(transaction=True)]

SEEN_SECONDS = 30 * GENEROUS


@pytest.fixture
def installation():
    return Installation.objects.get_or_create(defaults={"id": "inst"})[0].pk


def make_pod(api, installation, name, namespace="default", **spec):
    body = {
        "metadata": {"name": name, "labels": session_labels(installation, "lab", name, 1, 1)},
        "spec": {"nodeSelector": {"a": "b"}, "containers": [{"name": "runner", "image": "x"}]} | spec,
    }
    api.post(f"/api/v1/namespaces/{namespace}/pods", body)


def is_due(kind, key):
    return WorkItem.objects.filter(kind=kind, key=key).exists()


def test_what_happens_to_pods_is_seen_through_every_fault(own_cluster, processes, installation):
    """One watcher from its first list to its last fault."""
    api = own_cluster.api()
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    eventually(lambda: api.exists(account), "the namespace's default account")
    WorkItem.objects.all().delete()
    settings = {
        "AMBIENT_RUNTIME": "kubernetes",
        "AMBIENT_RUNNER_IMAGE": "x",
        "AMBIENT_KUBECONFIG": str(own_cluster.least_privilege(granted("watcher", OWN), f"{OWN}/watcher")),
    }
    processes.start("watcher", **settings)
    eventually(lambda: is_due("resync", "all"), "it asks for a sweep at first", SEEN_SECONDS)
    make_pod(api, installation, "only-made", schedulerName="nobody")
    make_pod(api, installation, "one")
    make_pod(api, "another-platform", "theirs")
    eventually(lambda: is_due("session", "one"), "a new pod is seen", SEEN_SECONDS)
    assert not is_due("session", "only-made")  # nothing has become of it yet
    assert silent_seconds() < SEEN_SECONDS

    for gap, fault in (("restart", lambda: None), ("compaction", own_cluster.compact)):
        WorkItem.objects.all().delete()
        with own_cluster.without(API_SERVER):
            fault()
        make_pod(api, installation, f"in-{gap}")
        eventually(
            lambda gap=gap: is_due("session", f"in-{gap}") or is_due("resync", "all"),
            f"no gap by a {gap}, or a sweep",
            SEEN_SECONDS,
        )
        make_pod(api, installation, f"after-{gap}")
        eventually(
            lambda gap=gap: is_due("session", f"after-{gap}"), f"it goes on after a {gap}", SEEN_SECONDS
        )

    WorkItem.objects.all().delete()
    api.delete("/api/v1/namespaces/default/pods/one", {"gracePeriodSeconds": 0})
    eventually(lambda: is_due("session", "one"), "the end of a pod is seen", SEEN_SECONDS)
    assert not is_due("session", "theirs")
    api.close()


def test_a_version_that_is_too_old_is_gone(own_cluster):
    client = Cluster(str(own_cluster.kubeconfig))
    api = own_cluster.api()
    version = client.version(PATH)
    for number in range(3):
        api.post("/api/v1/namespaces/default/configmaps", {"metadata": {"name": f"c{number}"}})
    with own_cluster.without(API_SERVER):
        own_cluster.compact()
    with pytest.raises(Gone):
        list(client.watch(PATH, str(max(int(version) - 1, 1))))
    api.close()


def test_a_cluster_that_is_away_is_said_at_once_and_is_back_by_itself(own_cluster):
    client = Cluster(str(own_cluster.kubeconfig))
    with own_cluster.without(API_SERVER):
        with pytest.raises(TemporaryError) as away:
            client.list(PATH)
        assert (away.value.reason, bool(away.value.delay)) == (Reason.CLUSTER_UNREACHABLE, True)
    assert client.list(PATH) is not None


def test_a_cluster_that_hangs_holds_nobody_for_long(own_cluster):
    client = Cluster(str(own_cluster.kubeconfig))
    client.list(PATH)
    with own_cluster.frozen(API_SERVER), pytest.raises(TemporaryError, match="does not answer"):
        client.list(PATH)
    with own_cluster.frozen(ETCD), pytest.raises(TemporaryError, match="does not answer"):
        client.apply(
            "/api/v1/namespaces/default/configmaps/x",
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}},
            force=False,
        )
