"""What `doctor` looks at where sessions run in a cluster. It is run in a worker's pod, with its rights."""

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ambient import env
from ambient.cluster_settings import namespace_problem
from projects_app.models import Project
from reconciler.errors import PermanentError, TemporaryError
from reconciler.findings import FAILED, OK, WARNING, Finding
from reconciler.kubernetes.client import Cluster, connect
from reconciler.kubernetes.namespaces import NAMESPACES, namespace_of

GRANTED = env.BASE_DIR / "deploy/charts/ambient"
RULES = {"kubernetes": "rbac.yaml", "operator": "rbac-operator.yaml"}
"""What the chart grants, by the runtime: it is what the runtimes need and no more, which their tests show."""
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
OLDEST = (1, 30)
NAMED = 5


def look(cluster: Cluster | None = None) -> Iterator[Finding]:
    """All findings; what needs the cluster is left out when it does not answer."""
    cluster = cluster or connect()
    yield _namespaces()
    yield from _own_namespace()
    try:
        yield version(cluster.get("/version") or {})
        yield _permissions(cluster)
        yield _admission(cluster)
    except (TemporaryError, PermanentError) as exc:
        todo = "check AMBIENT_KUBECONFIG or the pod's ServiceAccount, and the way to the API server"
        yield Finding("cluster", FAILED, f"{exc.reason}: {exc.message}", todo)


def version(said: Mapping[str, Any]) -> Finding:
    """Whether the cluster is new enough."""
    text = str(said.get("gitVersion", ""))
    if tuple(map(int, re.findall(r"\d+", text)[:2])) >= OLDEST:
        return Finding("cluster", OK, f"Kubernetes {text} answers")
    oldest = ".".join(map(str, OLDEST))
    todo = f"Kubernetes {oldest} or newer is needed"
    return Finding("cluster", FAILED, f"what answers has the version {text!r}", todo)


def wanted(rules: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What to ask a review about, verb by verb."""
    asked = []
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                kind, _, sub = resource.partition("/")
                about = {"group": group, "resource": kind, "subresource": sub}
                asked += [about | {"verb": verb} for verb in rule["verbs"]]
    return asked


def _permissions(cluster: Cluster) -> Finding:
    rules = yaml.safe_load((GRANTED / RULES[env.RUNTIME]).read_text())["worker"]
    lacks = [_words(each) for each in wanted(rules) if not _allowed(cluster, each)]
    if lacks:
        todo = f"grant what {RULES[env.RUNTIME]} of the chart lists for a worker, in the whole cluster"
        return Finding("permissions", FAILED, f"may not {', '.join(lacks)}", todo)
    return Finding("permissions", OK, "all that a worker needs")


def _admission(cluster: Cluster) -> Finding:
    """RBAC cannot say which namespaces an account may make; whoever makes any has the cluster."""
    bare = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": f"ambient-doctor-{secrets.token_hex(4)}"},
    }
    try:
        cluster.create(NAMESPACES, bare, dry_run=True)
    except PermanentError:
        return Finding("admission", OK, "this account makes namespaces of projects only")
    text = "this account may make namespaces without Pod Security, and any pod in them"
    todo = "install admission.yaml of the chart, and run this in a worker's pod (docs/kubernetes.md)"
    return Finding("admission", WARNING, text, todo)


def _allowed(cluster: Cluster, attributes: Mapping[str, str]) -> bool:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},  # no namespace: in all of them
    }
    answer = cluster.create(REVIEWS, review)
    return bool((answer.get("status") or {}).get("allowed"))


def _words(attributes: Mapping[str, str]) -> str:
    sub = f"/{attributes['subresource']}" if attributes["subresource"] else ""
    return f"{attributes['verb']} {attributes['resource']}{sub}"


def _namespaces() -> Finding:
    """Projects from before a prefix, or another runtime, can have names that no session may run by."""
    projects = Project.objects.filter(deleted_at=None).order_by("pk").values_list("pk", flat=True)
    places = (namespace_of(project) for project in projects.iterator())
    refused = [problem for place in places if (problem := namespace_problem(place, env.NAMESPACE))]
    if namespace_of("").startswith("kube-"):
        todo = "choose another AMBIENT_NAMESPACE_PREFIX"
        return Finding("namespaces", FAILED, f"{env.NAMESPACE_PREFIX} belongs to the cluster", todo)
    if refused:
        more = f", and {len(refused) - NAMED} more" if len(refused) > NAMED else ""
        todo = "set AMBIENT_NAMESPACE_PREFIX, or make their projects anew by other names"
        return Finding("namespaces", WARNING, "; ".join(refused[:NAMED]) + more, todo)
    return Finding("namespaces", OK, f"are called {namespace_of('PROJECT')}")


def _own_namespace() -> Iterator[Finding]:
    """The network policies of runners let only AMBIENT_NAMESPACE in."""
    try:
        found = OWN_NAMESPACE.read_text().strip()
    except OSError:  # we are no pod
        return
    if found != env.NAMESPACE:
        text = f"this pod is in {found}, and runners let in only {env.NAMESPACE}"
        yield Finding("own namespace", FAILED, text, f"set AMBIENT_NAMESPACE={found}")
