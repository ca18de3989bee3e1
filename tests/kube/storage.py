"""Volumes for claims: folders of the host, made beforehand; the cluster itself binds claims to them."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from tests.kube.api import Api
from tests.kube.node import Node

CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
VOLUMES = "/api/v1/persistentvolumes"


@contextlib.contextmanager
def storage(api: Api, node: Node, folder: Path, *, volumes: int, size: str = "10Gi") -> Iterator[str]:
    """A storage class with so many volumes on one node; they are not used a second time."""
    name = f"folders-{secrets.token_hex(3)}"
    api.post(CLASSES, {"metadata": {"name": name}, "provisioner": "kubernetes.io/no-provisioner"})
    paths = []
    for number in range(volumes):
        place = folder / f"volume-{number}"
        place.mkdir()
        where = [
            {"key": label, "operator": "In", "values": [value]} for label, value in node.selector.items()
        ]
        spec = {
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": name,
            "local": {"path": str(place)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": where}]}},
        }
        api.post(VOLUMES, {"metadata": {"name": f"{name}-{number}"}, "spec": spec})
        paths.append(f"{VOLUMES}/{name}-{number}")
    yield name
    for path in (*paths, f"{CLASSES}/{name}"):
        api.delete(path)
