"""Sessions as pods of a cluster: a namespace a project, and per attempt a ServiceAccount that owns the rest.

Where workspaces are on volumes, a session has a claim besides, which goes with the session alone.

Nothing is kept here but, for two seconds, how a project's namespace was. The floor of attempts is the
session's row: what is applied must be the attempt that it names, and what is there of another one is removed.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from ambient import env
from ambient.common.database import database_now
from reconciler.errors import PermanentError, TemporaryError
from reconciler.kubernetes import manifests, names
from reconciler.kubernetes.client import Cluster, connect
from reconciler.kubernetes.errors import LATER_SECONDS, Conflict
from reconciler.kubernetes.identity import is_pod_of
from reconciler.kubernetes.names import Manifest
from reconciler.kubernetes.namespaces import Place, Places, end_namespace, namespace_of
from reconciler.kubernetes.observation import is_overdue, observed
from reconciler.kubernetes.proof import proven_instance
from reconciler.kubernetes.resources import container_resources
from reconciler.kubernetes.wishes import wishes_of
from reconciler.launch import runner_secret
from reconciler.models import Installation
from reconciler.runtimes.base import Existing, Runtime, SessionRef
from reconciler.state import Observed
from sessions_app.choices import DesiredState, Reason
from sessions_app.models import Session

CORE = "/api/v1"
PLURALS = {
    "ServiceAccount": f"{CORE}/namespaces/{{}}/serviceaccounts",
    "Secret": f"{CORE}/namespaces/{{}}/secrets",
    "Pod": f"{CORE}/namespaces/{{}}/pods",
    "PersistentVolumeClaim": f"{CORE}/namespaces/{{}}/persistentvolumeclaims",
    "Service": f"{CORE}/namespaces/{{}}/services",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
}
TRIES = 3
KINDS = ("serviceaccounts", "pods")
"""What tells whether anything of an attempt is left: the others belong to the first."""
CLAIMS = "persistentvolumeclaims"
OF_ANOTHER_PLACE = (Reason.WAITING, Reason.CONFIG_INVALID)
"""How a namespace refuses that has gone, or got other limits, since it was looked at."""
FIXED = ("Pod", "PersistentVolumeClaim")
"""What cannot be changed once it is there."""


class KubernetesRuntime(Runtime):
    """Talks to one cluster; several workers may do so at once."""

    look_after_apply_seconds = 5.0  # without the watch

    def __init__(self, cluster: Cluster | None = None) -> None:
        self._cluster = cluster or connect()
        self._places = Places(self._cluster)
        self._installation: str | None = None

    def namespace(self, project_id: str) -> str:
        return namespace_of(project_id)

    def survey(self) -> "ClusterSurvey":
        return ClusterSurvey(self._list)

    def observe_many(self, sessions: Sequence[SessionRef]) -> dict[str, Observed]:
        return self.survey().observe_many(sessions)

    def observe(self, session: SessionRef) -> Observed:
        accounts, pods = (self._list(kind, session) for kind in KINDS)
        newest = max(pods, key=lambda pod: names.number(pod, names.ATTEMPT), default=None)
        found = observed(accounts, pods, instance=session.instance)
        if newest is not None and found.reason == Reason.STARTING:
            found = observed(accounts, pods, self._events(newest))
        if session.purge:
            found = _with_claims(found, self._list(CLAIMS, session))
        if found.ready and (found.instance is None or found.attempt != session.attempt):
            return self._proven(session, found)
        return found

    def apply(self, session: SessionRef, spec: Mapping[str, Any], attempt: int) -> None:
        row = Session.objects.select_related("project").filter(pk=session.id).first()
        if row is None or row.attempt != attempt or row.desired_state != DesiredState.RUNNING:
            raise TemporaryError(Reason.WAITING, f"Attempt {attempt} was overtaken.", delay=1.0)
        site = self._site()
        namespace = manifests.namespace(site, self.namespace(row.project_id), row.project_id)
        known = self._places.known(namespace["metadata"]["name"])
        if known is not None:
            try:
                return self._make(site, _wanted(row, spec, known))
            except (TemporaryError, PermanentError) as exc:
                if exc.reason not in OF_ANOTHER_PLACE:
                    raise
        self._make(site, _wanted(row, spec, self._places.look(namespace)))

    def delete(self, session: SessionRef, up_to_attempt: int) -> None:
        if self._delete_pods(session, up_to_attempt):
            return  # the network policy stays as long as a pod does
        for account in self._list("serviceaccounts", session):
            if names.number(account, names.ATTEMPT) <= up_to_attempt:
                self._cluster.delete(_path(account), account["metadata"]["uid"])
        for claim in self._list(CLAIMS, session) if session.purge else ():
            self._cluster.delete(_path(claim), claim["metadata"]["uid"])

    def logs(self, session: SessionRef, lines: int = 200) -> str:
        pods = self._list("pods", session)
        if not pods:
            return ""
        newest = max(pods, key=lambda pod: names.number(pod, names.ATTEMPT))
        return self._cluster.text(f"{_path(newest)}/log", container=names.RUNNER, tailLines=str(lines))

    def existing(self) -> Iterable[Existing]:
        return self.survey().existing()

    def end_project(self, project_id: str) -> str | None:
        return end_namespace(self._cluster, self._installation_id(), project_id)

    def proves(self, session: SessionRef, attempt: int, token: str) -> bool:
        return is_pod_of(
            self._cluster,
            token,
            namespace=self.namespace(session.project_id),
            installation=self._installation_id(),
            session_id=session.id,
            generation=session.generation,
            attempt=attempt,
        )

    def _proven(self, session: SessionRef, found: Observed) -> Observed:
        row = Session.objects.filter(pk=session.id).first()
        if row is None or found.endpoint is None:
            return replace(found, ready=False, instance=None)
        instance, why = proven_instance(found.endpoint, runner_secret(row), session.id, found.generation)
        if instance is None:
            return replace(
                found, ready=False, instance=None, reason=Reason.NOT_ANSWERING, message=why, look_again=1.0
            )
        return replace(found, instance=instance)

    def _make(self, site: manifests.Site, wanted: manifests.Wanted) -> None:
        if site.claims:
            self._claim(manifests.claim(site, wanted))
        owner = self._put(manifests.service_account(site, wanted))
        for manifest in manifests.owned(site, wanted, owner["metadata"]["uid"]):
            self._put(manifest)

    def _claim(self, manifest: Manifest) -> None:
        found = self._put(manifest)
        if found["metadata"].get("deletionTimestamp") is not None:
            text = f"The volume claim {found['metadata']['name']} is being deleted by somebody."
            raise TemporaryError(Reason.WAITING, text, delay=LATER_SECONDS)

    def _delete_pods(self, session: SessionRef, up_to_attempt: int) -> bool:
        """Ask for the end of its pods; whether any is still there."""
        now = database_now()
        for pod in self._up_to(session, up_to_attempt):
            leaving = pod["metadata"].get("deletionTimestamp") is not None
            if is_overdue(pod, now):  # its node is lost, or will not do it
                self._cluster.delete(_path(pod), pod["metadata"]["uid"], grace_seconds=0)
            elif not leaving:
                self._cluster.delete(_path(pod), pod["metadata"]["uid"])
        return bool(self._up_to(session, up_to_attempt))

    def _up_to(self, session: SessionRef, attempt: int) -> list[Manifest]:
        pods = self._list("pods", session)
        return [pod for pod in pods if names.number(pod, names.ATTEMPT) <= attempt]

    def _put(self, manifest: Manifest) -> Manifest:
        """Have this object. Raises PermanentError when another's has its name (docs/adr/0019)."""
        path = _path(manifest)
        for _ in range(TRIES):
            try:
                return self._cluster.create(path.rpartition("/")[0], manifest)
            except Conflict:  # it is there already
                found = self._cluster.get(path)
            if found is None:  # and gone again
                continue
            if not names.is_same(found, manifest):
                said = f"{manifest['kind']} {manifest['metadata']['name']}"
                text = f"The {said} exists already, and is not this session's."
                raise PermanentError(Reason.OBJECT_NOT_OURS, text)
            return found if manifest["kind"] in FIXED else self._cluster.apply(path, manifest, force=True)
        raise TemporaryError(Reason.CLUSTER_UNREACHABLE, "The cluster's objects keep changing.", delay=1.0)

    def _list(self, kind: str, session: SessionRef | None = None) -> list[Manifest]:
        """Ours of a kind, of all sessions or of one; everywhere when its project is not known."""
        where = f"namespaces/{self.namespace(session.project_id)}/" if session and session.project_id else ""
        wanted = names.selector(self._installation_id(), session.id if session else None)
        return self._cluster.list(f"{CORE}/{where}{kind}", labelSelector=wanted)

    def _events(self, pod: Manifest) -> list[Manifest]:
        meta = pod["metadata"]
        path = f"{CORE}/namespaces/{meta['namespace']}/events"
        return self._cluster.list(path, fieldSelector=f"involvedObject.uid={meta['uid']}")

    def _site(self) -> manifests.Site:
        saves = env.WORKSPACE == "snapshot"
        endpoint = urlsplit(env.S3_ENDPOINT)
        return manifests.Site(
            installation=self._installation_id(),
            image=env.RUNNER_IMAGE,
            own_namespace=env.NAMESPACE,
            grace_seconds=env.STOP_GRACE_SECONDS + (env.SNAPSHOT_SECONDS if saves else 0),
            liveness_seconds=env.LIVENESS_SECONDS,
            start_deadline_seconds=env.START_DEADLINE_SECONDS,
            pull_secrets=env.RUNNER_PULL_SECRETS,
            node_selector=env.RUNNER_NODE_SELECTOR,
            tolerations=env.RUNNER_TOLERATIONS,
            workspace_size=env.WORKSPACE_SIZE,
            claims=env.WORKSPACE == "pvc",
            storage_class=env.WORKSPACE_STORAGE_CLASS,
            bucket_networks=env.S3_NETWORKS if saves else (),
            bucket_port=endpoint.port or (80 if endpoint.scheme == "http" else 443),
        )

    def _installation_id(self) -> str:
        if self._installation is None:
            self._installation = Installation.objects.values_list("pk", flat=True).get()
        return self._installation


class ClusterSurvey:
    """All that is ours, each kind listed once and when it is first needed: a list of thousands is dear."""

    def __init__(self, listed: Callable[[str], list[Manifest]]) -> None:
        self._listed = functools.cache(listed)
        self._of_session = functools.cache(lambda kind: _by_session(self._listed(kind)))

    def observe_many(self, sessions: Sequence[SessionRef]) -> dict[str, Observed]:
        accounts, pods = (self._of_session(kind) for kind in KINDS)
        return {
            ref.id: observed(accounts.get(ref.id, ()), pods.get(ref.id, ()), instance=ref.instance)
            for ref in sessions
        }

    def existing(self) -> Iterable[Existing]:
        found: dict[tuple[str, int], list[Manifest]] = {}
        for kind in (*KINDS, CLAIMS):  # a claim is of no attempt: 0
            for each in self._listed(kind):
                key = (names.session_of(each), names.number(each, names.ATTEMPT))
                found.setdefault(key, []).append(each)
        for (session_id, attempt), objects in found.items():
            generation = names.number(objects[0], names.GENERATION)
            said = tuple(each["metadata"]["name"] for each in objects)
            yield Existing(session_id, generation, attempt, said)


def _wanted(row: Session, spec: Mapping[str, Any], place: Place) -> manifests.Wanted:
    wishes = wishes_of(row)
    return manifests.Wanted(
        project_id=row.project_id,
        session_id=row.pk,
        generation=spec["generation"],
        attempt=row.attempt,
        namespace=namespace_of(row.project_id),
        # Identity is the pod's own token: what is known to whoever may read Secrets proves nothing.
        document={name: value for name, value in spec.items() if name != "launch_token"},
        variables={"TRACEPARENT": spec["traceparent"]} if spec.get("traceparent") else {},
        # A proxy's address may hold a password.
        secret_variables=env.pod_environment() | env.framework_environment(str(spec["framework"])),
        resources=container_resources(wishes.resources, env.RUNNER_RESOURCES, place.ranges),
        internet=wishes.internet,
        service=wishes.service,
    )


def _path(found: Manifest) -> str:
    meta = found["metadata"]
    return f"{PLURALS[found['kind']].format(meta['namespace'])}/{meta['name']}"


def _with_claims(found: Observed, claims: Sequence[Manifest]) -> Observed:
    """Of a session that nobody wants, what is left counts until it is gone."""
    said = tuple(f"{claim['kind']}/{claim['metadata']['name']}" for claim in claims)
    return replace(found, objects=(*found.objects, *said))


def _by_session(found: Iterable[Manifest]) -> dict[str, list[Manifest]]:
    groups: dict[str, list[Manifest]] = {}
    for each in found:
        groups.setdefault(names.session_of(each), []).append(each)
    return groups
