"""The chart installed as docs/kubernetes.md says, by kubectl and helm themselves, and used.

The pods are real processes on the fake node, from the recipe of the server's image: an ordinary user, a root
that cannot be written, the chart's accounts, Secrets and probes. What is not as in a cluster:

- `values.yaml` is the production example with other images, one copy of each process, and without an
  identity provider: the administrator is made by the command that the chart's notes print.
- For the cluster's DNS and kube-proxy a file of hosts in each pod names the ready pods of the two Services
  (names.py). People reach the API by its pod's address, with no ingress before it. All pods share the host's
  network, so a server's AMBIENT_HOST of 0.0.0.0 becomes its pod's address (node.py).
- The Secrets name a PostgreSQL and a Valkey on the loopback address.
- `kubectl exec` is played (terminal.py); network policies are applied, but enforced by nobody.
"""

import base64
import json
import re
import secrets
from dataclasses import replace

import httpx
import pytest
import yaml

from ambient.embedded.home import CHECKOUT, Home
from ambient.embedded.services import start_services
from tests.e2e.system import GENEROUS, eventually
from tests.kube.images import RUNNER, SERVER, runner_image, server_image
from tests.kube.installation import COMPONENT, OURS, PORTS, START_SECONDS, Installation, People
from tests.kube.names import PLACE, ServiceNames
from tests.kube.node import Node
from tests.kube.terminal import Terminal, blocks, inline
from tests.unit.deploy.chart import PRODUCTION, merged

pytestmark = [pytest.mark.kube, pytest.mark.lengthy, pytest.mark.timeout(1200)]

KEPT = ("api", "control-plane", "worker", "watcher")  # beat ends with its connection, and is started again
PROCESSES = (*KEPT, "beat")
GONE_SECONDS = 60 * GENEROUS
WAIT = " --wait --wait-for-jobs --timeout 10m"
REGISTRY = "registry.example"
NEXT = "2.0.1"
MORE_PROBES = 4  # one more than a kubelet needs to take a pod out of service
IN_A_WORKER = "kubectl -n ambient exec deployment/ambient-worker -- python manage.py"
KEYRING = "CREDENTIAL_ENCRYPTION_KEYRING"
OF_A_SESSION = "ambient-code.io/session-id"


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """PostgreSQL and Valkey by TCP: a name with a blank is no folder for a socket."""
    services = start_services(Home(tmp_path_factory.mktemp("by tcp")), env={})
    yield services
    services.stop()


def values(prefix, node):
    """The production example for what there is here."""
    example = yaml.safe_load(PRODUCTION.read_text())
    one = {"replicas": 1}
    return merged(
        example,
        {
            "image": {"repository": f"{REGISTRY}/{SERVER}", "digest": ""},
            "runner": {"image": {"repository": f"{REGISTRY}/{RUNNER}", "digest": ""}},
            "oidc": dict.fromkeys(example["oidc"], "") | {"audience": []},
            "nodeSelector": node.selector,
            "settings": {
                "AMBIENT_NAMESPACE_PREFIX": prefix,
                "AMBIENT_RUNNER_NODE_SELECTOR": f"kubernetes.io/hostname={node.name}",
                "AMBIENT_WORKER_CONCURRENCY": "2",
            },
            **dict.fromkeys(("api", "controlPlane", "worker", "watcher", "beat"), one),
        },
    )


@pytest.fixture(scope="module")
def prefix():
    return f"c{secrets.token_hex(3)}-"


@pytest.fixture(scope="module")
def admin_api(cluster):
    api = cluster.api()
    yield api
    api.close()


@pytest.fixture(scope="module")
def chart_node(cluster, admin_api, tmp_path_factory, prefix):
    """A node whose images know the names of the Services."""
    folder = tmp_path_factory.mktemp("chart-node")
    with ServiceNames(cluster, f"{prefix}platform", folder / "hosts") as names:
        images = {
            f"{REGISTRY}/{name}": replace(image, files={**image.files, PLACE: names.path})
            for name, image in ((SERVER, server_image()), (RUNNER, runner_image()))
        }
        node = Node(cluster, f"node-{prefix}chart", folder / "pods", images)
        node.start()
        yield node
        node.stop()
        admin_api.delete(node.path)


@pytest.fixture(scope="module")
def installation(cluster, admin_api, services, chart_node, prefix, tmp_path_factory):
    """Install it as documented; at the end uninstall it so, and see that nothing is left."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "deploy").symlink_to(CHECKOUT / "deploy")
    for name, text in (
        ("database-url.txt", services.database_url),
        ("redis-url.txt", services.redis_url),
        ("client-secret.txt", "x"),
        ("model-key.txt", "x"),
    ):
        (folder / name).write_text(text)
    terminal = Terminal(folder, cluster.kubeconfig, f"{prefix}platform", chart_node)
    terminal.values.write_text(yaml.safe_dump(values(prefix, chart_node)))
    installation = Installation(f"{prefix}platform", terminal, admin_api, services)
    namespace, needed, _bucket = blocks("Install")
    terminal.type(namespace)
    terminal.type(needed)
    installation.notes = terminal.type(inline("helm upgrade --install") + WAIT)
    yield installation
    terminal.type(inline("helm uninstall"))
    eventually(lambda: installation.left() == [], "nothing is left", GONE_SECONDS)
    admin_api.delete(f"/api/v1/namespaces/{installation.namespace}")


@pytest.fixture(scope="module")
def client(installation):
    """As the first administrator, made as the notes say, with a key, made as the page says."""
    [make] = re.findall(r"kubectl .* createsuperuser", installation.notes)
    word = secrets.token_urlsafe(16)
    answers = [("Username", "root"), ("Password:", word), ("Password (again):", word)]
    installation.terminal.talk(make, installation.pods(), answers)
    key = installation.exec(inline(f"{IN_A_WORKER} create_api_key"))
    return People(installation, key.strip())


@pytest.fixture
def project(client):
    name = f"p{secrets.token_hex(4)}"
    with client:
        client.client.projects.create(name=name)
    yield name
    with client:
        client.client.projects.delete(name)


def test_after_the_install_all_is_there_and_well(installation):
    installation.terminal.type(re.findall(r"kubectl .* rollout status .*", installation.notes)[0])
    found = installation.deployments()
    assert set(found) == set(PROCESSES)
    assert all(each["status"]["availableReplicas"] == 1 for each in found.values())
    phases = {pod["status"]["phase"] for pod in installation.pods("migrate")}
    assert phases == {"Succeeded"}
    for component in PORTS:
        answer = installation.readyz(component)
        assert (answer.status_code, answer.json()) == (200, {"ready": True, "not_ready": {}})
    assert installation.restarts(*KEPT, "migrate") == 0
    assert {
        "deployment.apps/ambient-api",
        f"clusterrole.rbac.authorization.k8s.io/{installation.namespace}-ambient-worker",
    } <= set(installation.left())

    def states():
        said = installation.exec(inline(f"{IN_A_WORKER} doctor"))
        return {line.split()[0] for line in said.splitlines()}

    eventually(lambda: states() == {"ok"}, "all is well, also what an earlier test deletes", GONE_SECONDS)


def test_a_session_runs_answers_stops_and_leaves_nothing(installation, client, project, prefix, admin_api):
    root = f"/api/v1/namespaces/{prefix}{project}"

    def left():
        kinds = "pods,secrets,services,serviceaccounts,persistentvolumeclaims,networkpolicies"
        text = f"kubectl -n {prefix}{project} get {kinds} -l {OF_A_SESSION} -o name"
        return installation.terminal.type(text).split()

    with client as people:
        session = people.session(project)
        [pod] = admin_api.get(f"{root}/pods")["items"]
        assert pod["spec"]["containers"][0]["image"].startswith(f"{REGISTRY}/{RUNNER}:")
        assert people.ask(session, "/echo heard")
        assert people.request("GET", f"/sessions/{session}/workspace").status_code == 200  # by both servers
        people.client.sessions.stop(session)
        people.wait_phase(session, "Stopped")
        assert admin_api.get(f"{root}/pods")["items"] == []
        people.client.sessions.delete(session)
        eventually(lambda: left() == [], "nothing of it is left", GONE_SECONDS)
        people.client.projects.delete(project)
    eventually(lambda: not admin_api.exists(root), "its namespace is gone", GONE_SECONDS)


def test_an_upgrade_replaces_the_pods_and_no_runner(installation, client, project, prefix, admin_api):
    def images(session=""):
        where = {"labelSelector": f"ambient-code.io/session-id={session}"}
        pods = admin_api.get(f"/api/v1/namespaces/{prefix}{project}/pods", **where)["items"]
        return [(pod["metadata"]["uid"], pod["spec"]["containers"][0]["image"]) for pod in pods]

    with client as people:
        session = people.session(project)
        under_way = people.client.sessions.send(session, "/long 1200").id
        eventually(lambda: people.message(session, under_way).delivery == "running", "its run", START_SECONDS)
    runner, taken = images(session), installation.epoch(session)
    before = {pod["metadata"]["uid"] for pod in installation.pods()}
    jobs = f"kubectl -n {installation.namespace} get jobs -l {OURS},{COMPONENT}=migrate -o name"
    [job] = installation.terminal.type(jobs).split()
    upgrade = inline("helm upgrade ambient").replace("VERSION", NEXT)
    installation.terminal.type(f"{upgrade} --set settings.AMBIENT_LOG_LEVEL=DEBUG{WAIT}")
    installation.terminal.type(inline("kubectl -n ambient rollout status"))
    eventually(
        lambda: before.isdisjoint(pod["metadata"]["uid"] for pod in installation.pods()),
        "new pods alone",
        GONE_SECONDS,
    )
    now = {pod["spec"]["containers"][0]["image"] for pod in installation.pods()}
    assert now == {f"{REGISTRY}/{SERVER}:{NEXT}"}
    assert installation.terminal.type(jobs).split() != [job]
    with client as people:
        eventually(lambda: installation.epoch(session) > taken, "the run was handed over", START_SECONDS)
        assert people.message(session, under_way).delivery == "running"
        assert people.request("POST", f"/sessions/{session}/agui/interrupt").status_code == 200
        eventually(lambda: people.message(session, under_way).delivery != "running", "its end", START_SECONDS)
        assert people.message(session, under_way).delivery == "cancelled"
        assert people.ask(session, "/echo after the upgrade")
        assert images(session) == runner
        [(_, image)] = images(people.session(project))
        assert image == f"{REGISTRY}/{RUNNER}:{NEXT}"
    installation.terminal.type(inline("helm rollback") + WAIT)
    assert installation.available() == set(PROCESSES)
    with client as people:
        assert people.ask(session, "/echo after the way back")


def test_a_lost_valkey_takes_no_pod_out_of_service(installation, client, project):
    with client as people:
        session = people.session(project)
        before = installation.since()
        installation.services.valkey.stop()
        for component in PORTS:
            answer = installation.readyz(component)
            assert (answer.status_code, set(answer.json()["not_ready"])) == (200, {"redis"})
        waiting = people.client.sessions.create(name="w", project_id=project).id
        assert people.ask(session, "/echo without valkey")
        asked = {component: installation.probed(component) for component in PORTS}
        for component, count in asked.items():
            more = count + MORE_PROBES
            eventually(
                lambda c=component, more=more: installation.probed(c) > more, "it was asked", START_SECONDS
            )
        assert installation.since() == before
        installation.services.valkey.start()
        people.wait_phase(waiting, "Running")
    assert installation.since() == before


def test_without_postgresql_nobody_is_sent_to_a_pod_and_none_is_started_again(installation, client, project):
    with client as people:
        session = people.session(project)
    urls = {component: installation.url(component) for component in PORTS}
    before = installation.restarts(*KEPT)
    installation.services.postgres.stop()
    eventually(lambda: not installation.available() & set(PORTS), "neither is available", START_SECONDS)
    for url in urls.values():
        alive, ready = (
            httpx.get(f"{url}/{path}", timeout=30, trust_env=False) for path in ("healthz", "readyz")
        )
        assert (alive.status_code, ready.status_code) == (200, 503)
        assert "database" in ready.json()["not_ready"]
    installation.services.postgres.start()
    eventually(lambda: installation.available() == set(PROCESSES), "all are available", START_SECONDS)
    assert installation.restarts(*KEPT) == before
    with client as people:
        assert people.ask(session, "/echo with postgresql")


def test_keys_are_rotated_as_the_page_says(installation, client, project, admin_api):
    with client as people:
        session = people.session(project)
    secret = f"/api/v1/namespaces/{installation.namespace}/secrets/ambient-keys"
    keyring = json.loads(base64.b64decode(admin_api.get(secret)["data"][KEYRING]))
    keyring["2"] = base64.b64encode(secrets.token_bytes(32)).decode()
    admin_api.merge(secret, {"stringData": {KEYRING: json.dumps(keyring)}})
    terminal = installation.terminal
    terminal.type(inline("kubectl -n ambient rollout restart"))
    for name in PROCESSES:
        terminal.type(f"kubectl -n ambient rollout status deployment/ambient-{name} --timeout 5m")
    values = yaml.safe_load(terminal.values.read_text())
    terminal.values.write_text(yaml.safe_dump(merged(values, {"keys": {"version": 2}})))
    terminal.type(inline("helm upgrade --install") + WAIT)
    assert "; 0 not on the active key" in installation.exec(inline(f"{IN_A_WORKER} rotate_keys"))
    with client as people:
        assert people.ask(session, "/echo with the new key")
