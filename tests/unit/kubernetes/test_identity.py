"""Whom a TokenReview names, and which answers name nobody."""

import pytest

from reconciler.kubernetes.identity import POD_NAME, POD_UID, PodIdentity, reviewed

USER = {
    "username": "system:serviceaccount:lab:session-a-1",
    "extra": {POD_NAME: ["session-a-1"], POD_UID: ["u1"]},
}
GOOD = {"authenticated": True, "audiences": ["ambient-control-plane"], "user": USER}


def test_a_pods_token_names_its_pod():
    assert reviewed(GOOD) == PodIdentity("lab", "session-a-1", "session-a-1", "u1")


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({}, id="nothing"),
        pytest.param(GOOD | {"authenticated": False}, id="not-authenticated"),
        pytest.param(GOOD | {"audiences": ["https://kubernetes.default.svc"]}, id="for-the-cluster-itself"),
        pytest.param(GOOD | {"audiences": None}, id="for-nobody"),
        pytest.param(GOOD | {"user": USER | {"extra": {}}}, id="of-no-pod"),
        pytest.param(GOOD | {"user": USER | {"extra": {POD_NAME: ["p"]}}}, id="pod-without-uid"),
        pytest.param(GOOD | {"user": USER | {"username": "admin"}}, id="a-person"),
        pytest.param(GOOD | {"user": USER | {"username": "system:node:a:b"}}, id="a-node"),
        pytest.param(GOOD | {"user": None}, id="no-user"),
    ],
)
def test_an_answer_that_names_nobody(status):
    assert reviewed(status) is None
