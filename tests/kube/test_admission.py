"""What the cluster refuses who has the token of the worker, by just the chart's RBAC and policies."""

import secrets
from copy import deepcopy
from dataclasses import replace

import pytest

from reconciler.kubernetes import manifests
from reconciler.operator import resources
from tests.e2e.system import eventually
from tests.kube.access import ensure_namespace
from tests.kube.api import ApiError
from tests.kube.helm import Helm
from tests.kube.release import accounts
from tests.unit.kubernetes.test_manifests import SITE, WANTED

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]

NAMESPACES = "/api/v1/namespaces"
MANAGED = {"ambient-code.io/managed": "true"}
ENFORCE = "pod-security.kubernetes.io/enforce"
VERSION = f"{ENFORCE}-version"


@pytest.fixture(scope="module")
def admin(cluster):
    api = cluster.api()
    yield api
    api.close()


@pytest.fixture(scope="module")
def place(admin, namespace_prefix):
    """The platform's own namespace."""
    name = f"{namespace_prefix}own"
    ensure_namespace(admin, name)
    yield name
    admin.delete(f"{NAMESPACES}/{name}")


@pytest.fixture(scope="module")
def helm_of_all(kube_programs, tmp_path_factory):
    return Helm(kube_programs / "helm", tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def lent(admin, namespace_prefix):
    """A namespace that somebody lends to a project, and that takes any pod."""
    name = f"{namespace_prefix}lent"
    admin.post(NAMESPACES, {"metadata": {"name": name, "labels": MANAGED}})
    yield name
    admin.delete(f"{NAMESPACES}/{name}")


@pytest.fixture(scope="module")
def worker(helm_of_all, cluster, place, lent):
    with accounts(helm_of_all, cluster, place) as as_process:
        api = as_process("worker")
        eventually(lambda: refusal(api.apply, pod(lent, host_pid), dry_run=True), "the policy for pods holds")
        yield api


@pytest.fixture
def fresh(admin, namespace_prefix):
    """A name for a namespace, which goes afterwards."""
    name = f"{namespace_prefix}{secrets.token_hex(3)}"
    yield name
    if admin.exists(f"{NAMESPACES}/{name}"):
        admin.delete(f"{NAMESPACES}/{name}")


def refusal(call, *arguments, **options):
    """What our policies say to it; nothing when they let it pass."""
    try:
        call(*arguments, **options)
    except ApiError as exc:
        if "ValidatingAdmissionPolicy" in str(exc):
            return str(exc)
        raise
    return ""


def namespace(name, labels=None, without=()):
    """As we make it, but for these labels."""
    made = manifests.namespace(SITE, name, "lab")
    found = made["metadata"]["labels"] | (labels or {})
    made["metadata"]["labels"] = {key: value for key, value in found.items() if key not in without}
    return made


def pod(where, change=lambda spec, container: None):
    """A runner as we make it, but for its name and one change."""
    made = deepcopy(manifests.pod(SITE, replace(WANTED, namespace=where)))
    made["metadata"]["name"] = f"pod-{secrets.token_hex(3)}"
    made["spec"]["serviceAccountName"] = "default"
    change(made["spec"], made["spec"]["containers"][0])
    return made


def host_pid(spec, container):
    del spec["shareProcessNamespace"]
    spec["hostPID"] = True


def set_on_pod(**fields):
    return lambda spec, container: spec.update(fields)


def set_on_container(**fields):
    return lambda spec, container: container.update(fields)


def pod_context(**fields):
    return lambda spec, container: spec["securityContext"].update(fields)


def context(**fields):
    return lambda spec, container: container["securityContext"].update(fields)


def volume(**source):
    return lambda spec, container: spec["volumes"].append({"name": "more", **source})


def in_init_container(**fields):
    def change(spec, container):
        first = {"name": "first", "image": "x", "securityContext": dict(container["securityContext"])}
        first["securityContext"].update(fields)
        spec["initContainers"] = [first]

    return change


def without_context(spec, container):
    del container["securityContext"]


def without_pod_context(spec, container):
    del spec["securityContext"]


NODE = "no part in its node"
VOLUMES = "only volumes of the kinds"
USER = "needs runAsNonRoot"
PRIVILEGES = "has no privileges"
CAPABILITIES = "drops the capabilities ALL"
CONFINED = "keeps what confines it"
TOKEN = "no token but that"  # noqa: S105 - a part of a message
api_token = {"serviceAccountToken": {"path": "token"}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(host_pid, NODE, id="processes-of-the-node"),
        pytest.param(set_on_pod(hostIPC=True), NODE, id="memory-of-the-node"),
        pytest.param(set_on_pod(hostNetwork=True), NODE, id="network-of-the-node"),
        pytest.param(
            set_on_container(ports=[{"containerPort": 8001, "hostPort": 8001}]), NODE, id="port-of-the-node"
        ),
        pytest.param(volume(hostPath={"path": "/"}), VOLUMES, id="files-of-the-node"),
        pytest.param(volume(csi={"driver": "any.example"}), VOLUMES, id="volume-of-a-driver"),
        pytest.param(volume(nfs={"server": "10.0.0.9", "path": "/"}), VOLUMES, id="volume-of-the-network"),
        pytest.param(pod_context(runAsNonRoot=False), USER, id="may-be-root"),
        pytest.param(pod_context(runAsUser=0), USER, id="root"),
        pytest.param(without_pod_context, USER, id="whatever-user-the-image-says"),
        pytest.param(context(runAsNonRoot=False), USER, id="container-may-be-root"),
        pytest.param(context(runAsUser=0), USER, id="container-is-root"),
        pytest.param(in_init_container(runAsUser=0), USER, id="init-container-is-root"),
        pytest.param(
            context(privileged=True, allowPrivilegeEscalation=True), PRIVILEGES, id="privileged-container"
        ),
        pytest.param(context(allowPrivilegeEscalation=True), PRIVILEGES, id="more-privileges-later"),
        pytest.param(context(allowPrivilegeEscalation=None), PRIVILEGES, id="nothing-about-privileges"),
        pytest.param(
            in_init_container(privileged=True, allowPrivilegeEscalation=True),
            PRIVILEGES,
            id="privileged-init-container",
        ),
        pytest.param(without_context, PRIVILEGES, id="container-without-a-context"),
        pytest.param(context(capabilities={"drop": ["NET_RAW"]}), CAPABILITIES, id="some-capabilities"),
        pytest.param(
            context(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}), CAPABILITIES, id="one-capability"
        ),
        pytest.param(in_init_container(capabilities={}), CAPABILITIES, id="init-container-with-capabilities"),
        pytest.param(pod_context(seccompProfile={"type": "Unconfined"}), CONFINED, id="no-seccomp"),
        pytest.param(
            context(seccompProfile={"type": "Unconfined"}), CONFINED, id="container-without-seccomp"
        ),
        pytest.param(context(appArmorProfile={"type": "Unconfined"}), CONFINED, id="no-apparmor"),
        pytest.param(pod_context(seLinuxOptions={"type": "spc_t"}), CONFINED, id="another-selinux-type"),
        pytest.param(
            pod_context(sysctls=[{"name": "kernel.msgmax", "value": "1"}]), CONFINED, id="kernel-parameters"
        ),
        pytest.param(set_on_pod(automountServiceAccountToken=True), TOKEN, id="token-of-an-account"),
        pytest.param(volume(projected={"sources": [api_token]}), TOKEN, id="projected-token-of-an-account"),
    ],
)
def test_a_pod_that_reaches_beyond_itself_is_refused_in_a_lent_namespace(worker, admin, lent, change, said):
    wanted = pod(lent, change)
    assert said in refusal(worker.apply, wanted, dry_run=True)
    admin.apply(wanted, dry_run=True)  # nothing else keeps it out


LATE = {"name": "late", "image": "x", "securityContext": {}}
SAFE = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


@pytest.fixture(scope="module")
def wider(admin, worker, place):
    """The worker's account with a role that it has not, to see what the policies alone keep from it."""
    group, name = "rbac.authorization.k8s.io", f"{place}-wider"
    rule = {"apiGroups": [""], "resources": ["namespaces", "pods/ephemeralcontainers"], "verbs": ["patch"]}
    made = [
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": [rule]},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": "ambient-worker", "namespace": place}],
        },
    ]
    for document in made:
        admin.apply(document)
    yield worker
    for document in made:
        admin.delete(admin.path_of(document))


def test_no_privileged_container_gets_into_a_running_pod(wider, admin, lent):
    running = pod(lent)
    admin.apply(running)
    path = f"{admin.path_of(running)}/ephemeralcontainers"
    for context_, said in (({"privileged": True}, PRIVILEGES), (SAFE | {"runAsUser": 0}, USER)):
        wanted = {"spec": {"ephemeralContainers": [LATE | {"securityContext": context_}]}}
        assert said in refusal(wider.merge, path, wanted)
    safe = {"spec": {"ephemeralContainers": [LATE | {"securityContext": SAFE}]}}
    assert refusal(wider.merge, path, safe) == ""


@pytest.mark.parametrize("labels", [{ENFORCE: None}, {ENFORCE: "privileged"}, {"team": "x"}])
def test_the_worker_changes_no_namespace(wider, lent, labels):
    said = refusal(wider.merge, f"{NAMESPACES}/{lent}", {"metadata": {"labels": labels}})
    assert "changes no namespace" in said


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"without": {ENFORCE}}, id="takes-any-pod"),
        pytest.param({"labels": {ENFORCE: "baseline"}}, id="takes-root"),
        pytest.param({"labels": {ENFORCE: "privileged"}}, id="takes-privileges"),
        pytest.param({"labels": {VERSION: "v1.0"}}, id="the-rules-of-long-ago"),
    ],
)
def test_a_namespace_without_pod_security_is_not_made(worker, fresh, changed):
    assert "makes only namespaces with" in refusal(worker.post, NAMESPACES, namespace(fresh, **changed))


def test_a_namespace_of_nobody_is_not_made(worker, fresh):
    bare = namespace(fresh, without={"ambient-code.io/managed"})
    assert "writes only in namespaces" in refusal(worker.post, NAMESPACES, bare)


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param({}, id="lent-to-anybody"),
        pytest.param({"labels": {"ambient-code.io/installation": "inst"}}, id="lent-to-us"),
        pytest.param({"annotations": {"ambient-code.io/made": "inst"}}, id="of-no-installation"),
        pytest.param(
            {
                "labels": {"ambient-code.io/installation": "inst"},
                "annotations": {"ambient-code.io/made": "other"},
            },
            id="made-by-another-installation",
        ),
    ],
)
def test_a_namespace_that_was_lent_is_not_deleted(worker, admin, fresh, metadata):
    labels = MANAGED | metadata.get("labels", {})
    admin.post(NAMESPACES, {"metadata": {"name": fresh, **metadata, "labels": labels}})
    assert "deletes only namespaces" in refusal(worker.delete, f"{NAMESPACES}/{fresh}")


def test_elsewhere_the_worker_writes_nothing(worker, admin, place):
    for made in (pod(place), manifests.secret(SITE, replace(WANTED, namespace=place))):
        assert "writes only in namespaces" in refusal(worker.apply, made, dry_run=True)
        admin.apply(made, dry_run=True)  # whom the policy does not mean
    assert "writes only in namespaces" in refusal(worker.delete, f"{NAMESPACES}/{place}")


def test_no_token_of_a_lent_account_comes_by_a_secret(worker, lent):
    asked = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "token",
            "namespace": lent,
            "annotations": {"kubernetes.io/service-account.name": "default"},
        },
        "type": "kubernetes.io/service-account-token",
    }
    assert "only Secrets of the type Opaque" in refusal(worker.apply, asked, dry_run=True)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"externalIPs": ["192.0.2.1"]}, id="leads-an-address-here"),
        pytest.param({"type": "NodePort"}, id="opens-a-port-of-every-node"),
        pytest.param({"type": "LoadBalancer"}, id="asks-for-an-address"),
        pytest.param({"type": "ExternalName", "externalName": "any.example"}, id="stands-for-another-name"),
    ],
)
def test_a_service_that_reaches_beyond_the_cluster_is_refused(worker, lent, spec):
    asked = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "wide", "namespace": lent},
        "spec": {"ports": [{"port": 80}], **spec},
    }
    assert "only Services of the type ClusterIP" in refusal(worker.apply, asked, dry_run=True)


@pytest.mark.parametrize("claims", [False, True], ids=["lost-files", "claims"])
def test_what_our_runtime_makes_passes(worker, admin, fresh, lent, claims):
    site = replace(SITE, claims=claims)
    worker.post(NAMESPACES, manifests.namespace(site, fresh, "lab"))
    for where in (fresh, lent):
        wanted = replace(WANTED, namespace=where)
        account = worker.apply(manifests.service_account(site, wanted))
        for made in (
            manifests.claim(site, wanted),
            *manifests.owned(site, wanted, account["metadata"]["uid"]),
        ):
            worker.apply(made)
            worker.apply(made)  # as a pass that comes again
        worker.delete(worker.path_of(manifests.pod(site, wanted)))
        worker.delete(worker.path_of(account | manifests.service_account(site, wanted)))
    worker.delete(f"{NAMESPACES}/{fresh}")


def test_the_cluster_understands_the_policies(worker, admin, place):
    """It says so after a while, in a status that nobody reads otherwise."""
    root = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
    for name in ("worker", "worker-pods"):
        found = eventually(
            lambda name=name: admin.get(f"{root}/{place}-ambient-{name}").get("status"), "types were checked"
        )
        assert found["typeChecking"] == {}


def test_an_operators_namespace_lets_its_pods_prepare_their_files(helm_of_all, cluster, namespace, fresh):
    with accounts(helm_of_all, cluster, namespace, ["--set=runtime=operator"]) as as_process:
        worker = as_process("worker")
        worker.post(NAMESPACES, resources.namespace("inst", fresh, "lab"))
        bare = {"metadata": {"name": f"{fresh}-bare"}}
        assert "writes only in namespaces" in refusal(worker.post, NAMESPACES, bare)
        with pytest.raises(ApiError, match="cannot patch resource"):
            worker.apply(pod(fresh), dry_run=True)
        worker.delete(f"{NAMESPACES}/{fresh}")
