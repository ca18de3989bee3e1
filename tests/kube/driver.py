"""Platforms whose sessions run in pods, with the permissions that the chart grants and no more."""

import atexit
import functools
import secrets
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from ambient.embedded.errors import EmbeddedError
from tests.e2e.runtimes import Gate, RuntimeDriver
from tests.e2e.system import children_and_self, eventually
from tests.kube.access import Access
from tests.kube.cluster import BUILD, programs
from tests.kube.container import Image
from tests.kube.host import join
from tests.kube.images import IMAGES, RUNNER, runner_image
from tests.kube.node import Node
from tests.kube.pod import Pod
from tests.kube.runtime.permissions import granted

OWN = "ambient"
GATE = "/opt/gate"
SESSION = "ambient-code.io/session-id"
PROCESSES = ("worker", "watcher", "control-plane")


@functools.cache
def shared_cluster() -> Access:
    """One control plane for all platforms of this process; it ends when the process ends."""
    if not programs().is_dir():
        raise EmbeddedError(f"no Kubernetes programs in {programs()}: {BUILD.name} builds them")
    folder = Path(tempfile.mkdtemp(prefix="ambient-kube-"))
    connection = join(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(connection.close)
    return Access(folder)


@functools.cache
def kubeconfig(cluster: Access, namespace: str = OWN, rules: str = "rbac.yaml") -> Path:
    """Of an identity that holds what the chart grants to our processes, and no more."""
    documents = [
        document
        for process in PROCESSES
        for document in granted(process, namespace, rules, bound_to="platform")
    ]
    return cluster.least_privilege(documents, f"{namespace}/platform")


class NodeDriver(RuntimeDriver):
    """Runners are pods of a node that is there, and their processes those of the one fake node."""

    outlives_platform = True

    def __init__(self, cluster: Access, node: Node) -> None:
        self.node = node
        self._prefix = f"e{secrets.token_hex(3)}-"
        self.settings = {
            "AMBIENT_RUNTIME": "kubernetes",
            "AMBIENT_KUBECONFIG": str(kubeconfig(cluster)),
            "AMBIENT_NAMESPACE": OWN,
            "AMBIENT_NAMESPACE_PREFIX": self._prefix,
            "AMBIENT_RUNNER_IMAGE": f"{RUNNER}:1",
            "AMBIENT_RUNNER_NODE_SELECTOR": f"kubernetes.io/hostname={node.name}",
            "AMBIENT_LIVENESS_SECONDS": "3",
        }

    def namespace(self, project: str) -> str:
        """Where a project's sessions are."""
        return f"{self._prefix}{project}"

    def _pods(self, session: str | None) -> list[Pod]:
        labels = [(pod, pod.document["metadata"].get("labels", {})) for pod in self.node.pods()]
        return [pod for pod, given in labels if session in (None, given.get(SESSION))]

    def runners(self, session: str | None = None) -> list[int]:
        firsts = [pid for pod in self._pods(session) for pid in pod.pids()]
        return [member for pid in firsts for member in children_and_self(pid)]

    def runner(self, session: str) -> int:
        [pid] = eventually(
            lambda: [pid for pod in self._pods(session) for pid in pod.pids()], "the runner's process"
        )
        return pid

    def workspace(self, session: str) -> Path:
        pods = self._pods(session)
        return pods[-1].volume("workspace") if pods else Path("/no-pod") / session

    def use(self, python: Path) -> None:
        self.node.images[RUNNER] = runner_image(python)

    def stop(self) -> None:
        """The node ends with whoever has started it."""


class KubernetesRuntimeDriver(NodeDriver):
    """A node of this platform's own, with a gate before its runners."""

    def __init__(self, folder: Path) -> None:
        cluster = shared_cluster()
        node = Node(cluster, f"node-{secrets.token_hex(4)}", folder / "node", IMAGES)
        super().__init__(cluster, node)
        self._folder = folder
        self._put_gate_before(runner_image())
        node.start()

    def use(self, python: Path) -> None:
        self._put_gate_before(runner_image(python))

    def _put_gate_before(self, image: Image) -> None:
        self.gate = Gate(self._folder / "gate", Path(image.entrypoint[0]), seen_at=Path(GATE))
        here = {str(self._folder.parent): self._folder.parent}  # repositories that tests name by their path
        self.node.images[RUNNER] = replace(
            image,
            entrypoint=(f"{GATE}/python", *image.entrypoint[1:]),
            files={**image.files, GATE: self.gate.folder, **here},
        )

    def stop(self) -> None:
        self.node.stop()
