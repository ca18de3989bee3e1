"""POST /token on a cluster: whose token gets a session token, and until when that is good."""

import json
from datetime import UTC, datetime

import jwt
import pytest
from django.test import Client

from ambient import env
from ambient.common.exceptions import Unauthenticated
from reconciler.kubernetes.client import Cluster
from reconciler.kubernetes.names import TOKEN_AUDIENCE, object_name
from reconciler.launch import launch_document
from reconciler.runtimes.kubernetes import KubernetesRuntime
from sessions_app.models import Session
from sessions_app.tokens import saving_runner_identity, session_token_identity
from tests.kube.runtime.lab import make_session

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300), pytest.mark.urls("reconciler.urls")]


@pytest.fixture(autouse=True)
def control_plane(lab, identities, monkeypatch):
    """The endpoint has the permissions of the control plane, no more."""
    runtime = KubernetesRuntime(Cluster(identities["control-plane"]))
    monkeypatch.setattr("reconciler.views.runtime_for", lambda: runtime)


@pytest.fixture
def running(lab, session):
    lab.apply(session, 3)
    Session.objects.filter(pk=session.pk).update(phase="Running")
    session.refresh_from_db()
    return session


def token_of(lab, session, attempt=3, *, audience=TOKEN_AUDIENCE, bound="Pod"):
    """As a kubelet asks for it."""
    name = object_name(session.pk, attempt)
    spec = {"expirationSeconds": 600, "audiences": [audience] if audience else []}
    if bound == "Pod":
        uid = lab.api.get(lab.path("pods", name))["metadata"]["uid"]
        spec["boundObjectRef"] = {"apiVersion": "v1", "kind": "Pod", "name": name, "uid": uid}
    found = lab.api.post(f"{lab.path('serviceaccounts', name)}/token", {"spec": spec})
    return found["status"]["token"]


def ask(session, bearer, **changes):
    body = {"session_id": session.pk, "generation": 1, "attempt": 3, "instance": "abc"} | changes
    headers = {"Authorization": f"Bearer {bearer}"}
    return Client(headers=headers).post("/token", json.dumps(body), content_type="application/json")


def test_a_pods_own_token_gets_one_for_five_minutes_and_again(lab, running):
    token = token_of(lab, running)
    for _ in range(2):  # a renewal is the same call
        answer = ask(running, token)
        assert answer.status_code == 200
        assert session_token_identity(answer.json()["token"]).session_id == running.pk
        left = datetime.fromisoformat(answer.json()["expires_at"]) - datetime.now(UTC)
        assert 240 < left.total_seconds() <= 300


@pytest.mark.parametrize(
    "bearer",
    [
        pytest.param(lambda lab, s: "x", id="no-token"),
        pytest.param(
            lambda lab, s: launch_document(s, generation=1, attempt=3)["launch_token"],
            id="a-launch-token-which-a-pod-could-make",
        ),
        pytest.param(lambda lab, s: token_of(lab, s, audience=None), id="a-token-for-the-cluster"),
        pytest.param(lambda lab, s: token_of(lab, s, audience="other"), id="a-token-for-others"),
        pytest.param(lambda lab, s: token_of(lab, s, bound=None), id="a-token-of-no-pod"),
        pytest.param(lambda lab, s: other_token(lab), id="another-session's-pod"),
        pytest.param(lambda lab, s: older_token(lab, s), id="an-older-attempt's-pod"),
        pytest.param(lambda lab, s: deleted_token(lab, s), id="a-pod-that-is-gone"),
        pytest.param(lambda lab, s: relabelled_token(lab, s), id="a-pod-that-is-not-labelled-ours"),
    ],
)
def test_what_proves_nothing(lab, running, bearer):
    answer = ask(running, bearer(lab, running))
    assert answer.status_code == 401
    assert answer.json()["kind"] == "Error"


def test_a_generation_that_is_not_its_pods_proves_nothing(lab, running):
    Session.objects.filter(pk=running.pk).update(generation=2)
    assert ask(running, token_of(lab, running), generation=2).status_code == 401


def test_a_pod_that_is_ending_may_still_save_its_files(lab, running, monkeypatch):
    monkeypatch.setattr(env, "WORKSPACE", "snapshot")
    token = token_of(lab, running)
    Session.objects.filter(pk=running.pk).update(desired_state="stopped", generation=2, phase="Stopping")
    assert ask(running, token).status_code == 403
    answer = ask(running, token, purpose="save")
    assert saving_runner_identity(answer.json()["token"]).session_id == running.pk
    with pytest.raises(Unauthenticated):
        session_token_identity(answer.json()["token"])


@pytest.mark.parametrize(("seconds", "status"), [(60, 200), (-60, 401)])
def test_a_pods_token_is_worth_something_until_its_end(lab, running, cluster, seconds, status):
    """The cluster makes none for less than ten minutes, so it is signed with the cluster's own key."""
    given = token_of(lab, running)
    claims = jwt.decode(given, options={"verify_signature": False})
    now = int(datetime.now(UTC).timestamp())
    claims |= {"iat": now - 600, "nbf": now - 600, "exp": now + seconds}
    header = jwt.get_unverified_header(given)
    key = (cluster.folder / "tokens.key").read_text()
    signed = jwt.encode(claims, key, algorithm=header["alg"], headers={"kid": header["kid"]})
    assert ask(running, signed).status_code == status


def other_token(lab):
    other = make_session()
    lab.apply(other, 3)
    return token_of(lab, other)


def older_token(lab, session):
    lab.apply(session, 2)
    token = token_of(lab, session, 2)
    Session.objects.filter(pk=session.pk).update(attempt=3)
    return token


def deleted_token(lab, session):
    token = token_of(lab, session)
    lab.api.delete(lab.path("pods", object_name(session.pk, 3)), {"gracePeriodSeconds": 0})
    return token


def relabelled_token(lab, session):
    token = token_of(lab, session)
    labels = {"metadata": {"labels": {"ambient-code.io/session-id": "another"}}}
    lab.api.merge(lab.path("pods", object_name(session.pk, 3)), labels)
    return token


NO_LONGER = [
    pytest.param({"desired_state": "stopped", "generation": 2}, id="stopped"),
    pytest.param({"generation": 2}, id="started-again"),
    pytest.param({"attempt": 4}, id="restarted"),
    pytest.param({"phase": "Failed"}, id="failed"),
    pytest.param({"desired_state": "deleted", "deleted_at": "2026-01-01T00:00:00Z"}, id="deleted"),
]


@pytest.mark.parametrize("row", NO_LONGER)
def test_a_runner_that_is_not_wanted_gets_nothing_and_what_it_has_is_worthless(lab, running, row):
    token = token_of(lab, running)
    issued = ask(running, token).json()["token"]
    Session.objects.filter(pk=running.pk).update(**row)
    assert ask(running, token).status_code == 403
    with pytest.raises(Unauthenticated):
        session_token_identity(issued)


def test_a_cluster_that_cannot_be_asked_is_for_later(lab, running, cluster, monkeypatch):
    token = token_of(lab, running)
    nobody = KubernetesRuntime(Cluster(str(cluster.least_privilege([], "ambient/nobody"))))
    monkeypatch.setattr("reconciler.views.runtime_for", lambda: nobody)
    answer = ask(running, token)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert token not in answer.content.decode()
