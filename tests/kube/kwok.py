"""Simulated nodes for load: kwok says that pods run, and nothing runs."""

from pathlib import Path

from ambient.common import processes
from tests.kube.access import Access
from tests.kube.cluster import programs

STAGES = Path(__file__).with_suffix(".yaml")
MARK = {"kwok.x-k8s.io/node": "fake"}
CAPACITY = {"cpu": "1000", "memory": "4Ti", "pods": "1000"}


class Kwok:
    """Plays the nodes that it made, until it is stopped."""

    def __init__(self, access: Access, folder: Path, *, nodes: int = 1, prefix: str = "kwok") -> None:
        self.names = [f"{prefix}-{number}" for number in range(nodes)]
        self._access = access
        self._log = folder / "kwok.log"

    def start(self) -> None:
        """Make the nodes and play them. Pods come by `nodeSelector: {type: kwok}`."""
        api = self._access.api()
        for name in self.names:
            labels = {"kubernetes.io/hostname": name, "type": "kwok"}
            status = {"capacity": CAPACITY, "allocatable": CAPACITY}
            metadata = {"name": name, "labels": labels, "annotations": MARK}
            api.post("/api/v1/nodes", {"metadata": metadata, "status": status})
        api.close()
        [(key, value)] = MARK.items()
        flags = {
            "kubeconfig": self._access.kubeconfig,
            "config": STAGES,
            "manage-all-nodes": "false",
            "manage-nodes-with-annotation-selector": f"{key}={value}",
            "node-lease-duration-seconds": 40,
        }
        with self._log.open("wb") as output:
            self._process = processes.spawn(
                [str(programs() / "kwok"), *(f"--{name}={value}" for name, value in flags.items())],
                output=output,
            )

    def stop(self) -> None:
        """End it, and take the nodes away."""
        processes.stop(self._process, [])
        api = self._access.api()
        for name in self.names:
            api.delete(f"/api/v1/nodes/{name}")
        api.close()
