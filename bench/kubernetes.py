"""`make bench ARGS=kubernetes`: sessions as pods, on a control plane and with a platform of its own.

Pods are made for a node that there is not yet; the node comes for the sessions that really run. Then kwok
plays thousands of pods for the watcher.
"""

import json
import secrets
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from bench import cluster_calls
from bench.measures import Rows, percentile
from reconciler.kubernetes.names import SESSION, selector, session_labels
from tests.e2e.harness import Stage
from tests.e2e.system import children_and_self, eventually, memory_of
from tests.kube.access import ensure_namespace
from tests.kube.api import Api
from tests.kube.cluster import Cluster, programs
from tests.kube.images import IMAGES
from tests.kube.kwok import Kwok
from tests.kube.node import Node
from tests.kube.runtime.permissions import granted

OWN, ACCOUNT, NODE = "ambient", "platform", "bench"
PROCESSES = ("worker", "watcher", "control-plane")
SETTINGS = {
    "AMBIENT_RUNTIME": "kubernetes",
    "AMBIENT_NAMESPACE": OWN,
    "AMBIENT_RUNNER_IMAGE": "ambient-runner:1",
    "AMBIENT_RUNNER_NODE_SELECTOR": f"kubernetes.io/hostname={NODE}",
    # Nothing shall be given up or refused because much is asked at once.
    "AMBIENT_START_DEADLINE_SECONDS": "1800",
    "AMBIENT_LIMIT_READ": "0",
    "AMBIENT_LIMIT_WRITE": "0",
    # The defaults, which the tests' platform has changed.
    "AMBIENT_RESYNC_SECONDS": "30",
    "AMBIENT_WORKER_CONCURRENCY": "4",
}
ONE_BY_ONE, AT_ONCE, LIVES, PODS = 50, 500, 20, 5000
CLIENTS = 8
MANY = "many"
IDLE_SECONDS = 60
LONG = 900.0
POD_BUDGET, AT_ONCE_BUDGET, WRITES_BUDGET, MEMORY_BUDGET = 0.25, 30.0, 12, 150
MEGABYTE = 2**20


class PodWatch:
    """When each session's pod came to be, as a watch of the administrator saw it."""

    def __init__(self, api: Api) -> None:
        self.seen: dict[str, float] = {}
        self._api = api
        self._version = api.get("/api/v1/pods", limit=1)["metadata"]["resourceVersion"]
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        with suppress(httpx.HTTPError):  # the cluster ends before we do
            for event, pod in self._api.watch(
                "/api/v1/pods", labelSelector=SESSION, resourceVersion=self._version
            ):
                if event == "ADDED":
                    self.seen[pod["metadata"]["labels"][SESSION]] = time.perf_counter()

    def wait(self, sessions: Iterable[str]) -> float:
        """When the last of these pods came."""
        wanted = set(sessions)
        eventually(lambda: wanted <= self.seen.keys(), f"{len(wanted)} pods", LONG)
        return max(self.seen[session] for session in wanted)


class Scene:
    """A cluster, a platform on it, and the log of what the platform asks."""

    def __init__(self, folder: Path, cluster: Cluster, stage: Stage, log: Path) -> None:
        self.folder, self.cluster, self.stage = folder, cluster, stage
        self.api = cluster.api()
        self.pods = PodWatch(cluster.api())
        self.project = stage.client.projects.create(name=f"bench-{secrets.token_hex(3)}").id
        self._log = log

    def create(self, **fields: object) -> str:
        """A session that wants to run."""
        return self.stage.client.sessions.create(name="bench", project_id=self.project, **fields).id

    def delete(self, sessions: Iterable[str]) -> None:
        """Sessions and all that was theirs."""
        gone = list(sessions)
        for session in gone:
            self.stage.request("DELETE", f"/sessions/{session}").raise_for_status()
        path = f"/api/v1/namespaces/{self.project}/serviceaccounts"
        eventually(lambda: not self.api.get(path, labelSelector=SESSION)["items"], "nothing is left", LONG)

    @contextmanager
    def counted(self) -> Iterator[Counter[str]]:
        """The requests of a time; filled at its end."""
        found: Counter[str] = Counter()
        before = len(self._lines())
        yield found
        found.update(cluster_calls.calls(self._lines()[before:]))

    def _lines(self) -> list[str]:
        text = self._log.read_text() if self._log.exists() else ""
        return text[: text.rfind("\n") + 1].splitlines()


@contextmanager
def scene() -> Iterator[Scene]:
    """All of it, ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="ambient-bench-") as name:
        folder = Path(name)
        rules, log = folder / "audit-policy.json", folder / "audit.log"
        rules.write_text(json.dumps(cluster_calls.policy(f"system:serviceaccount:{OWN}:{ACCOUNT}")))
        flags = {"audit-policy-file": rules, "audit-log-path": log}
        cluster = Cluster(folder / "cluster", flags)
        cluster.start()
        try:
            documents = [each for process in PROCESSES for each in granted(process, OWN, bound_to=ACCOUNT)]
            kubeconfig = cluster.least_privilege(documents, f"{OWN}/{ACCOUNT}")
            stage = Stage(folder, **SETTINGS, AMBIENT_KUBECONFIG=str(kubeconfig))
            stage.start()
            try:
                stage.execute("UPDATE reconciler_limit SET max_running = NULL")
                yield Scene(folder, cluster, stage, log)
            finally:
                stage.stop()
        finally:
            cluster.stop()


def one_by_one(scene: Scene) -> Rows:
    """From the request to the pod; the first session, which makes the namespace, is not counted."""
    seconds = []
    for _ in range(ONE_BY_ONE + 1):
        begin = time.perf_counter()
        session = scene.create()
        seconds.append(scene.pods.wait([session]) - begin)
        scene.delete([session])
    del seconds[0]
    p50, p95 = statistics.median(seconds), percentile(seconds, 0.95)
    measured = f"p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms"
    return [(f"create -> pod exists, {ONE_BY_ONE} sessions", measured, budget("p50 250 ms", p50, POD_BUDGET))]


def at_once(scene: Scene) -> Rows:
    """Many creates, until the last pod exists, and the processor's time for it, which other work on the
    machine changes less."""
    before, begin = processor_seconds(), time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as threads:
        sessions = list(threads.map(lambda _: scene.create(), range(AT_ONCE)))
    answered = time.perf_counter() - begin
    seconds = scene.pods.wait(sessions) - begin
    used = processor_seconds() - before
    scene.delete(sessions)
    measured = f"{seconds:.1f} s; all were answered after {answered:.1f} s; {used:.0f} s of processor time"
    what = f"{AT_ONCE} creates at once -> all pods exist"
    return [(what, measured, budget(f"{AT_ONCE_BUDGET:.0f} s", seconds, AT_ONCE_BUDGET))]


def processor_seconds() -> float:
    """What all that we have started has computed: platform, databases and control plane."""
    times = [found.cpu_times() for found in psutil.Process().children(recursive=True)]
    return sum(each.user + each.system for each in times)


def lives(scene: Scene) -> Rows:
    """Requests of whole lives: create, run, a minute of rest, a message, stop, delete."""
    node = Node(scene.cluster, NODE, scene.folder / "node", IMAGES)
    node.start()
    try:
        with scene.counted() as whole:
            sessions = [scene.create() for _ in range(LIVES)]
            for session in sessions:
                scene.stage.wait_phase(session, "Running", seconds=LONG)
            eventually(lambda: not busy(scene.stage), "their starts are done with", LONG)
            with scene.counted() as resting:
                time.sleep(IDLE_SECONDS)
            for session in sessions:
                scene.stage.ask_and_wait(session, "/echo here", LONG)
                scene.stage.client.sessions.stop(session)
                scene.stage.wait_phase(session, "Stopped", seconds=LONG)
            scene.delete(sessions)
    finally:
        node.stop()
    return life_rows(whole, resting)


def busy(stage: Stage) -> bool:
    """Whether a pass over a session is due or under way."""
    sql = """SELECT FROM reconciler_workitem WHERE kind = 'session'
             AND (due_at <= now() OR locked_until > now()) LIMIT 1"""
    return bool(stage.query(sql))


def life_rows(whole: Counter[str], resting: Counter[str]) -> Rows:
    """Two lines about the same lives: what changes the cluster, and what looks at it."""
    reads, reviews = whole[cluster_calls.READ] / LIVES, whole[cluster_calls.REVIEW] / LIVES
    writes = whole[cluster_calls.WRITE] / LIVES + reviews
    # Who renews a token is looked up once: nothing that is asked again and again.
    polled = max(resting[cluster_calls.READ] - resting[cluster_calls.REVIEW], 0)
    shared = f"{whole[cluster_calls.WATCH]} watches and {whole[cluster_calls.SHARED]} lists for all of them"
    return [
        (
            f"writes to the API server per session life, {LIVES} sessions",
            f"{writes:.1f}, {reviews:.1f} of them token reviews",
            budget(f"{WRITES_BUDGET}", writes, WRITES_BUDGET),
        ),
        ("reads per session life", f"{reads:.1f}; beside {shared}", "none"),
        (
            f"polling reads of {LIVES} sessions that rest for {IDLE_SECONDS} s",
            f"{polled}, and {resting[cluster_calls.REVIEW]} with a token's renewal",
            budget("0", polled, 0),
        ),
    ]


def watcher(scene: Scene) -> Rows:
    """Memory of the watcher while kwok plays pods of this installation; nobody may sweep them away."""
    stage = scene.stage
    every = [member for name in ("worker", "beat") for member in children_and_self(stage.pid(name))]
    with stage.frozen(*every):
        pid = stage.pid("watcher")
        before = memory_of(pid)
        kwok = Kwok(scene.cluster, scene.folder, nodes=5)
        kwok.start()
        try:
            make_pods(scene, kwok.names)
            eventually(lambda: noted(stage) >= PODS, "the watcher has seen them", LONG)
            after = memory_of(pid)
        finally:
            kwok.stop()
    what = f"memory of the watcher, without pods and with {PODS:,}"
    measured = f"{before / MEGABYTE:.0f} MB, {after / MEGABYTE:.0f} MB"
    limit = budget(f"{MEMORY_BUDGET} MB", after / MEGABYTE, MEMORY_BUDGET)
    return [(what, measured, limit)]


def make_pods(scene: Scene, nodes: list[str]) -> None:
    """Thousands of pods with our labels, until all of them are said to run."""
    [(installation,)] = scene.stage.query("SELECT id FROM reconciler_installation")
    ensure_namespace(scene.api, MANY)
    account = f"/api/v1/namespaces/{MANY}/serviceaccounts/default"
    eventually(lambda: scene.api.exists(account), "the namespace's account")

    def make(number: int) -> None:
        labels = session_labels(installation, MANY, f"{MANY}{number}", 1, 1)
        node = nodes[number % len(nodes)]
        spec = {"nodeName": node, "containers": [{"name": "runner", "image": "none"}]}
        pod = {"metadata": {"name": f"{MANY}-{number}", "labels": labels}, "spec": spec}
        scene.api.post(f"/api/v1/namespaces/{MANY}/pods", pod)

    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(make, range(PODS)))
    chosen = {"labelSelector": selector(installation), "fieldSelector": "status.phase!=Running", "limit": 1}
    path = f"/api/v1/namespaces/{MANY}/pods"
    eventually(lambda: not scene.api.get(path, **chosen)["items"], "all pods run", LONG)


def noted(stage: Stage) -> int:
    """How many of the played pods the watcher has asked a pass for."""
    [(count,)] = stage.query("SELECT count(*) FROM reconciler_workitem WHERE project = %s", MANY)
    return int(count)


def budget(text: str, measured: float, limit: float) -> str:
    """The budget as the table says it."""
    return text if measured <= limit else f"{text} (missed)"


MEASURES: dict[str, Callable[[Scene], Rows]] = {
    "one-by-one": one_by_one,
    "lives": lives,
    "at-once": at_once,
    "watcher": watcher,
}


def kubernetes_numbers(only: str | None = None) -> Rows:
    """Rows of (what, measured, budget)."""
    if not programs().is_dir():
        raise SystemExit(f"bench: no Kubernetes programs in {programs()}: `make kube-programs` builds them")
    rows: Rows = []
    with scene() as here:
        for name, measure in MEASURES.items():
            if only in (None, name):
                rows += measure(here)
    return rows
