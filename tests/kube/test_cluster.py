"""The cluster of the tests is a real one, can be broken and mended, and leaves nothing behind."""

import signal
import subprocess
import sys

import pytest
from kubernetes import client, config

from ambient.common.processes import all_pids, is_alive
from ambient.embedded.home import CHECKOUT
from tests.e2e.system import command_of, eventually
from tests.kube.api import ApiError
from tests.kube.cluster import API_SERVER, NAMES

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]

SOLO = """
import sys
from pathlib import Path
from tests.kube.host import join
connection = join(Path(sys.argv[1]))
print("joined", flush=True)
sys.stdin.read()
"""


def pids_of(folder):
    """The programs of the cluster in a folder."""
    return [pid for pid in all_pids() if f"{folder}/" in command_of(pid)]


def role(name, *rules):
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": list(rules),
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": name}],
        },
    ]


def test_it_is_the_kubernetes_that_is_pinned(api):
    assert api.get("/version")["gitVersion"] == "v1.34.2"


def test_namespaces_come_with_an_account_and_go_with_what_is_in_them(api, namespace_prefix):
    path = f"/api/v1/namespaces/{namespace_prefix}short"
    api.post("/api/v1/namespaces", {"metadata": {"name": f"{namespace_prefix}short"}})
    eventually(lambda: api.exists(f"{path}/serviceaccounts/default"), "its default account")
    api.post(f"{path}/configmaps", {"metadata": {"name": "left"}})
    api.delete(path)
    eventually(lambda: not api.exists(path), "the namespace is gone")


def test_an_identity_holds_what_the_manifests_grant_and_no_more(cluster, namespace_prefix):
    name = f"{namespace_prefix}reader"
    grants = role(name, {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]})
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "ignored"}}
    path = cluster.least_privilege([*grants, deployment], f"{name}/reader")
    with config.new_client_from_config(str(path)) as limited:
        core = client.CoreV1Api(limited)
        assert core.list_pod_for_all_namespaces().kind == "PodList"
        with pytest.raises(client.ApiException) as refused:
            core.list_secret_for_all_namespaces()
    assert refused.value.status == 403


@pytest.mark.parametrize("name", NAMES)
def test_each_part_can_die_and_come_back(own_cluster, name):
    before = own_cluster.pids()
    with own_cluster.without(name):
        assert not is_alive(before[name])
    after = own_cluster.pids()
    assert {other for other in NAMES if before[other] != after[other]} >= {name}
    api = own_cluster.api()
    assert api.get("/api/v1/namespaces/default")["metadata"]["name"] == "default"
    api.close()


def test_a_frozen_server_answers_again_when_thawed(own_cluster):
    pid = own_cluster.pids()[API_SERVER]
    with own_cluster.frozen(API_SERVER):
        assert is_alive(pid)
    assert own_cluster.pids()[API_SERVER] == pid


def test_a_watch_from_a_forgotten_revision_gets_410(own_cluster):
    api = own_cluster.api()
    path = "/api/v1/namespaces/default/configmaps"
    old = api.get(path)["metadata"]["resourceVersion"]
    for number in range(3):
        api.apply(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "changing"},
                "data": {"number": str(number)},
            }
        )
    with own_cluster.without(API_SERVER):
        own_cluster.compact()
    with pytest.raises(ApiError) as gone:
        next(api.watch(path, resourceVersion=old))
    assert gone.value.status == 410
    api.close()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_test_run_leaves_no_process(kube_programs, tmp_path, ending):
    folder = tmp_path / "kube"
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", SOLO, str(folder)],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for run in runs:
        assert run.stdout.readline() == "joined\n"
    pids = pids_of(folder)
    assert len(pids) == len(NAMES)
    runs[0].send_signal(ending)
    runs[0].wait()
    assert all(map(is_alive, pids))  # the other still uses it
    runs[1].send_signal(ending)
    runs[1].wait()
    eventually(lambda: not any(map(is_alive, pids)), "all of the cluster has ended")
    for run in runs:
        run.stdin.close()
        run.stdout.close()
