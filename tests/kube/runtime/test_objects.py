"""The Kubernetes runtime against a real control plane, with the permissions of a worker and no more."""

import base64
import json
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from ambient import env
from projects_app.models import Project
from reconciler.errors import PermanentError, TemporaryError
from reconciler.kubernetes import namespaces
from reconciler.kubernetes.client import Cluster
from reconciler.kubernetes.names import MADE, MANAGED, PROJECT, object_name
from reconciler.models import WorkItem
from reconciler.projects import reconcile_project
from reconciler.runtimes.base import EVERY_ATTEMPT, SessionRef
from reconciler.runtimes.kubernetes import KubernetesRuntime
from reconciler.selectors import ref_of
from reconciler.workqueue import ask, claim_next
from sessions_app.choices import Reason
from sessions_app.models import Session
from tests.e2e.system import GENEROUS, eventually
from tests.kube.api import ApiError
from tests.kube.runtime.lab import Lab, make_session

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]

KINDS = ("serviceaccounts", "secrets", "networkpolicies", "pods", "services")
GONE_SECONDS = 20 * GENEROUS


def uids(lab):
    return {
        each["metadata"]["uid"] for kind in KINDS for each in lab.api.get(lab.path(kind))["items"]
        if "ambient-code.io/session-id" in each["metadata"].get("labels", {})
    }  # fmt: skip


def test_an_attempt_is_five_objects_of_one_name_and_the_account_owns_them(lab, session):
    Session.objects.filter(pk=session.pk).update(annotations='{"ambient-code.io/service": "true"}')
    ref = lab.apply(session)
    name = object_name(session.pk, 1)
    assert {kind: lab.names(kind) for kind in KINDS} == dict.fromkeys(KINDS, [name])
    account = lab.api.get(lab.path("serviceaccounts", name))
    for kind in KINDS[1:]:
        [owner] = lab.api.get(lab.path(kind, name))["metadata"]["ownerReferences"]
        assert owner["uid"] == account["metadata"]["uid"]
    data = lab.api.get(lab.path("secrets", name))["data"]
    document = json.loads(base64.b64decode(data["launch.json"]))
    assert (document["session_id"], document["attempt"]) == (session.pk, 1)
    assert "launch_token" not in document
    manager = {entry["manager"] for entry in account["metadata"]["managedFields"]}
    assert manager == {"ambient-control-plane"}
    observed = lab.runtime.observe(ref)
    assert (observed.exists, observed.attempt, observed.generation) == (True, 1, 1)
    assert lab.runtime.observe_many([ref])[ref.id].attempt == 1


def test_applied_twice_nothing_changes(lab, session):
    lab.apply(session)
    before = uids(lab)
    lab.apply(session)
    assert uids(lab) == before
    assert len(before) == 4  # no service was asked for


def test_fields_that_others_have_set_are_taken_back(lab, session):
    lab.apply(session)
    name = object_name(session.pk, 1)
    everywhere = {"spec": {"egress": [{}]}}
    lab.api.merge(lab.path("networkpolicies", name), everywhere)
    lab.apply(session)
    assert len(lab.api.get(lab.path("networkpolicies", name))["spec"]["egress"]) == 5


def test_why_no_node_takes_it_is_said(lab, session):
    ref = lab.apply(session)
    observed = eventually(
        lambda: (seen := lab.runtime.observe(ref)).reason == Reason.UNSCHEDULABLE and seen, "the scheduler"
    )
    assert observed.message.startswith("No node can take the pod: ")
    assert observed.look_again is None  # its pod, which is watched, tells the rest


def test_what_is_deleted_is_gone_and_nothing_else(lab, session):
    other = make_session()
    ref, kept = lab.apply(session), lab.apply(other)
    lab.runtime.delete(ref, 1)
    assert not lab.runtime.observe(ref).left
    name = object_name(other.pk, 1)
    for kind in KINDS[:4]:  # what the account owned is collected by the cluster
        eventually(lambda kind=kind: lab.names(kind) == [name], f"{kind} are collected", GONE_SECONDS)
    assert lab.runtime.observe(kept).exists
    lab.runtime.delete(ref, 1)  # again: nothing to do


def test_a_worker_whose_clock_is_ahead_ends_no_pod_by_force(lab, session, monkeypatch):
    ref = lab.apply(session)
    path = lab.path("pods", object_name(session.pk, 1))
    lab.api.merge(path, {"metadata": {"finalizers": ["test.example/held"]}})
    ahead, graces, delete = timezone.now() + timedelta(days=2), [], lab.runtime._cluster.delete
    monkeypatch.setattr(timezone, "now", lambda: ahead)

    def noted(path, uid, *, grace_seconds=None):
        graces.append(grace_seconds)
        delete(path, uid, grace_seconds=grace_seconds)

    monkeypatch.setattr(lab.runtime._cluster, "delete", noted)
    for _ in range(2):
        lab.runtime.delete(ref, 1)
    lab.api.merge(path, {"metadata": {"finalizers": None}})
    assert graces == [None]  # asked to end once, with its grace


def test_a_late_delete_does_not_reach_a_newer_attempt(lab, session):
    lab.apply(session, 1)
    ref = lab.apply(session, 2)
    assert lab.runtime.observe(ref).older_attempt == 1
    assert {(found.attempt) for found in lab.runtime.existing() if found.session_id == ref.id} == {1, 2}
    lab.runtime.delete(ref, 1)
    observed = lab.runtime.observe(ref)
    assert (observed.attempt, observed.older_attempt) == (2, 0)


def test_a_late_apply_is_refused(lab, session):
    ref = lab.apply(session, 2)
    with pytest.raises(TemporaryError, match="overtaken"):
        lab.runtime.apply(ref, {}, 1)
    assert lab.names("pods") == [object_name(session.pk, 2)]


def test_a_session_whose_project_nobody_knows_is_removed_by_its_labels(lab, session):
    ref = lab.apply(session)
    lab.runtime.delete(SessionRef(ref.id, "", purge=True), EVERY_ATTEMPT)
    assert not lab.runtime.observe(ref).left


def test_a_restored_database_finds_what_is_newer_than_it(lab, session):
    lab.apply(session, 7)
    Session.objects.filter(pk=session.pk).update(attempt=3)
    assert lab.runtime.observe(SessionRef(session.pk, "lab", attempt=3)).attempt == 7


FOREIGN = [
    pytest.param("serviceaccounts", {}, id="account"),
    pytest.param("secrets", {"stringData": {"mine": "x"}}, id="secret"),
    pytest.param("networkpolicies", {"spec": {"podSelector": {}}}, id="network-policy"),
    pytest.param(
        "pods",
        {
            "spec": {
                "nodeSelector": {"a": "b"},
                "containers": [
                    {
                        "name": "x",
                        "image": "x",
                        "securityContext": {
                            "runAsNonRoot": True,
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                            "seccompProfile": {"type": "RuntimeDefault"},
                        },
                    }
                ],
            }
        },
        id="pod",
    ),
]


@pytest.mark.parametrize(("kind", "body"), FOREIGN)
def test_a_foreign_object_of_the_same_name_is_left_alone(lab, session, kind, body):
    lab.apply(make_session())  # the namespace is there
    account = lab.path("serviceaccounts", "default")
    eventually(lambda: lab.api.exists(account), "the namespace's default account")
    name = object_name(session.pk, 1)
    lab.api.post(lab.path(kind), {"metadata": {"name": name}, **body})
    before = lab.api.get(lab.path(kind, name))["metadata"]
    with pytest.raises(PermanentError, match=name) as refused:
        lab.apply(session)
    assert refused.value.reason == Reason.OBJECT_NOT_OURS
    after = lab.api.get(lab.path(kind, name))["metadata"]
    assert (after["uid"], after.get("labels")) == (before["uid"], before.get("labels"))


class Overtaken(Cluster):
    """Somebody is quicker to make a Secret, and takes it away before it is looked at, as often as told."""

    def __init__(self, kubeconfig, api, times):
        super().__init__(kubeconfig)
        self.api, self.times = api, times

    def create(self, path, manifest):
        if not path.endswith("/secrets") or not self.times:
            return super().create(path, manifest)
        self.times -= 1
        name = manifest["metadata"]["name"]
        self.api.post(path, {"metadata": {"name": name}})
        try:
            return super().create(path, manifest)
        finally:
            self.api.delete(f"{path}/{name}")


def overtaken(lab, identities, times):
    """The same with others about."""
    return Lab(KubernetesRuntime(Overtaken(identities["worker"], lab.api, times)), lab.api)


def launched(lab, session):
    data = lab.api.get(lab.path("secrets", object_name(session.pk, 1)))["data"]
    return base64.b64decode(data["launch.json"]).decode()


def test_a_write_that_meets_a_conflict_looks_again(lab, session, identities):
    overtaken(lab, identities, times=1).apply(session)
    assert json.loads(launched(lab, session))["session_id"] == session.pk


def test_writes_that_all_meet_a_conflict_are_for_later(lab, session, identities):
    with pytest.raises(TemporaryError, match="keep changing"):
        overtaken(lab, identities, times=1000).apply(session)
    assert lab.names("pods") == []
    lab.apply(session)
    assert json.loads(launched(lab, session))["session_id"] == session.pk


def test_what_somebody_has_changed_of_ours_is_brought_back(lab, session):
    lab.apply(session)
    path = lab.path("secrets", object_name(session.pk, 1))
    before = lab.api.get(path)["metadata"]["uid"]
    lab.api.merge(path, {"stringData": {"launch.json": "theirs"}})
    lab.apply(session)
    assert json.loads(launched(lab, session))["session_id"] == session.pk
    assert lab.api.get(path)["metadata"]["uid"] == before


@contextmanager
def dead_webhook(lab):
    """New pods of the lab are shown to a webhook that nobody serves, from when the API server knows of it."""
    kind = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    made = ["pods", "configmaps"]
    webhook = {
        "name": "dead.example.com",
        "clientConfig": {"url": "https://127.0.0.1:9/"},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": made}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": lab.namespace}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    configuration = lab.api.post(kind, {"metadata": {"generateName": "dead-"}, "webhooks": [webhook]})

    def is_asked():
        try:
            lab.api.post(lab.path("configmaps"), {"metadata": {"generateName": "probe-"}})
        except ApiError:
            return True
        return False

    try:
        eventually(is_asked, "the webhook is asked")
        yield
    finally:
        lab.api.delete(f"{kind}/{configuration['metadata']['name']}")
        eventually(lambda: not is_asked(), "it is asked no more")


def test_a_webhook_that_nobody_serves_is_told_in_the_clusters_words(lab, session):
    lab.apply(make_session())  # the namespace is there
    with dead_webhook(lab), pytest.raises(TemporaryError, match="failed calling webhook") as refused:
        lab.apply(session)
    assert refused.value.reason == Reason.CLUSTER_UNREACHABLE
    seen = lab.runtime.observe(ref_of(session))
    assert (seen.exists, seen.attempt) == (False, 1)  # all but its pod is there, and goes on
    lab.apply(session)
    assert lab.runtime.observe(ref_of(session)).exists


def make_namespace(lab, labels=None, **metadata):
    body = {"metadata": {"name": lab.namespace, "labels": labels or {}, **metadata}}
    return lab.api.post("/api/v1/namespaces", body)


LENT = {MANAGED: "true", PROJECT: "lab"}


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        pytest.param({}, "somebody else's. To lend it", id="no-labels"),
        pytest.param({MANAGED: "true"}, "somebody else's. To lend it", id="managed-and-no-project"),
        pytest.param(
            LENT | {PROJECT: "other"}, "for the project other. Set AMBIENT_NAME", id="of-another-project"
        ),
        pytest.param(
            LENT | {"ambient-code.io/installation": "x"},
            "another installation's. Set AMBIENT_NAME",
            id="of-another-platform",
        ),
    ],
)
def test_a_foreign_namespace_is_not_used(lab, session, labels, said):
    make_namespace(lab, labels)
    with pytest.raises(PermanentError, match=said) as refused:
        lab.apply(session)
    assert refused.value.reason == Reason.NAMESPACE_NOT_OURS
    assert lab.names("serviceaccounts") == []
    assert lab.runtime.end_project("lab") is None
    assert lab.api.get(f"/api/v1/namespaces/{lab.namespace}")["status"]["phase"] == "Active"


def test_a_lent_namespace_is_used_and_stays(lab, session):
    make_namespace(lab, LENT)
    lab.apply(session)
    assert lab.runtime.end_project("lab") is None
    assert lab.api.get(f"/api/v1/namespaces/{lab.namespace}")["status"]["phase"] == "Active"


def test_our_namespace_goes_with_its_project(lab, session):
    lab.apply(session)
    found = lab.api.get(f"/api/v1/namespaces/{lab.namespace}")["metadata"]
    assert found["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert found["annotations"][MADE]
    eventually(lambda: lab.runtime.end_project("lab") is None, "the namespace is gone", GONE_SECONDS)
    assert not lab.api.exists(f"/api/v1/namespaces/{lab.namespace}")


def test_a_namespace_that_cannot_end_says_why_and_takes_no_session(lab, session):
    lab.apply(session)
    path = f"/api/v1/namespaces/{lab.namespace}"
    held = {"metadata": {"name": "held", "finalizers": ["example.com/never"]}}
    lab.api.post(lab.path("configmaps"), held)

    def says_what_holds_it():
        return "example.com/never" in (lab.runtime.end_project("lab") or "")

    eventually(says_what_holds_it, "it says what holds it", GONE_SECONDS)
    with pytest.raises(TemporaryError, match="still being deleted") as refused:
        lab.apply(make_session())
    assert refused.value.reason == Reason.WAITING
    lab.api.merge(lab.path("configmaps", "held"), {"metadata": {"finalizers": None}})
    eventually(lambda: not lab.api.exists(path), "the namespace is gone", GONE_SECONDS)
    lab.apply(session, 2)
    assert lab.names("pods") == [object_name(session.pk, 2)]


@pytest.mark.parametrize("name", ["default", "kube-system", "ambient"])
def test_namespaces_of_the_cluster_and_our_own_take_no_session(lab, session, monkeypatch, name):
    Project.objects.create(id=name)
    made = make_session(name)
    monkeypatch.setattr(env, "NAMESPACE_PREFIX", "")
    with pytest.raises(PermanentError) as refused:
        lab.apply(made)
    assert refused.value.reason == Reason.NAMESPACE_NOT_OURS


def test_a_project_ends_with_its_namespace(lab, session, monkeypatch):
    monkeypatch.setattr("reconciler.projects.runtime_for", lambda: lab.runtime)
    lab.apply(session)
    Project.objects.filter(pk="lab").update(deleted_at="2026-01-01T00:00:00Z")
    Session.objects.update(desired_state="deleted", deleted_at="2026-01-01T00:00:00Z")
    WorkItem.objects.all().delete()
    ask("project", "lab", "lab", urgent=True)

    def pass_is_done():
        try:
            return reconcile_project(claim).requeue_after is None
        except TemporaryError:
            return False

    claim = claim_next()
    eventually(pass_is_done, "the namespace is gone", GONE_SECONDS)
    assert not lab.api.exists(f"/api/v1/namespaces/{lab.namespace}")


def test_a_used_up_quota_is_waited_for(lab, session):
    make_namespace(lab, LENT)
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    lab.api.post(lab.path("resourcequotas"), quota)
    eventually(
        lambda: "hard" in lab.api.get(lab.path("resourcequotas", "none"))["status"], "the quota counts"
    )
    with pytest.raises(TemporaryError, match="exceeded quota: none") as refused:
        lab.apply(session)
    assert (refused.value.reason, bool(refused.value.delay)) == (Reason.QUOTA_EXCEEDED, True)
    ref = SessionRef(session.pk, "lab", attempt=1)
    observed = lab.runtime.observe(ref)
    assert (observed.exists, observed.left) == (False, True)  # an account, which is removed
    lab.api.delete(lab.path("resourcequotas", "none"))
    lab.apply(session, 2)


def test_starts_that_come_at_once_look_at_their_namespace_once(lab, session, monkeypatch):
    monkeypatch.setattr(namespaces, "KNOWN_SECONDS", 60.0)
    looks, look = [], lab.runtime._cluster.list
    monkeypatch.setattr(
        lab.runtime._cluster, "list", lambda path, **query: looks.append(path) or look(path, **query)
    )
    for started in (session, make_session(), make_session()):
        lab.apply(started)
    assert looks == [lab.path("limitranges")]


def test_a_namespace_that_has_gone_since_the_last_look_is_made_again(lab, session, monkeypatch):
    monkeypatch.setattr(namespaces, "KNOWN_SECONDS", 60.0)
    lab.apply(session)
    path = f"/api/v1/namespaces/{lab.namespace}"
    lab.api.delete(path)
    eventually(lambda: not lab.api.exists(path), "the namespace is gone", GONE_SECONDS)
    lab.apply(session, 2)
    assert lab.names("pods") == [object_name(session.pk, 2)]


BOUNDS = {"type": "Container", "max": {"memory": "1Gi"}, "default": {"cpu": "300m"}}


def test_a_limit_range_is_respected(lab, session):
    make_namespace(lab, LENT)
    lab.api.post(lab.path("limitranges"), {"metadata": {"name": "l"}, "spec": {"limits": [BOUNDS]}})
    lab.apply(session)
    [container] = lab.api.get(lab.path("pods", object_name(session.pk, 1)))["spec"]["containers"]
    assert container["resources"]["limits"] == {
        "cpu": "300m",
        "memory": "1Gi",
        "ephemeral-storage": "30Gi",
    }


def test_a_wish_beyond_the_limit_range_fails_in_its_own_words(lab):
    make_namespace(lab, LENT)
    lab.api.post(lab.path("limitranges"), {"metadata": {"name": "l"}, "spec": {"limits": [BOUNDS]}})
    greedy = make_session(resource_overrides='{"limits": {"memory": "9Gi"}}')
    with pytest.raises(PermanentError, match="maximum memory usage per Container is 1Gi") as refused:
        lab.apply(greedy)
    assert refused.value.reason == Reason.CONFIG_INVALID


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{", "not JSON", id="no-json"),
        pytest.param('{"limits": {"memory": "much"}}', "limits.memory", id="no-quantity"),
        pytest.param('{"limit": {"memory": "1Gi"}}', "'limit' is none of", id="unknown-group"),
    ],
)
def test_amounts_that_cannot_be_read_fail_the_session(lab, text, said):
    made = make_session()
    Session.objects.filter(pk=made.pk).update(resource_overrides=text)
    with pytest.raises(PermanentError, match=said):
        lab.apply(made)


def test_a_missing_permission_is_said_and_waited_for(lab, session, cluster):
    nobody = str(cluster.least_privilege([], "ambient/nobody"))
    lab.runtime = KubernetesRuntime(Cluster(nobody))
    with pytest.raises(TemporaryError, match='cannot get resource "namespaces"') as refused:
        lab.apply(session)
    assert refused.value.reason == Reason.CREDENTIAL_REJECTED


def test_credentials_that_nobody_knows_are_said_and_waited_for(lab, session, cluster):
    unknown = str(cluster.write_kubeconfig("unknown", {"token": "nobody's"}))
    with pytest.raises(TemporaryError, match="does not know the platform's credentials") as refused:
        KubernetesRuntime(Cluster(unknown)).observe(SessionRef(session.pk, "lab"))
    assert refused.value.reason == Reason.CREDENTIAL_REJECTED


@pytest.mark.parametrize(
    "file",
    [
        pytest.param("/nowhere/kubeconfig", id="no-file"),
        pytest.param("/dev/null", id="empty-file"),
        pytest.param("/bin/sh", id="another-file"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_is_no_crash(lab, file):
    with pytest.raises(TemporaryError, match="AMBIENT_KUBECONFIG"):
        KubernetesRuntime(Cluster(file)).existing().__next__()
