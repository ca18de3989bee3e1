"""A runner's network policy leads to and from pods that the chart makes, and to and from no other of them."""

import pytest

from reconciler.kubernetes.manifests import network_policy
from tests.kube.helm import Helm
from tests.unit.deploy.chart import TRY_OUT
from tests.unit.kubernetes.test_manifests import SITE, WANTED

pytestmark = pytest.mark.kube


def test_runners_reach_what_serves_them_and_nothing_else_of_the_platform(kube_programs, tmp_path):
    documents = Helm(kube_programs / "helm", tmp_path).template(namespace="ambient", files=[TRY_OUT])
    pods = {
        document["metadata"]["labels"]["app.kubernetes.io/component"]: document["spec"]["template"]
        for document in documents
        if document["kind"] in ("Deployment", "StatefulSet", "Job")
    }
    policy = network_policy(SITE, WANTED)["spec"]
    [calls] = policy["ingress"]
    assert all("podSelector" in peer for peer in calls["from"])
    reached = set()
    for rule in policy["egress"]:
        for peer in rule["to"]:
            wanted = peer.get("podSelector", {}).get("matchLabels", {})
            for component, pod in pods.items():
                if wanted and wanted.items() <= pod["metadata"]["labels"].items():
                    [open_] = rule["ports"]
                    [container] = pod["spec"]["containers"]
                    assert open_["port"] in [port["containerPort"] for port in container["ports"]]
                    reached.add(component)
    assert reached == {"api", "control-plane"}
    callers = {
        component
        for component, pod in pods.items()
        for peer in calls["from"]
        if peer["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    }
    assert callers == {"control-plane", "worker"}
