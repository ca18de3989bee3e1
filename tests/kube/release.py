"""The accounts of a release of the chart on the shared cluster, with just its RBAC and policies."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.e2e.system import eventually
from tests.kube.access import Access
from tests.kube.api import Api, ApiError, Document
from tests.kube.helm import RELEASE, Helm
from tests.unit.deploy.chart import PRODUCTION

ACCESS = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding")
ADMISSION = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
As = Callable[[str], Api]
"""Gives the API as one of the release's process types."""


@pytest.fixture
def helm(kube_programs, tmp_path):
    """Helm, with a home of this test."""
    return Helm(kube_programs / "helm", tmp_path)


@contextlib.contextmanager
def accounts(helm: Helm, cluster: Access, namespace: str, values: Sequence[str] = ()) -> Iterator[As]:
    """Until its end the chart's identities are there, and the cluster holds to its policies."""
    with contextlib.ExitStack() as stack:
        api = cluster.api()
        stack.callback(api.close)
        for document in helm.template(*values, namespace=namespace, files=[PRODUCTION]):
            if document["kind"] in ACCESS + ADMISSION:
                api.apply(document)
                stack.callback(api.delete, api.path_of(document))

        def as_process(name: str) -> Api:
            path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
            account = f"{RELEASE}-{name}"
            if not api.exists(f"{path}/{account}"):
                api.post(path, {"metadata": {"name": account}})
            token = api.post(f"{path}/{account}/token", {"spec": {}})["status"]["token"]
            caller = Api(cluster.url, cluster.authority.certificate, token=token)
            stack.callback(caller.close)
            return caller

        _wait(as_process("worker"), namespace)
        yield as_process


def _wait(worker: Api, namespace: str) -> None:
    """Policies hold a moment after they are written."""
    policy: Document = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "try", "namespace": namespace},
        "spec": {"podSelector": {}},
    }

    def holds() -> bool:
        try:
            worker.apply(policy, dry_run=True)
        except ApiError as exc:
            return "writes only in namespaces" in str(exc)
        return False

    eventually(holds, "the policy holds")
