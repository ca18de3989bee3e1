"""doctor asks a real API server: does it answer, and may we do what sessions need?"""

import contextlib
import json
import secrets
from pathlib import Path

import pytest

from ambient import env
from reconciler import doctor
from reconciler.kubernetes.client import Cluster
from reconciler.kubernetes.doctor import look
from tests.e2e.system import eventually
from tests.kube.runtime.permissions import granted

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300), pytest.mark.django_db]


@pytest.fixture
def as_worker(cluster, namespace_prefix):
    """A kubeconfig with rules like a worker's, for a runtime of this test."""

    def as_worker(runtime="kubernetes", without=lambda kind, verb: False):
        rules = {"kubernetes": "rbac.yaml", "operator": "rbac-operator.yaml"}[runtime]
        own = f"{namespace_prefix}{secrets.token_hex(3)}"
        manifests = granted("worker", own, rules)
        for rule in manifests[0]["rules"]:
            rule["verbs"] = [verb for verb in rule["verbs"] if not without(rule["resources"][0], verb)]
        manifests[0]["rules"] = [rule for rule in manifests[0]["rules"] if rule["verbs"]]
        return str(cluster.least_privilege(manifests, f"{own}/worker"))

    return as_worker


def findings(kubeconfig):
    return {found.name: found for found in look(Cluster(kubeconfig))}


@pytest.mark.parametrize("runtime", ["kubernetes", "operator"])
def test_what_the_chart_grants_is_all_that_is_needed(as_worker, monkeypatch, runtime):
    monkeypatch.setattr(env, "RUNTIME", runtime)
    monkeypatch.setattr(env, "KUBECONFIG", as_worker(runtime))
    monkeypatch.setattr(doctor, "_processes", lambda: [])

    def all_is_well():
        found = {each.name: each.state for each in doctor.examine()}
        return {found[name] for name in ("cluster", "permissions", "namespaces")} == {"ok"}

    eventually(all_is_well, "the roles are known to the API server")


def test_each_missing_verb_is_named(as_worker, monkeypatch):
    monkeypatch.setattr(env, "RUNTIME", "kubernetes")
    lacking = {("pods", "delete"), ("pods/log", "get"), ("networkpolicies", "patch")}
    kubeconfig = as_worker(without=lambda *pair: pair in lacking)

    def named():
        found = findings(kubeconfig)["permissions"]
        assert (found.state, "rbac.yaml" in found.todo) == ("failed", True)
        return set(found.text.removeprefix("may not ").split(", "))

    eventually(lambda: named() == {f"{verb} {kind}" for kind, verb in lacking}, "these, and no others")


def test_an_account_that_no_policy_keeps_to_its_namespaces_is_named(as_worker, monkeypatch, cluster):
    """With them: tests/kube/test_chart_live.py."""
    monkeypatch.setattr(env, "RUNTIME", "kubernetes")
    kubeconfig = as_worker()
    found = eventually(lambda: findings(kubeconfig).get("admission"), "its role is known to the API server")
    assert (found.state, "without Pod Security" in found.text, "admission.yaml" in found.todo) == (
        "warning",
        True,
        True,
    )
    with contextlib.closing(cluster.api()) as api:
        names = [each["metadata"]["name"] for each in api.get("/api/v1/namespaces")["items"]]
    assert not [name for name in names if name.startswith("ambient-doctor-")]


def test_a_cluster_that_does_not_answer_or_know_us(as_worker, monkeypatch, tmp_path):
    monkeypatch.setattr(env, "RUNTIME", "kubernetes")
    config = json.loads(Path(as_worker()).read_text())
    stranger, away = json.loads(json.dumps(config)), config
    stranger["users"][0]["user"] = {"token": "nobody"}
    away["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    for name, changed, reason in (
        ("stranger", stranger, "CredentialRejected"),
        ("away", away, "ClusterUnreachable"),
        ("nowhere", None, "CredentialRejected"),
    ):
        file = tmp_path / name
        if changed is not None:
            file.write_text(json.dumps(changed))
        found = findings(str(file))
        assert (found["cluster"].state, reason in found["cluster"].text) == ("failed", True), found
        assert "AMBIENT_KUBECONFIG" in found["cluster"].todo
        assert "permissions" not in found
