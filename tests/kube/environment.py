"""What a container sees of its pod and its objects: environment, arguments, fields. Pure."""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.kube.api import Document

Read = Callable[[str, str], Document]  # kind and name of an object of the pod's namespace
REFERENCE = re.compile(r"\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)")
SUBSCRIPT = re.compile(r"(metadata\.(?:labels|annotations))\['([^']+)'\]")
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class MissingKey(Exception):
    """A Secret or ConfigMap lacks what the pod asks for."""


def expand(text: str, values: Mapping[str, str]) -> str:
    """`$(NAME)` becomes the value, `$$` one dollar; an unknown name stays as it is written."""

    def replacement(match: re.Match[str]) -> str:
        return "$" if match[1] is None else values.get(match[1], match[0])

    return REFERENCE.sub(replacement, text)


def field_value(pod: Document, path: str) -> str:
    """A field of the pod, as the downward API gives it."""
    if found := SUBSCRIPT.fullmatch(path):
        return str(_at(pod, found[1]).get(found[2], ""))
    value = _at(pod, path)
    if isinstance(value, dict):
        return "".join(f'{name}="{text}"\n' for name, text in sorted(value.items()))
    return str(value)


def data_of(kind: str, document: Document) -> dict[str, bytes]:
    """The content of a Secret or a ConfigMap."""
    found = {name: base64.b64decode(text) for name, text in document.get("binaryData", {}).items()}
    for name, text in (document.get("data") or {}).items():
        found[name] = base64.b64decode(text) if kind == "secrets" else text.encode()
    return found


def environment(
    pod: Document, container: Document, image: Mapping[str, str], service: Mapping[str, str], read: Read
) -> dict[str, str]:
    """The whole environment of a container, in the order of precedence of a kubelet."""
    values = {"PATH": DEFAULT_PATH, "HOME": "/", "HOSTNAME": pod["metadata"]["name"], **service, **image}
    for source in container.get("envFrom", []):
        kind, reference = _source(source, {"secretRef": "secrets", "configMapRef": "configmaps"})
        for name, data in _data(kind, reference, read).items():
            values[source.get("prefix", "") + name] = data.decode()
    for entry in container.get("env", []):
        if "valueFrom" not in entry:
            values[entry["name"]] = expand(entry.get("value", ""), values)
        elif (value := _value_from(pod, entry["valueFrom"], read)) is not None:
            values[entry["name"]] = value
    return values


def command(container: Document, entrypoint: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """What is run: the container's command, or the image's, and the arguments."""
    argv = [*(container.get("command") or entrypoint), *container.get("args", [])]
    return [expand(part, values) for part in argv]


def _value_from(pod: Document, source: Document, read: Read) -> str | None:
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"])
    kind, reference = _source(source, {"secretKeyRef": "secrets", "configMapKeyRef": "configmaps"})
    data = _data(kind, reference, read)
    if reference["key"] in data:
        return data[reference["key"]].decode()
    if reference.get("optional"):
        return None
    raise MissingKey(f"couldn't find key {reference['key']} in {kind} {reference['name']}")


def _source(source: Document, kinds: Mapping[str, str]) -> tuple[str, Document]:
    for name, kind in kinds.items():
        if name in source:
            return kind, source[name]
    raise MissingKey(f"this node does not know {', '.join(source)}")


def _data(kind: str, reference: Document, read: Read) -> dict[str, bytes]:
    try:
        return data_of(kind, read(kind, reference["name"]))
    except LookupError as exc:
        if reference.get("optional"):
            return {}
        raise MissingKey(str(exc)) from exc


def _at(document: Document, path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        value = value.get(name, {})
    return value if value != {} or path.endswith(("labels", "annotations")) else ""
