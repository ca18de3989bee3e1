"""Names that no project gets where projects are namespaces of a cluster."""

import pytest

from ambient import env


@pytest.mark.parametrize(
    ("runtime", "prefix", "name", "status"),
    [
        pytest.param("kubernetes", "", "default", 400, id="the-cluster's-default"),
        pytest.param("kubernetes", "", "kube-system", 400, id="the-cluster's-own"),
        pytest.param("kubernetes", "", "ambient", 400, id="the-platform's-own"),
        pytest.param("kubernetes", "team-", "x" * 60, 400, id="too-long-behind-the-prefix"),
        pytest.param("kubernetes", "team-", "default", 201, id="behind-a-prefix"),
        pytest.param("kubernetes", "", "kubernetes", 201, id="only-kube-with-a-dash"),
        pytest.param("process", "", "default", 201, id="without-a-cluster"),
    ],
)
def test_which_names_a_project_may_have(admin_client_wire, monkeypatch, runtime, prefix, name, status):
    monkeypatch.setattr(env, "RUNTIME", runtime)
    monkeypatch.setattr(env, "NAMESPACE_PREFIX", prefix)
    answer = admin_client_wire.call("POST", "/projects", {"name": name})
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["reason"].startswith(f"name cannot be {name}: the namespace ")
