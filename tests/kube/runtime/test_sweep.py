"""What a sweep asks of a cluster: each list once, however many sessions there are."""

from collections import Counter

import pytest

from reconciler import resync
from reconciler.kubernetes.client import Cluster
from reconciler.kubernetes.names import object_name
from reconciler.models import WorkItem
from reconciler.runtimes.kubernetes import KubernetesRuntime
from tests.kube.runtime.lab import make_session

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]


class Counting(Cluster):
    """A real cluster; every call to it is counted."""

    def __init__(self, kubeconfig: str) -> None:
        super().__init__(kubeconfig)
        self.calls: Counter[str] = Counter()

    def _call(self, method, path, **options):
        self.calls[f"{method} {path}"] += 1
        return super()._call(method, path, **options)


def test_many_pages_of_sessions_are_compared_with_one_list(lab, identities, monkeypatch):
    cluster = Counting(identities["worker"])
    runtime = KubernetesRuntime(cluster)
    monkeypatch.setattr(resync, "PAGE", 1)
    monkeypatch.setattr(resync, "runtime_for", lambda: runtime)
    sessions = [make_session() for _ in range(3)]
    for session in sessions:
        lab.apply(session)
    lost = sessions[-1]
    lab.api.delete(lab.path("pods", object_name(lost.pk, 1)))
    WorkItem.objects.all().delete()
    resync.reconcile_all(None)
    assert cluster.calls == {
        "GET /api/v1/serviceaccounts": 1,
        "GET /api/v1/pods": 1,
        "GET /api/v1/persistentvolumeclaims": 1,
    }
    assert WorkItem.objects.filter(kind="session", key=lost.pk).exists()
