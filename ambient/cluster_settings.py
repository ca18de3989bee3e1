"""What the settings of the Kubernetes runtime may be, and which namespaces no project gets: pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

GROUPS_OF_RESOURCES = ("requests", "limits")
KINDS_OF_RESOURCES = ("cpu", "memory", "ephemeral-storage")
RESOURCES = f"{', '.join(KINDS_OF_RESOURCES)} and those like nvidia.com/gpu"
LONGEST_NAME = 63
CLUSTERS_OWN = ("default", "ingress-nginx")
"""Namespaces of the cluster's: the second is the one that the chart lets reach the API."""
_LABEL_NAME = re.compile(
    r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
)
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
_PREFIX = re.compile(r"[a-z]([a-z0-9-]{0,29})?")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|[kMGTPE]i?|Ki)?")


def namespace_prefix(raw: str) -> str:
    """What a namespace's name may begin with."""
    if not _PREFIX.fullmatch(raw):
        raise ValueError(f"{raw!r} is not up to 30 lower-case letters, digits and '-', a letter first")
    return raw


def namespace_problem(namespace: str, own: str) -> str | None:
    """Why a project may not have this namespace, in one sentence; None when it may."""
    if namespace in CLUSTERS_OWN or namespace.startswith("kube-"):
        return f"the namespace {namespace} belongs to the cluster"
    if namespace == own:
        return f"the namespace {namespace} is the platform's own"
    if len(namespace) > LONGEST_NAME:
        return f"the namespace {namespace} would be longer than {LONGEST_NAME} characters"
    return None


def node_selector(raw: str) -> dict[str, str]:
    """Labels as `name=value`, comma separated."""
    found = {}
    for pair in filter(None, (part.strip() for part in raw.split(","))):
        name, sign, value = pair.partition("=")
        if not sign or not _LABEL_NAME.fullmatch(name) or not _LABEL_VALUE.fullmatch(value):
            raise ValueError(f"{pair[:80]!r} is not a label of the form name=value")
        found[name] = value
    return found


def tolerations(raw: str) -> list[dict[str, Any]]:
    """A JSON array of Kubernetes tolerations."""
    value = _json(raw)
    known = {"key", "operator", "value", "effect", "tolerationSeconds"}
    if not isinstance(value, list) or not all(
        isinstance(each, dict) and set(each) <= known for each in value
    ):
        raise ValueError(f"not a JSON array of objects with {', '.join(sorted(known))}")
    return value


def quantity(raw: str) -> str:
    """An amount as Kubernetes writes it."""
    if not _QUANTITY.fullmatch(raw):
        raise ValueError(f"{raw[:40]!r} is no quantity such as 500m or 2Gi")
    return raw


def resources(raw: str) -> dict[str, dict[str, str]]:
    """A JSON object of `requests` and `limits`, as in a pod."""
    return checked_resources(_json(raw))


def checked_resources(value: Any) -> dict[str, dict[str, str]]:
    """The requests and limits in it; raises ValueError that names what cannot be used.

    `{"cpu": "2", "memory": "4Gi"}` is short for both at once.
    """
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    given = {name: amount for name, amount in value.items() if amount is not None}
    plain = {name: amount for name, amount in given.items() if name not in GROUPS_OF_RESOURCES}
    for name in plain:
        if not _is_resource(name):
            raise ValueError(f"{str(name)[:40]!r} is none of {', '.join(GROUPS_OF_RESOURCES)}, {RESOURCES}")
    found = {group: dict(plain) for group in GROUPS_OF_RESOURCES if plain}
    for group in GROUPS_OF_RESOURCES:
        amounts = given.get(group, {})
        if not isinstance(amounts, dict):
            raise ValueError(f"{group} is not an object")
        if amounts:
            found.setdefault(group, {}).update(amounts)
    return {group: _amounts(group, amounts) for group, amounts in found.items()}


def _amounts(group: str, amounts: Mapping[str, Any]) -> dict[str, str]:
    checked = {}
    for name, amount in amounts.items():
        if not _is_resource(name):
            raise ValueError(f"{group} may name {RESOURCES}, not {str(name)[:40]!r}")
        text = str(amount) if isinstance(amount, str | int | float) and not isinstance(amount, bool) else ""
        if not _QUANTITY.fullmatch(text):
            raise ValueError(f"{group}.{name} is no quantity such as 500m or 2Gi")
        if group == "limits" and not is_extended(name) and re.search("[1-9]", text) is None:
            raise ValueError(f"limits.{name} is 0, which a cluster takes for no limit")
        checked[name] = text
    return checked


def _is_resource(name: str) -> bool:
    return name in KINDS_OF_RESOURCES or is_extended(name)


def is_extended(name: str) -> bool:
    """Whether it is of a device's maker, such as nvidia.com/gpu; the cluster says which ones there are."""
    return "/" in name and _LABEL_NAME.fullmatch(name) is not None


def _json(raw: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise ValueError("not JSON") from exc
