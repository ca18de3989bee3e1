"""A pod's volumes as folders: filled from the API, with real pod-bound tokens.

Of volumes with a claim the node knows those of kind `local`: folders of the host, which outlive their pods.
"""

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.kube.api import Api, ApiError, Document
from tests.kube.environment import MissingKey, Read, data_of, field_value

MODE = 0o644
TOKEN_SECONDS = 3600
RENEWED_AT = 0.8  # of its time, as a kubelet does it


class CannotMount(Exception):
    """A volume cannot be made, now or ever."""


def make_volumes(api: Api, pod: Document, folder: Path, read: Read) -> dict[str, Path]:
    """Every volume of the pod; those that exist get today's content."""
    made = {}
    for volume in pod["spec"].get("volumes", []):
        path = folder / volume["name"]
        try:
            if "persistentVolumeClaim" in volume:
                made[volume["name"]] = _claimed(api, volume["persistentVolumeClaim"]["claimName"], read)
                continue
            path.mkdir(parents=True, exist_ok=True)
            _fill(api, pod, path, volume, read)
        except (MissingKey, LookupError) as exc:
            raise CannotMount(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {exc}') from exc
        made[volume["name"]] = path
    return made


def renew_tokens(api: Api, pod: Document, volumes: Mapping[str, Path]) -> None:
    """Write those tokens anew whose time is nearly over."""
    for volume in pod["spec"].get("volumes", []):
        source = volume.get("projected", {})
        for part in source.get("sources", []):
            token = part.get("serviceAccountToken")
            if token is None:
                continue
            age = time.time() - (volumes[volume["name"]] / token["path"]).stat().st_mtime
            if age >= RENEWED_AT * token.get("expirationSeconds", TOKEN_SECONDS):
                _write(volumes[volume["name"]], {token["path"]: _token(api, pod, token)}, source)


def _fill(api: Api, pod: Document, path: Path, volume: Document, read: Read) -> None:
    if "emptyDir" in volume:
        path.chmod(0o777)
    elif "secret" in volume:
        source = volume["secret"]
        _write(path, _objects("secrets", source["secretName"], source, read), source)
    elif "configMap" in volume:
        source = volume["configMap"]
        _write(path, _objects("configmaps", source["name"], source, read), source)
    elif "downwardAPI" in volume:
        source = volume["downwardAPI"]
        _write(path, _fields(pod, source), source)
    elif "projected" in volume:
        source = volume["projected"]
        for part in source["sources"]:
            _write(path, _projected(api, pod, part, read), source)
    else:
        kind = next(name for name in volume if name != "name")
        raise CannotMount(f'this node cannot make volume "{volume["name"]}" of kind {kind}')


def _claimed(api: Api, name: str, read: Read) -> Path:
    """The folder that a claim is bound to."""
    volume = read("persistentvolumeclaims", name)["spec"].get("volumeName")
    if volume is None:
        raise LookupError(f'persistentvolumeclaim "{name}" is not bound')
    try:
        path = Path(api.get(f"/api/v1/persistentvolumes/{volume}")["spec"]["local"]["path"])
    except (ApiError, KeyError) as exc:
        raise LookupError(f'persistentvolume "{volume}" is no folder that can be read') from exc
    path.chmod(0o777)  # what fsGroup is for
    return path


def _projected(api: Api, pod: Document, part: Document, read: Read) -> dict[str, bytes]:
    if "serviceAccountToken" in part:
        return {part["serviceAccountToken"]["path"]: _token(api, pod, part["serviceAccountToken"])}
    if "secret" in part:
        return _objects("secrets", part["secret"]["name"], part["secret"], read)
    if "configMap" in part:
        return _objects("configmaps", part["configMap"]["name"], part["configMap"], read)
    return _fields(pod, part["downwardAPI"])


def _token(api: Api, pod: Document, source: Document) -> bytes:
    metadata = pod["metadata"]
    account = pod["spec"].get("serviceAccountName", "default")
    bound = {"kind": "Pod", "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"]}
    audiences = [source["audience"]] if "audience" in source else []
    spec = {
        "audiences": audiences,
        "expirationSeconds": source.get("expirationSeconds", TOKEN_SECONDS),
        "boundObjectRef": bound,
    }
    path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
    return str(api.post(path, {"spec": spec})["status"]["token"]).encode()


def _objects(kind: str, name: str, source: Document, read: Read) -> dict[str, bytes]:
    try:
        data = data_of(kind, read(kind, name))
    except LookupError:
        if source.get("optional"):
            return {}
        raise
    if "items" not in source:
        return data
    wanted = {item["path"]: item["key"] for item in source["items"]}
    if missing := [key for key in wanted.values() if key not in data]:
        raise MissingKey(f"references non-existent secret key: {missing[0]}")
    return {path: data[key] for path, key in wanted.items()}


def _fields(pod: Document, source: Document) -> dict[str, bytes]:
    return {
        item["path"]: field_value(pod, item["fieldRef"]["fieldPath"]).encode() for item in source["items"]
    }


def _write(folder: Path, files: Mapping[str, bytes], source: Document) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(content)
        fresh.chmod(source.get("defaultMode", MODE))
        fresh.replace(path)


def mounts(container: Document, volumes: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Where a container sees which folder."""
    found = []
    for mount in container.get("volumeMounts", []):
        source = volumes[mount["name"]]
        if "subPath" in mount:
            source = source / mount["subPath"]
            if not source.exists():
                source.mkdir(parents=True)
        found.append(
            {"source": str(source), "target": mount["mountPath"], "read_only": mount.get("readOnly", False)}
        )
    return found


def forget(folder: Path) -> None:
    """What a pod leaves is gone with it."""
    shutil.rmtree(folder, ignore_errors=True)
