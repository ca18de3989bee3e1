"""doctor about a cluster: what needs none. tests/kube/runtime/test_doctor.py asks a real one."""

import pytest

from ambient import env
from reconciler.kubernetes import doctor
from tests.factories import ProjectFactory


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"gitVersion": "v1.34.2"}, "ok"),
        ({"gitVersion": "v1.30.0-eks-1234"}, "ok"),
        ({"gitVersion": "v2.0.0"}, "ok"),
        ({"gitVersion": "v1.29.15+k3s1"}, "failed"),
        ({"gitVersion": "no cluster"}, "failed"),
        ({}, "failed"),
    ],
)
def test_version(said, state):
    assert doctor.version(said).state == state


@pytest.mark.parametrize(
    ("prefix", "own", "state", "text"),
    [
        pytest.param("", "ambient", "ok", "PROJECT", id="each-as-its-project"),
        pytest.param("p-", "ambient", "ok", "p-PROJECT", id="behind-a-prefix"),
        pytest.param("", "lab", "warning", "platform's own", id="a-project-called-as-our-own"),
        pytest.param(f"p{'-' * 29}", "ambient", "ok", "PROJECT", id="a-long-prefix"),
        pytest.param("kube-", "ambient", "failed", "the cluster", id="a-prefix-of-the-clusters"),
    ],
)
def test_namespaces_that_no_session_may_run_in(db, monkeypatch, prefix, own, state, text):
    ProjectFactory(id="lab")
    monkeypatch.setattr(env, "NAMESPACE_PREFIX", prefix)
    monkeypatch.setattr(env, "NAMESPACE", own)
    found = doctor._namespaces()
    assert (found.state, text in found.text) == (state, True), found


def test_not_all_of_many_projects_are_named(db, monkeypatch):
    for number in range(7):
        ProjectFactory(id=f"kube-{number}")
    found = doctor._namespaces()
    assert (found.text.count("belongs to"), found.text.endswith(", and 2 more")) == (5, True)


@pytest.mark.parametrize(
    ("there", "states"),
    [
        pytest.param(None, [], id="no-pod"),
        pytest.param("ambient\n", [], id="as-it-says"),
        pytest.param("team", ["failed"], id="elsewhere"),
    ],
)
def test_a_pod_knows_its_own_namespace(tmp_path, monkeypatch, there, states):
    file = tmp_path / "namespace"
    if there is not None:
        file.write_text(there)
    monkeypatch.setattr(doctor, "OWN_NAMESPACE", file)
    monkeypatch.setattr(env, "NAMESPACE", "ambient")
    found = list(doctor._own_namespace())
    assert [each.state for each in found] == states
    assert all("AMBIENT_NAMESPACE=team" in each.todo for each in found)
