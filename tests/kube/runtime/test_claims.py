"""Volume claims of sessions: made once, kept through attempts, gone with the session alone."""

from dataclasses import replace

import pytest

from ambient import env
from reconciler.errors import PermanentError
from reconciler.kubernetes.names import claim_name, object_name
from sessions_app.choices import Reason
from tests.e2e.system import GENEROUS, eventually
from tests.kube.runtime.lab import make_session

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]

CLAIMS = "persistentvolumeclaims"
GONE_SECONDS = 20 * GENEROUS


@pytest.fixture(autouse=True)
def on_claims(monkeypatch, settings_of_pods):
    monkeypatch.setattr(env, "WORKSPACE", "pvc")


def test_all_attempts_of_a_session_have_one_claim(lab, session):
    lab.apply(session, 1)
    name = claim_name(session.pk)
    before = lab.api.get(lab.path(CLAIMS, name))["metadata"]
    assert "ownerReferences" not in before
    ref = lab.apply(session, 2)
    lab.runtime.delete(ref, 2)
    assert not lab.runtime.observe(ref).left
    assert lab.api.get(lab.path(CLAIMS, name))["metadata"]["uid"] == before["uid"]
    [found] = [each for each in lab.runtime.existing() if each.session_id == session.pk]
    assert (found.attempt, found.objects) == (0, (name,))


def test_a_deleted_sessions_claim_is_seen_until_it_is_gone(lab, session):
    other = make_session()
    lab.apply(other)
    ref = replace(lab.apply(session), purge=True)
    name = claim_name(session.pk)
    assert f"PersistentVolumeClaim/{name}" in lab.runtime.observe(ref).objects
    eventually(lambda: not lab.runtime.delete(ref, 1) and not lab.runtime.observe(ref).objects, "all is gone")
    eventually(lambda: lab.names(CLAIMS) == [claim_name(other.pk)], "its claim, and no other", GONE_SECONDS)


def test_the_pod_is_on_the_claim(lab, session):
    lab.apply(session)
    volumes = lab.api.get(lab.path("pods", object_name(session.pk, 1)))["spec"]["volumes"]
    assert volumes[0] == {
        "name": "workspace",
        "persistentVolumeClaim": {"claimName": claim_name(session.pk)},
    }


def test_a_foreign_claim_is_left_alone(lab, session):
    lab.apply(make_session())  # the namespace is there
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    lab.api.post(lab.path(CLAIMS), {"metadata": {"name": claim_name(session.pk)}, "spec": spec})
    with pytest.raises(PermanentError, match="not this session's") as refused:
        lab.apply(session)
    assert refused.value.reason == Reason.OBJECT_NOT_OURS
