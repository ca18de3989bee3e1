"""What a cluster's answers mean: who waits, who fails, and what people read."""

import pytest

from reconciler.errors import PermanentError, TemporaryError
from reconciler.kubernetes.errors import Conflict, Gone, refusal
from sessions_app.choices import Reason

R = Reason
QUOTA = 'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3'
RBAC = 'pods is forbidden: User "u" cannot create resource "pods" in API group "" in the namespace "lab"'
LIMIT = 'pods "x" is forbidden: maximum cpu usage per Container is 1, but limit is 9'
SECURITY = 'pods "x" is forbidden: violates PodSecurity "restricted:latest": privileged'
ENDING = 'pods "x" is forbidden: unable to create new content in namespace lab because it is being terminated'


@pytest.mark.parametrize(
    ("status", "said", "kind", "reason"),
    [
        pytest.param(401, "Unauthorized", TemporaryError, R.CREDENTIAL_REJECTED, id="unknown-credentials"),
        pytest.param(403, RBAC, TemporaryError, R.CREDENTIAL_REJECTED, id="missing-permission"),
        pytest.param(403, QUOTA, TemporaryError, R.QUOTA_EXCEEDED, id="quota"),
        pytest.param(403, ENDING, TemporaryError, R.WAITING, id="namespace-ends"),
        pytest.param(403, LIMIT, PermanentError, R.CONFIG_INVALID, id="limit-range"),
        pytest.param(403, SECURITY, PermanentError, R.CONFIG_INVALID, id="pod-security"),
        pytest.param(422, "Invalid value", PermanentError, R.CONFIG_INVALID, id="invalid"),
        pytest.param(400, "strict decoding", PermanentError, R.CONFIG_INVALID, id="not-understood"),
        pytest.param(409, "object is being deleted: x", TemporaryError, R.WAITING, id="still-ending"),
        pytest.param(429, "later", TemporaryError, R.CLUSTER_UNREACHABLE, id="too-many"),
        pytest.param(500, "etcd", TemporaryError, R.CLUSTER_UNREACHABLE, id="broken"),
        pytest.param(503, "", TemporaryError, R.CLUSTER_UNREACHABLE, id="away"),
        pytest.param(504, "", TemporaryError, R.CLUSTER_UNREACHABLE, id="late"),
    ],
)
def test_what_an_answer_means(status, said, kind, reason):
    error = refusal(status, said)
    assert isinstance(error, kind)
    assert error.reason == reason
    assert kind is PermanentError or error.delay


@pytest.mark.parametrize(
    ("status", "kind"), [pytest.param(409, Conflict, id="conflict"), pytest.param(410, Gone, id="too-old")]
)
def test_what_the_caller_decides(status, kind):
    assert isinstance(refusal(status, "x"), kind)


def test_what_a_cluster_says_is_shortened():
    assert len(refusal(422, "x" * 10_000).message) < 500
