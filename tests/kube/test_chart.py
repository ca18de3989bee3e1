"""The chart: a real API server takes what it renders, and it gives nobody more than meant."""

import base64
import json
import re
import subprocess
import sys

import pytest

from ambient import env
from reconciler.kubernetes.doctor import RULES
from tests.kube.api import ApiError
from tests.kube.helm import RELEASE, Refused
from tests.kube.release import accounts
from tests.unit.deploy.chart import CHART, EVERYTHING, HELPERS, OPERATOR, PRODUCTION, TRY_OUT
from tools.permissions_table import permissions

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]

VALUES = {
    "try-out": [TRY_OUT],
    "production": [PRODUCTION],
    "everything": [PRODUCTION, EVERYTHING],
    "operator": [PRODUCTION, OPERATOR],
}
OURS = {"api", "control-plane", "worker", "watcher", "beat", "migrate"}
RESTRICTED = {f"pod-security.kubernetes.io/{level}": "restricted" for level in ("enforce", "audit", "warn")}
TEAM = "team"
each_example = pytest.mark.parametrize("files", VALUES.values(), ids=VALUES)


def of_kind(documents, *kinds):
    return [document for document in documents if document["kind"] in kinds]


def component(document):
    return document["metadata"]["labels"]["app.kubernetes.io/component"]


def pods(documents):
    """The pods that the documents ask for, by component."""
    made = of_kind(documents, "Deployment", "StatefulSet", "Job")
    return {component(document): document["spec"]["template"] for document in made}


def containers(pod):
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def selects(selector, labels):
    return selector["matchLabels"].items() <= labels.items()


@each_example
def test_the_api_server_takes_every_document(helm, api, namespace, files):
    for document in helm.template(namespace=namespace, files=files):
        if document["kind"] != "ServiceMonitor":  # of the Prometheus operator, which is not here
            api.apply(document, dry_run=True)


@each_example
def test_every_pod_is_restricted(helm, api, namespace, files):
    api.merge(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": RESTRICTED}})
    documents = helm.template(namespace=namespace, files=files)
    for account in of_kind(documents, "ServiceAccount"):
        api.apply(account)  # a pod is refused without its account
    for name, pod in pods(documents).items():
        place = {"name": f"try-{name}", "namespace": namespace}
        document = {**pod, "apiVersion": "v1", "kind": "Pod", "metadata": {**pod["metadata"], **place}}
        if name == "postgresql":  # whose volume the StatefulSet adds
            document["spec"]["volumes"].append({"name": "data", "emptyDir": {}})
        api.apply(document, dry_run=True)


def test_a_namespace_that_is_restricted_refuses_another_pod(api, namespace):
    api.merge(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": RESTRICTED}})
    root = {"name": "root", "image": "x", "securityContext": {"runAsUser": 0}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "root", "namespace": namespace},
        "spec": {"containers": [root]},
    }
    with pytest.raises(ApiError, match="violates PodSecurity"):
        api.apply(pod, dry_run=True)


@each_example
def test_roots_are_read_only_and_probes_and_limits_are_there(helm, files):
    for name, pod in pods(helm.template(namespace=TEAM, files=files)).items():
        for container in containers(pod):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert {"requests", "limits"} <= set(container["resources"]), name
        probed = pod["spec"]["containers"][0]
        assert ("readinessProbe" in probed) == (name in {"api", "control-plane", "postgresql", "valkey"}), (
            name
        )
        assert ("livenessProbe" in probed) == (name != "migrate"), name


@each_example
def test_only_who_talks_to_the_cluster_has_a_token(helm, files):
    found = pods(helm.template(namespace=TEAM, files=files))
    with_token = {name for name, pod in found.items() if pod["spec"]["automountServiceAccountToken"]}
    assert with_token == set(permissions())
    assert {name for name, pod in found.items() if "serviceAccountName" in pod["spec"]} == with_token


@each_example
def test_every_pod_is_denied_by_default_and_has_its_own_policy(helm, files):
    documents = helm.template(namespace=TEAM, files=files)
    policies = {component_or_all(each): each["spec"] for each in of_kind(documents, "NetworkPolicy")}
    for name, pod in pods(documents).items():
        labels = pod["metadata"]["labels"]
        assert selects(policies["all"]["podSelector"], labels), name
        assert selects(policies[name]["podSelector"], labels), name
    assert "ingress" not in policies["all"]
    for spec in policies.values():
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        assert all(rule.get("from") for rule in spec.get("ingress", [])), "from everywhere"
    for silent in OURS - {"api", "control-plane"}:
        assert "ingress" not in policies[silent]


def component_or_all(policy):
    labels = policy["spec"]["podSelector"]["matchLabels"]
    return labels.get("app.kubernetes.io/component", "all")


@each_example
def test_services_budgets_and_autoscalers_find_their_pods(helm, files):
    documents = helm.template(namespace=TEAM, files=files)
    found = pods(documents)
    for service in of_kind(documents, "Service"):
        pod = found[component(service)]
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        named = {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named
    budgets = of_kind(documents, "PodDisruptionBudget")
    assert {component(budget) for budget in budgets} == OURS - {"migrate"}
    for budget in budgets:
        assert selects(budget["spec"]["selector"], found[component(budget)]["metadata"]["labels"])
    scaled = {
        each["spec"]["scaleTargetRef"]["name"] for each in of_kind(documents, "HorizontalPodAutoscaler")
    }
    fixed = {
        each["metadata"]["name"] for each in of_kind(documents, "Deployment") if "replicas" in each["spec"]
    }
    assert scaled.isdisjoint(fixed), "the autoscaler and the Deployment would both set the number"
    assert len(scaled | fixed) == len(OURS) - 1


def test_service_monitors_find_their_services_under_the_names_of_the_alerts(helm):
    documents = helm.template(namespace=TEAM, files=VALUES["everything"])
    services = of_kind(documents, "Service")
    jobs = set()
    for monitor in of_kind(documents, "ServiceMonitor"):
        spec = monitor["spec"]
        assert set(spec) == {"selector", "endpoints"}
        chosen = [each for each in services if selects(spec["selector"], each["metadata"]["labels"])]
        assert len(chosen) == 1
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        for endpoint in spec["endpoints"]:
            assert endpoint["port"] in {port["name"] for port in chosen[0]["spec"]["ports"]}
            jobs |= {rule["replacement"] for rule in endpoint["relabelings"] if rule["targetLabel"] == "job"}
    assert jobs == {"ambient-api", "ambient-control-plane"}


@each_example
def test_every_process_starts_with_the_settings_that_it_gets(helm, files):
    documents = helm.template(namespace=TEAM, files=files)
    for name, pod in pods(documents).items():
        if name in OURS:
            given = settings(documents, pod["spec"]["containers"][0])
            assert set(given) <= set(env.DECLARED), name
            said = subprocess.run(
                [sys.executable, "-c", "from ambient import env"],
                cwd=env.BASE_DIR,
                env={"PATH": "/usr/bin:/bin", **given},
                capture_output=True,
                text=True,
                check=False,
            )
            assert said.returncode == 0, said.stderr


TEXTS = {
    "AMBIENT_SECRET_KEY": "s" * 64,
    "CREDENTIAL_ENCRYPTION_KEYRING": json.dumps({"1": base64.b64encode(b"k" * 32).decode()}),
    "DATABASE_URL": "postgresql://ambient:x@db.example:5432/ambient",
    "REDIS_URL": "redis://:x@valkey.example:6379/0",
    "OIDC_CLIENT_SECRET": "x",
    "ANTHROPIC_API_KEY": "x",
    "AMBIENT_S3_ACCESS_KEY": "x",
    "AMBIENT_S3_SECRET_KEY": "x",
}
"""What the Secrets of the examples hold."""


def settings(documents, container):
    """The environment of a container, as a kubelet would make it."""
    maps = {each["metadata"]["name"]: each["data"] for each in of_kind(documents, "ConfigMap")}
    found = {}
    for source in container["envFrom"]:
        found |= maps[source["configMapRef"]["name"]]
    for entry in container["env"]:
        if "value" in entry:
            found[entry["name"]] = entry["value"].replace("$(POD_IP)", "10.1.2.3")
        elif secret := entry["valueFrom"].get("secretKeyRef"):
            if not secret.get("optional"):
                found[entry["name"]] = TEXTS[secret["key"]]
        else:
            assert entry["name"] in HELPERS
    return found


@pytest.mark.parametrize(
    ("example", "runtime", "image"),
    [
        pytest.param("production", "kubernetes", True, id="pods-of-ours"),
        pytest.param("operator", "operator", False, id="pods-of-an-operator"),
    ],
)
def test_the_runtime_is_the_one_that_was_chosen(helm, example, runtime, image):
    [given] = [
        each["data"] for each in of_kind(helm.template(namespace=TEAM, files=VALUES[example]), "ConfigMap")
    ]
    assert given["AMBIENT_RUNTIME"] == runtime
    assert ("AMBIENT_RUNNER_IMAGE" in given) == image


def test_who_gets_which_secret(helm):
    found = pods(helm.template(namespace=TEAM, files=VALUES["everything"]))
    given = {
        name: {entry["name"] for container in containers(pod) for entry in container["env"]}
        for name, pod in found.items()
    }
    assert {name for name, names in given.items() if "OIDC_CLIENT_SECRET" in names} == {"api"}
    assert {name for name, names in given.items() if "ANTHROPIC_API_KEY" in names} == {"worker"}
    for name in ("AMBIENT_S3_ACCESS_KEY", "AMBIENT_S3_SECRET_KEY"):
        assert {process for process, names in given.items() if name in names} == {"api", "worker"}


BUCKET = ["--set=workspace.s3.bucket=files", "--set=workspace.s3.existingSecret="]


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [
        pytest.param("", 443, id="amazons"),
        pytest.param("https://s3.example", 443, id="tls"),
        pytest.param("http://s3.example", 80, id="plain"),
        pytest.param("https://s3.example:9443", 9443, id="a-port-of-its-own"),
        pytest.param("http://10.9.0.80:9000", 9000, id="an-address"),
    ],
)
def test_the_buckets_port_is_that_of_its_address(helm, endpoint, port):
    arguments = [
        *BUCKET,
        f"--set=workspace.s3.endpoint={endpoint}",
        "--set=networkPolicy.bucket.cidr=10.9.0.0/16",
    ]
    policies = of_kind(helm.template(*arguments, namespace=TEAM, files=VALUES["production"]), "NetworkPolicy")
    bucket = {"ports": [{"port": port}], "to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}]}
    assert {component(each) for each in policies if bucket in each["spec"]["egress"]} == {"api", "worker"}


def test_a_role_does_for_the_bucket_instead_of_keys(helm):
    role = "--set=workspace.s3.roleAnnotations.eks\\.amazonaws\\.com/role-arn=arn:aws:iam::1:role/files"
    documents = helm.template(*BUCKET, role, namespace=TEAM, files=VALUES["production"])
    accounts = {component(each): each for each in of_kind(documents, "ServiceAccount")}
    assert {name for name, each in accounts.items() if "annotations" in each["metadata"]} == {"api", "worker"}
    found = pods(documents)
    for name in ("api", "worker"):
        assert found[name]["spec"]["serviceAccountName"] == accounts[name]["metadata"]["name"]
    assert found["api"]["spec"]["automountServiceAccountToken"] is False
    assert not [pod for pod in found.values() if "AMBIENT_S3_ACCESS_KEY" in str(pod)]


def test_who_may_reach_the_bucket(helm):
    bucket = {"ports": [{"port": 9443}], "to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}]}
    for example, reached in (("everything", {"api", "worker"}), ("production", set())):
        policies = of_kind(helm.template(namespace=TEAM, files=VALUES[example]), "NetworkPolicy")
        assert {component(each) for each in policies if bucket in each["spec"]["egress"]} == reached


def test_made_secrets_are_nowhere_but_in_secrets(helm):
    documents = helm.template(namespace=TEAM, files=VALUES["try-out"])
    secrets = of_kind(documents, "Secret")
    texts = {
        base64.b64decode(text).decode() for secret in secrets for text in secret.get("data", {}).values()
    }
    texts |= {secret["stringData"]["password"] for secret in secrets if "stringData" in secret}
    assert len(texts) == 4
    for document in documents:
        if document["kind"] != "Secret":
            assert not [text for text in texts if text in str(document)], document["metadata"]["name"]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        pytest.param("hots=ambient.example", "'hots' not allowed", id="a-misspelt-value"),
        pytest.param("api.replicas=many", "/api/replicas", id="a-text-for-a-number"),
        pytest.param("settings.AMBIENT_SECRET_KEY=x", "AMBIENT_SECRET_KEY", id="a-secret-as-a-setting"),
        pytest.param("postgresql.existingSecret=", "/postgresql/existingSecret", id="no-database"),
        pytest.param("workspace.kind=snapshot", "/workspace/s3/bucket", id="no-bucket"),
        pytest.param("oidc.audience=", "/oidc/audience", id="no-audience"),
        pytest.param("runtime=process", "/runtime", id="no-runtime-of-a-cluster"),
        pytest.param("runner.image.repository=", "/runner/image/repository", id="no-image-of-a-runner"),
        pytest.param(
            "api.autoscaling.enabled=true,api.autoscaling.maxReplicas=1",
            "autoscaling of api: minReplicas 2 is more than maxReplicas 1",
            id="fewer-than-the-least",
        ),
        pytest.param(
            "worker.autoscaling.enabled=true,worker.resources.requests.cpu=null",
            "autoscaling of worker needs resources.requests.cpu",
            id="nothing-to-measure-by",
        ),
    ],
)
def test_helm_refuses_wrong_values_by_name(helm, wrong, named):
    with pytest.raises(Refused, match=re.escape(named)):
        helm.template(f"--set={wrong}", namespace=TEAM, files=VALUES["production"])


@each_example
def test_helm_itself_finds_nothing_wrong(helm, files):
    helm.lint(files)


def test_installed_upgraded_and_uninstalled_it_keeps_what_it_made_once(helm, cluster, api, namespace):
    def kept():
        names = [f"{RELEASE}-{name}" for name in ("keys", "postgresql", "valkey")]
        found = [api.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")["data"] for name in names]
        return {key: value for data in found for key, value in data.items()}

    def run(*arguments):
        return helm.on(cluster.kubeconfig, namespace, *arguments, files=VALUES["try-out"])

    said = run("upgrade", "--install", RELEASE, str(CHART))
    assert "createsuperuser" in said
    assert "for trying out" in said
    first = kept()
    assert base64.b64decode(first["password"]).decode() in base64.b64decode(first["REDIS_URL"]).decode()
    run("upgrade", "--install", RELEASE, str(CHART), "--set", "settings.AMBIENT_LOG_LEVEL=DEBUG")
    jobs = api.get(f"/apis/batch/v1/namespaces/{namespace}/jobs")["items"]
    assert len([job for job in jobs if "deletionTimestamp" not in job["metadata"]]) == 1
    assert kept() == first
    helm.on(cluster.kubeconfig, namespace, "uninstall", RELEASE)
    assert kept() == first
    run("install", RELEASE, str(CHART))
    assert kept() == first
    helm.on(cluster.kubeconfig, namespace, "uninstall", RELEASE)


@pytest.fixture(params=["kubernetes", "operator"])
def runtime(request):
    return request.param


@pytest.fixture
def as_process(helm, cluster, namespace, runtime):
    with accounts(helm, cluster, namespace, [f"--set=runtime={runtime}"]) as found:
        yield found


def may(api, verb, resource, namespace="somewhere"):
    group, _, name = resource.rpartition("/")
    kind, _, subresource = name.partition(":")
    asked = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {
            "resourceAttributes": {
                "group": group,
                "resource": kind,
                "subresource": subresource,
                "verb": verb,
                "namespace": namespace,
            }
        },
    }
    return api.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", asked)["status"]["allowed"]


def test_everybody_may_do_what_the_table_says_and_nothing_else(as_process, runtime):
    listed = {
        (process, f"{rule['apiGroups'][0]}/{resource.replace('/', ':')}", verb)
        for process, rules in permissions(RULES[runtime]).items()
        for rule in rules
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    tried = {(resource, verb) for _, resource, verb in listed} | {
        *(("/pods:exec", "create"), ("/serviceaccounts:token", "create"), ("/nodes", "list")),
        *(
            ("/configmaps", "get"),
            ("rbac.authorization.k8s.io/clusterroles", "patch"),
            ("apps/deployments", "list"),
        ),
    }
    for process in (*permissions(), "api", "beat"):
        caller = as_process(process)
        allowed = {(process, resource, verb) for resource, verb in tried if may(caller, verb, resource)}
        assert allowed == {entry for entry in listed if entry[0] == process}
