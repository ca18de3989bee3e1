"""What a cluster's answers mean: who waits, who fails, and what people read."""

from socket import gaierror

import pytest
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from reconciler.errors import PermanentError, TemporaryError
from reconciler.kubernetes.errors import Conflict, Gone, refusal, silence
from sessions_app.choices import Reason

R = Reason
QUOTA = 'pods "x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3'
RBAC = 'pods is forbidden: User "u" cannot create resource "pods" in API group "" in the namespace "lab"'
LIMIT = 'pods "x" is forbidden: maximum cpu usage per Container is 1, but limit is 9'
SECURITY = 'pods "x" is forbidden: violates PodSecurity "restricted:latest": privileged'
PATH = 'forbidden: User "u" cannot get path "/version"'
WEBHOOK = 'admission webhook "w.example" denied the request: a pod cannot use image "x" of resource "y"'
ENDING = 'pods "x" is forbidden: unable to create new content in namespace lab because it is being terminated'

NOT_READY = 'serviceaccounts "x" is forbidden: not yet ready to handle request'
NO_USAGE = 'pods "x" is forbidden: status unknown for quota: q, resources: pods'
NO_ACCOUNT = 'pods "x" is forbidden: error looking up service account lab/x: serviceaccount "x" not found'
NOT_LOADED = f'{RBAC}: RBAC: [clusterrole.rbac.authorization.k8s.io "ambient-worker" not found]'


def test_roles_that_an_api_server_has_not_read_yet_are_asked_for_sooner():
    started, refused = refusal(403, NOT_LOADED), refusal(403, RBAC)
    assert (started.reason, started.delay < refused.delay) == (refused.reason, True)


@pytest.mark.parametrize(
    ("status", "said", "kind", "reason"),
    [
        pytest.param(401, "Unauthorized", TemporaryError, R.CREDENTIAL_REJECTED, id="unknown-credentials"),
        pytest.param(403, RBAC, TemporaryError, R.CREDENTIAL_REJECTED, id="missing-permission"),
        pytest.param(403, PATH, TemporaryError, R.CREDENTIAL_REJECTED, id="missing-permission-on-a-path"),
        pytest.param(403, WEBHOOK, PermanentError, R.CONFIG_INVALID, id="webhook-in-similar-words"),
        pytest.param(403, QUOTA, TemporaryError, R.QUOTA_EXCEEDED, id="quota"),
        pytest.param(403, ENDING, TemporaryError, R.WAITING, id="namespace-ends"),
        pytest.param(403, NOT_READY, TemporaryError, R.CLUSTER_UNREACHABLE, id="admission-not-ready"),
        pytest.param(403, NO_USAGE, TemporaryError, R.CLUSTER_UNREACHABLE, id="quota-not-counted-yet"),
        pytest.param(403, NO_ACCOUNT, TemporaryError, R.CLUSTER_UNREACHABLE, id="account-not-known-yet"),
        pytest.param(403, LIMIT, PermanentError, R.CONFIG_INVALID, id="limit-range"),
        pytest.param(403, SECURITY, PermanentError, R.CONFIG_INVALID, id="pod-security"),
        pytest.param(422, "Invalid value", PermanentError, R.CONFIG_INVALID, id="invalid"),
        pytest.param(
            500,
            "failed to create typed patch object (lab/s): .spec.timeout: expected numeric",
            PermanentError,
            R.CONFIG_INVALID,
            id="not-of-the-schema's-type",
        ),
        pytest.param(400, "strict decoding", PermanentError, R.CONFIG_INVALID, id="not-understood"),
        pytest.param(404, 'namespaces "lab" not found', TemporaryError, R.WAITING, id="namespace-went"),
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


def test_what_a_cluster_cannot_do_is_said_in_its_words():
    said = 'Internal error occurred: failed calling webhook "w.example": no endpoints available'
    assert said in refusal(500, said).message
    assert "does not say why" in refusal(503, "").message


def test_what_a_cluster_says_is_shortened():
    assert len(refusal(422, "x" * 10_000).message) < 500


@pytest.mark.parametrize(
    ("exc", "said"),
    [
        pytest.param(ReadTimeoutError(None, "/", "x"), "it is too slow", id="late"),
        pytest.param(ConnectTimeoutError("x"), "it takes no connection in time", id="no-connection-in-time"),
        pytest.param(NewConnectionError(None, "x"), "it takes no connection", id="refused"),
        pytest.param(NameResolutionError("h", None, gaierror()), "nobody knows its name", id="no-name"),
        pytest.param(ProtocolError("x"), "the connection broke off", id="broken-off"),
        pytest.param(SSLError("x"), "no secure connection", id="certificate"),
        pytest.param(OSError("x"), "the connection failed", id="anything-else"),
    ],
)
def test_a_silence_is_told_in_plain_words(exc, said):
    error = silence(exc)
    assert error.reason == R.CLUSTER_UNREACHABLE
    assert error.message == f"The cluster does not answer ({said}); trying again."
