"""A project's namespace: ours to make and to end, or lent to us, or somebody else's and left alone."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ambient import env
from ambient.cluster_settings import namespace_problem
from reconciler.errors import PermanentError, TemporaryError
from reconciler.kubernetes import names
from reconciler.kubernetes.client import Cluster
from reconciler.kubernetes.errors import LATER_SECONDS, Conflict
from reconciler.kubernetes.names import Manifest
from sessions_app.choices import Reason

NAMESPACES = "/api/v1/namespaces"
KNOWN_SECONDS = 2.0
"""So long a namespace counts as looked at: many starts at once need not look each."""


@dataclass(frozen=True)
class Place:
    """A namespace that may be used, and the limit ranges in it."""

    ranges: list[Manifest]
    seen_at: float = field(default_factory=time.monotonic)


class Places:
    """The namespaces that one process has looked at a moment ago."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[str, Place] = {}

    def known(self, name: str) -> Place | None:
        """What is remembered of it."""
        place = self._known.get(name)
        return place if place and time.monotonic() - place.seen_at < KNOWN_SECONDS else None

    def look(self, manifest: Manifest) -> Place:
        """Have the namespace and see its limits. Raises PermanentError when it may not be used."""
        name = ensure_namespace(self._cluster, manifest)
        place = Place(self._cluster.list(f"{NAMESPACES}/{name}/limitranges"))
        self._known = {each: there for each in self._known if (there := self.known(each))} | {name: place}
        return place


def namespace_of(project_id: str) -> str:
    """How a project's namespace is called."""
    return f"{env.NAMESPACE_PREFIX}{project_id}"


def ensure_namespace(cluster: Cluster, manifest: Manifest) -> str:
    """Have the namespace; returns its name. Raises PermanentError when it may not be used."""
    name, labels = manifest["metadata"]["name"], names.labels_of(manifest)
    if problem := namespace_problem(name, env.NAMESPACE):
        raise PermanentError(Reason.NAMESPACE_NOT_OURS, f"Sessions cannot run here: {problem}.")
    found = cluster.get(f"{NAMESPACES}/{name}") or _make(cluster, manifest)
    if not names.owns_namespace(found, labels[names.INSTALLATION], labels[names.PROJECT]):
        raise PermanentError(Reason.NAMESPACE_NOT_OURS, _whose(found, labels))
    if found["metadata"].get("deletionTimestamp") is not None:
        raise TemporaryError(Reason.WAITING, _why_it_stays(found), delay=LATER_SECONDS)
    return str(name)


def _whose(found: Manifest, wanted: Mapping[str, str]) -> str:
    """Who has a namespace that is not for this project, and what to do. Nobody is told to take another's."""
    name, there = found["metadata"]["name"], names.labels_of(found)
    elsewhere = f"Set AMBIENT_NAMESPACE_PREFIX, so that projects get namespaces of their own, not {name}"
    if there.get(names.INSTALLATION, wanted[names.INSTALLATION]) != wanted[names.INSTALLATION]:
        return f"The namespace {name} is another installation's. {elsewhere}."
    if there.get(names.PROJECT, wanted[names.PROJECT]) != wanted[names.PROJECT]:
        return f"The namespace {name} is for the project {there[names.PROJECT]}. {elsewhere}."
    return (
        f"The namespace {name} is somebody else's. To lend it to the project, its owner labels it "
        f"{names.MANAGED}=true and {names.PROJECT}={wanted[names.PROJECT]}."
    )


def end_namespace(cluster: Cluster, installation: str, project_id: str) -> str | None:
    """Remove the namespace if we made it; None when that is done, else what it waits for."""
    path = f"{NAMESPACES}/{namespace_of(project_id)}"
    found = cluster.get(path)
    if found is None or not names.made_namespace(found, installation, project_id):
        return None
    if found["metadata"].get("deletionTimestamp") is None:
        cluster.delete(path, found["metadata"]["uid"])
        found = cluster.get(path)
    return _why_it_stays(found) if found is not None else None


def _make(cluster: Cluster, manifest: Manifest) -> Manifest:
    """A create, not an apply: what somebody else makes meanwhile must not become ours."""
    try:
        return cluster.create(NAMESPACES, manifest)
    except Conflict:
        found = cluster.get(f"{NAMESPACES}/{manifest['metadata']['name']}")
        if found is None:
            raise TemporaryError(Reason.WAITING, "The namespace is gone again.", delay=1.0) from None
        return found


def _why_it_stays(namespace: Manifest) -> str:
    """What a namespace that is being deleted still waits for."""
    conditions = namespace.get("status", {}).get("conditions", ())
    said = [each.get("message", "") for each in conditions if each.get("status") == "True"]
    text = f"The namespace {namespace['metadata']['name']} is still being deleted"
    return f"{text}: {'; '.join(filter(None, said))}" if any(said) else f"{text}."
