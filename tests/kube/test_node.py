"""The fake node does what a kubelet would: each row is something that the platform relies on."""

import json
import os
import sys
import time

import httpx
import pytest

from ambient.common.processes import is_alive
from tests.e2e.system import GENEROUS, eventually
from tests.kube.api import ApiError
from tests.kube.kwok import Kwok

pytestmark = [pytest.mark.kube, pytest.mark.timeout(300)]

LOST_SECONDS = 20 * GENEROUS
SERVER = """
import os, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if os.path.exists("/work/open") else 503)
        self.end_headers()
        self.wfile.write(os.environ["POD_NAME"].encode())
http.server.HTTPServer((os.environ["POD_IP"], 8001), Handler).serve_forever()
"""
SLEEP = "trap 'exit 0' TERM; while :; do sleep 0.05; done"
FROM_POD = [
    {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
]


@pytest.fixture
def make_pod(api, node, namespace):
    """Make a pod of one shell container on this worker's node; a function that reads it."""
    account = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
    eventually(lambda: api.exists(account), "the namespace's default account")

    def make(name, script=SLEEP, *, spec=None, **container):
        container = {"name": "main", "image": "debian:12", "command": ["sh", "-c", script], **container}
        body = {
            "metadata": {"name": name, "labels": {"app": "x"}},
            "spec": {
                "nodeSelector": node.selector,
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 5,
                "containers": [container],
                **(spec or {}),
            },
        }
        api.post(f"/api/v1/namespaces/{namespace}/pods", body)
        return lambda: api.get(f"/api/v1/namespaces/{namespace}/pods/{name}")

    return make


def wait_phase(read, *phases):
    return eventually(lambda: (pod := read())["status"].get("phase") in phases and pod, f"{phases}")


def state(pod, kind="containerStatuses"):
    return pod["status"][kind][0]["state"]


def wait_waiting(read, reason):
    def reached():
        statuses = read()["status"].get("containerStatuses", [])
        return any(one["state"].get("waiting", {}).get("reason") == reason for one in statuses)

    return eventually(reached, reason)


def condition(document, kind):
    return next((one["status"] for one in document["status"]["conditions"] if one["type"] == kind), None)


def log_of(api, pod):
    metadata = pod["metadata"]
    return api.text(f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/log")


@pytest.mark.parametrize(
    ("script", "phase", "code", "reason"),
    [
        pytest.param("exit 0", "Succeeded", 0, "Completed", id="a-good-end"),
        pytest.param("exit 3", "Failed", 3, "Error", id="an-exit-code"),
        pytest.param("sh -c 'kill -9 $$$$'; exit $?", "Failed", 137, "Error", id="a-signal"),
        pytest.param("exec /no/such/program", "Failed", 127, "Error", id="no-such-program"),
    ],
)
def test_how_a_container_ends(make_pod, script, phase, code, reason):
    pod = wait_phase(make_pod("ends", script), "Succeeded", "Failed")
    end = state(pod)["terminated"]
    assert (pod["status"]["phase"], end["exitCode"], end["reason"]) == (phase, code, reason)


def test_a_container_sees_what_its_pod_gives_it(api, make_pod, namespace):
    root = f"/api/v1/namespaces/{namespace}"
    api.post(f"{root}/secrets", {"metadata": {"name": "keys"}, "stringData": {"KEY": "s3", "OTHER": "o"}})
    api.post(f"{root}/configmaps", {"metadata": {"name": "words"}, "data": {"WORD": "w", "file.txt": "text"}})
    script = """
    echo "$KEY $LITERAL $PRE_WORD $POD_NAME $LABEL $1"
    cat /etc/deep/keys/OTHER /words/renamed /labels/labels; echo
    cat /fresh/from-init
    for at in /etc/deep/keys /usr / /tmp; do touch $at/x 2>/dev/null || echo "$at is read-only"; done
    id -u; ps -A -o pid= | head -1 | tr -d ' '
    printf last > /dev/termination-log
    """
    key = {"secretKeyRef": {"name": "keys", "key": "KEY"}}
    label = {"fieldRef": {"fieldPath": "metadata.labels['app']"}}
    volumes = [
        {"name": "keys", "secret": {"secretName": "keys"}},
        {"name": "words", "configMap": {"name": "words", "items": [{"key": "file.txt", "path": "renamed"}]}},
        {"name": "fresh", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {}},
        {
            "name": "labels",
            "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]},
        },
    ]
    first = {
        "name": "first",
        "image": "debian",
        "command": ["sh", "-c", "echo from-init > /fresh/from-init"],
        "volumeMounts": [{"name": "fresh", "mountPath": "/fresh"}],
    }
    read = make_pod(
        "sees",
        script,
        args=["sh", "$(LITERAL)-argument"],
        env=[
            {"name": "KEY", "valueFrom": key},
            {"name": "LITERAL", "value": "literal"},
            {"name": "LABEL", "valueFrom": label},
            *FROM_POD,
        ],
        envFrom=[{"prefix": "PRE_", "configMapRef": {"name": "words"}}],
        volumeMounts=[
            {"name": "keys", "mountPath": "/etc/deep/keys", "readOnly": True},
            {"name": "words", "mountPath": "/words"},
            {"name": "fresh", "mountPath": "/fresh"},
            {"name": "labels", "mountPath": "/labels"},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
        securityContext={"runAsUser": 1000, "readOnlyRootFilesystem": True},
        spec={"volumes": volumes, "initContainers": [first]},
    )
    pod = wait_phase(read, "Succeeded", "Failed")
    assert log_of(api, pod).splitlines() == [
        "s3 literal w sees x literal-argument",
        'otextapp="x"',
        "",
        "from-init",
        "/etc/deep/keys is read-only",
        "/usr is read-only",
        "/ is read-only",
        "1000",
        "1",
    ]
    assert state(pod)["terminated"]["message"] == "last"
    assert pod["status"]["phase"] == "Succeeded"


def test_a_projected_token_is_the_pods_own(api, make_pod):
    token = {"serviceAccountToken": {"path": "token", "audience": "ambient", "expirationSeconds": 600}}
    read = make_pod(
        "token",
        "cat /identity/token",
        volumeMounts=[{"name": "identity", "mountPath": "/identity", "readOnly": True}],
        spec={"volumes": [{"name": "identity", "projected": {"sources": [token]}}]},
    )
    pod = wait_phase(read, "Succeeded", "Failed")
    review = {"spec": {"token": log_of(api, pod), "audiences": ["ambient"]}}
    answer = api.post("/apis/authentication.k8s.io/v1/tokenreviews", review)["status"]
    assert answer["authenticated"]
    assert answer["user"]["extra"]["authentication.kubernetes.io/pod-uid"] == [pod["metadata"]["uid"]]


def test_a_projected_token_is_renewed_before_its_end(node, make_pod, namespace):
    token = {"serviceAccountToken": {"path": "token", "audience": "ambient", "expirationSeconds": 600}}
    volumes = [{"name": "identity", "projected": {"sources": [token]}}]
    make_pod(
        "renewed", spec={"volumes": volumes}, volumeMounts=[{"name": "identity", "mountPath": "/identity"}]
    )
    pod = node.pod(namespace, "renewed")
    eventually(pod.pids, "it runs")
    file = pod.volume("identity") / "token"
    first, old = file.read_text(), time.time() - 500
    os.utime(file, (old, old))
    eventually(lambda: file.read_text() != first, "another token")


def test_a_program_in_a_pod_reaches_the_cluster_as_its_account(api, make_pod):
    script = """
    cd /var/run/secrets/kubernetes.io/serviceaccount
    pods=https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/api/v1/namespaces/$(cat namespace)/pods
    curl -sS --noproxy '*' --cacert ca.crt -H "Authorization: Bearer $(cat token)" "$pods"
    """
    pod = wait_phase(make_pod("inside", script), "Succeeded", "Failed")
    namespace = pod["metadata"]["namespace"]
    answer = json.loads(log_of(api, pod))
    assert answer["message"].startswith(
        f'pods is forbidden: User "system:serviceaccount:{namespace}:default" cannot list'
    )


def test_pods_listen_on_one_port_each_at_its_address_and_are_ready_when_they_say_so(make_pod, node):
    probe = {"httpGet": {"port": 8001}, "periodSeconds": 1}
    image = {"command": ["python3", "-c", SERVER], "env": [*FROM_POD], "readinessProbe": probe}
    work = {"volumes": [{"name": "work", "emptyDir": {}}]}
    reads = [
        make_pod(name, spec=work, volumeMounts=[{"name": "work", "mountPath": "/work"}], **image)
        for name in ("one", "two")
    ]
    for read, name in zip(reads, ("one", "two"), strict=True):
        pod = wait_phase(read, "Running")
        address = f"http://{pod['status']['podIP']}:8001"

        def answer(address=address):
            try:
                return httpx.get(address, trust_env=False)
            except httpx.TransportError:
                return None

        assert eventually(answer, "it listens").text == name
        assert condition(read(), "Ready") == "False"
        (node.pod(pod["metadata"]["namespace"], name).folder / "volumes" / "work" / "open").touch()
        eventually(lambda read=read: condition(read(), "Ready") == "True", "it is ready")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param(f"echo up; {SLEEP}", ["up"], id="who-listens-to-SIGTERM-ends-by-itself"),
        pytest.param("echo up; while :; do sleep 0.05; done", ["up"], id="who-does-not-is-killed"),
    ],
)
def test_a_deleted_pod_ends_and_goes(api, make_pod, node, script, words):
    read = make_pod("goes", script, spec={"terminationGracePeriodSeconds": 1})
    pod = wait_phase(read, "Running")
    eventually(lambda: log_of(api, pod).split() == words, "it has said something")
    played = node.pod(pod["metadata"]["namespace"], "goes")
    pid = played.pid()
    api.delete(played.path)
    eventually(lambda: not api.exists(played.path), "the pod is gone")
    assert not is_alive(pid)


def test_a_pod_deleted_by_force_leaves_no_process(api, make_pod, node):
    wait_phase(make_pod("forced"), "Running")
    [played] = [pod for pod in node.pods() if pod.name == "forced"]
    pid = played.pid()
    api.delete(played.path, {"gracePeriodSeconds": 0})
    eventually(lambda: not is_alive(pid), "its process has ended")


ORPHAN = """
import os, signal, sys, time
if os.fork() == 0:
    if os.fork() == 0:
        time.sleep(0.2)
    os._exit(0)
os.wait()
time.sleep(0.6)
stats = [open(f"/proc/{pid}/stat").read() for pid in os.listdir("/proc") if pid.isdigit()]
print(sum(") Z " in stat for stat in stats), flush=True)
os.kill(os.getpid(), signal.SIGTERM)
sys.exit(5)
"""


@pytest.mark.parametrize(
    ("shared", "code", "zombies"),
    [
        pytest.param(False, 5, "1", id="the-first-process-has-to-reap-and-is-not-ended"),
        pytest.param(True, 143, "0", id="pause-is-the-first-process-where-the-pod-wants-it"),
    ],
)
def test_who_is_the_first_process(api, make_pod, shared, code, zombies):
    read = make_pod(
        "first",
        command=[os.path.realpath(sys.executable), "-c", ORPHAN],
        spec={"shareProcessNamespace": shared},
    )
    pod = wait_phase(read, "Failed")
    assert (log_of(api, pod).split(), state(pod)["terminated"]["exitCode"]) == ([zombies], code)


def test_a_container_is_started_again_where_the_pod_wants_it(make_pod):
    read = make_pod("again", "exit 1", spec={"restartPolicy": "Always"})
    wait_waiting(read, "CrashLoopBackOff")
    status = eventually(
        lambda: (one := read()["status"]["containerStatuses"][0])["restartCount"] >= 2 and one, "restarts"
    )
    assert status["lastState"]["terminated"]["exitCode"] == 1


def test_a_failed_init_container_ends_the_pod(make_pod):
    first = {"name": "first", "image": "debian", "command": ["sh", "-c", "exit 4"]}
    pod = wait_phase(make_pod("init", spec={"initContainers": [first]}), "Failed")
    assert state(pod, "initContainerStatuses")["terminated"]["exitCode"] == 4
    assert state(pod)["waiting"]["reason"] == "PodInitializing"


def test_a_container_that_does_not_start_in_time_is_killed(make_pod):
    probe = {"exec": {"command": ["test", "-e", "/started"]}, "periodSeconds": 1, "failureThreshold": 2}
    read = make_pod("starts", startupProbe=probe)
    assert not wait_phase(read, "Running")["status"]["containerStatuses"][0]["started"]
    assert state(wait_phase(read, "Failed"))["terminated"]["exitCode"] == 137


def test_an_unknown_image_cannot_be_pulled(api, make_pod, namespace):
    read = make_pod("pulls", image="nowhere/none:1")
    wait_waiting(read, "ImagePullBackOff")
    events = api.get(f"/api/v1/namespaces/{namespace}/events")["items"]
    assert {"Failed", "BackOff"} <= {event["reason"] for event in events}


def test_a_missing_secret_keeps_a_pod_waiting_until_it_is_there(api, make_pod, namespace):
    key = {"secretKeyRef": {"name": "late", "key": "KEY"}}
    read = make_pod("late", "exit 0", env=[{"name": "KEY", "valueFrom": key}])
    wait_waiting(read, "CreateContainerConfigError")
    api.post(
        f"/api/v1/namespaces/{namespace}/secrets", {"metadata": {"name": "late"}, "stringData": {"KEY": "x"}}
    )
    wait_phase(read, "Succeeded")


def test_an_api_that_does_not_know_yet_whose_pod_it_is_is_asked_again(
    api, make_pod, node, namespace, monkeypatch
):
    secret = {"metadata": {"name": "early"}, "stringData": {"KEY": "x"}}
    api.post(f"/api/v1/namespaces/{namespace}/secrets", secret)
    get, refusals, said = node.api.get, [], []

    def hesitant(path, **query):
        if path.endswith("/secrets/early") and len(refusals) < 2:
            refusals.append(ApiError(403, "Forbidden", "no relationship found"))
            raise refusals[-1]
        return get(path, **query)

    monkeypatch.setattr(node.api, "get", hesitant)
    monkeypatch.setattr(node, "event", lambda pod, reason, *args, **more: said.append((pod.name, reason)))
    key = {"secretKeyRef": {"name": "early", "key": "KEY"}}
    wait_phase(make_pod("early", "exit 0", env=[{"name": "KEY", "valueFrom": key}]), "Succeeded")
    assert (len(refusals), ("early", "Failed") in said, ("early", "Started") in said) == (2, False, True)


def test_memory_runs_out(make_pod, node, namespace):
    read = make_pod("memory")
    wait_phase(read, "Running")
    node.kill_for_memory(namespace, "memory")
    end = state(wait_phase(read, "Failed"))["terminated"]
    assert (end["exitCode"], end["reason"]) == (137, "OOMKilled")


def test_the_node_evicts(make_pod, node, namespace):
    read = make_pod("evicted")
    wait_phase(read, "Running")
    node.evict(namespace, "evicted")
    assert wait_phase(read, "Failed")["status"]["reason"] == "Evicted"


def test_starts_are_slow(make_pod, node, namespace):
    with node.holding_starts():
        read = make_pod("slow")
        wait_waiting(read, "ContainerCreating")
    wait_phase(read, "Running")


def test_a_full_node_takes_nothing_more(make_pod, node):
    with node.full():
        read = make_pod("unschedulable")
        eventually(lambda: condition_reason(read(), "PodScheduled") == "Unschedulable", "nobody takes it")
    wait_phase(read, "Running")


def condition_reason(pod, kind):
    return next((one.get("reason") for one in pod["status"].get("conditions", []) if one["type"] == kind), "")


def test_a_lost_node_is_noticed_and_what_was_taken_from_it_ends_when_it_returns(api, make_pod, node):
    soon = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}
    read = make_pod("lost", spec={"tolerations": [soon | {"tolerationSeconds": 1}]})
    wait_phase(read, "Running")
    [played] = [pod for pod in node.pods() if pod.name == "lost"]
    pid = played.pid()
    with node.cut_off():
        eventually(lambda: condition(api.get(node.path), "Ready") == "Unknown", "not heard of", LOST_SECONDS)
        eventually(lambda: "deletionTimestamp" in read()["metadata"], "it is evicted", LOST_SECONDS)
        assert is_alive(pid)
    eventually(lambda: not api.exists(played.path), "the pod is gone")
    assert not is_alive(pid)
    eventually(lambda: condition(api.get(node.path), "Ready") == "True", "heard of again")


def test_a_node_without_power_says_afterwards_what_ended(api, make_pod, node):
    read = make_pod("dark")
    wait_phase(read, "Running")
    [played] = [pod for pod in node.pods() if pod.name == "dark"]
    pid = played.pid()
    with node.cut_off(power=True):
        eventually(lambda: not is_alive(pid), "its process has ended")
        assert read()["status"]["phase"] == "Running"
    assert state(wait_phase(read, "Failed"))["terminated"]["exitCode"] == 137


def test_kwok_plays_pods_without_processes(api, cluster, namespace, namespace_prefix, tmp_path):
    kwok = Kwok(cluster, tmp_path, nodes=2, prefix=f"{namespace_prefix}kwok")
    eventually(lambda: api.exists(f"/api/v1/namespaces/{namespace}/serviceaccounts/default"), "its account")
    kwok.start()
    try:
        pods = f"/api/v1/namespaces/{namespace}/pods"
        for number in range(20):
            container = {"name": "main", "image": "none"}
            spec = {"nodeSelector": {"type": "kwok"}, "containers": [container]}
            api.post(pods, {"metadata": {"name": f"p{number}"}, "spec": spec})
        eventually(
            lambda: {pod["status"].get("phase") for pod in api.get(pods)["items"]} == {"Running"}, "all run"
        )
    finally:
        kwok.stop()
