"""Sessions as resources of an operator that is there already: one AgenticSession each, for all its attempts.

The operator makes the pods. We write what is wanted (`reconciler/operator/resources.py`), read what has come
of it (`reconciler/operator/mirror.py`), and do ourselves what it is known to leave undone (docs/operator.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ambient import env
from ambient.common.database import database_now
from ambient.common.json_text import parsed
from projects_app.models import ProjectSettings
from projects_app.services.group_access import ROLES, group_entries
from reconciler.errors import PermanentError, TemporaryError
from reconciler.kubernetes import names as labels
from reconciler.kubernetes.client import Cluster, connect
from reconciler.kubernetes.errors import REFUSED_SECONDS, Conflict
from reconciler.kubernetes.names import Manifest
from reconciler.kubernetes.namespaces import end_namespace, ensure_namespace, namespace_of
from reconciler.kubernetes.observation import is_overdue
from reconciler.models import Installation
from reconciler.operator import names, resources
from reconciler.operator.mirror import has_left, must_be_stopped, must_lose_its_pod, observed
from reconciler.runtimes.base import Existing, Runtime, SessionRef
from reconciler.state import Observed
from sessions_app.choices import DesiredState, Reason
from sessions_app.models import Session

EVERYWHERE = f"{names.ROOT}/{names.SESSIONS}"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies"
TRIES = 3
STOPPING_SECONDS = 1.0


class OperatorRuntime(Runtime):
    """Talks to one cluster; several workers may do so at once."""

    def __init__(self, cluster: Cluster | None = None) -> None:
        self._cluster = cluster or connect()
        self._installation: str | None = None

    def namespace(self, project_id: str) -> str:
        return namespace_of(project_id)

    def survey(self) -> "OperatorSurvey":
        return OperatorSurvey(self._resources(), self._pods_by_resource())

    def observe_many(self, sessions: Sequence[SessionRef]) -> dict[str, Observed]:
        return self.survey().observe_many(sessions)

    def observe(self, session: SessionRef) -> Observed:
        resource = self._resource(session)
        return observed(session, resource, self._pod(session, resource), database_now())

    def apply(self, session: SessionRef, spec: Mapping[str, Any], attempt: int) -> None:
        row = Session.objects.filter(pk=session.id).first()
        if row is None:
            raise _overtaken(attempt)
        if row.runner_type not in resources.RUNNER_TYPES:
            text = f"The operator has no runner for the framework {row.runner_type}; it has "
            known = ", ".join(resources.RUNNER_TYPES)
            raise PermanentError(Reason.CONFIG_INVALID, f"{text}{known}.")
        wanted = self._wanted(row, spec)
        self._prepare(wanted)
        manifest = resources.agentic_session(wanted)
        path = self._path(session)
        for _ in range(TRIES):
            found = self._cluster.get(path)
            self._must_be_free(session, manifest, found, attempt)
            if not _is_wanted(session.id, attempt):  # asked after the look: what comes later is a Conflict
                raise _overtaken(attempt)
            if found is not None and labels.number(found, labels.ATTEMPT) == attempt:
                return  # asked for already: what has become of it is the operator's
            try:
                made = self._cluster.apply(path, resources.as_found(manifest, found), force=found is not None)
                self._start(path, made, spec["generation"], attempt)
            except Conflict:  # made or changed since: look again
                continue
            return
        raise _keeps_changing()

    def delete(self, session: SessionRef, up_to_attempt: int) -> None:
        for _ in range(TRIES):
            resource = self._resource(session)
            if resource is not None and labels.number(resource, labels.ATTEMPT) > up_to_attempt:
                return
            if resource is None or resource["metadata"].get("deletionTimestamp"):
                break
            if session.purge:  # the cluster collects what belongs to it
                self._cluster.delete(_path_of(resource), resource["metadata"]["uid"])
                return
            if not must_be_stopped(resource):
                break
            try:
                self._stop(resource)
            except Conflict:  # changed since: look again
                continue
            break
        else:
            raise _keeps_changing()
        self._end_pod(session, resource)

    def logs(self, session: SessionRef, lines: int = 200) -> str:
        pod = self._pod(session, self._resource(session))
        if pod is None:
            return ""
        return self._cluster.text(f"{_pod_path(pod)}/log", container=names.RUNNER, tailLines=str(lines))

    def existing(self) -> Iterable[Existing]:
        return self.survey().existing()

    def end_project(self, project_id: str) -> str | None:
        return end_namespace(self._cluster, self._installation_id(), project_id)

    def _must_be_free(
        self, session: SessionRef, manifest: Manifest, found: Manifest | None, attempt: int
    ) -> None:
        """Refuse another's resource, and one that still has a runner of before: it would be taken over."""
        if found is not None:
            if not labels.labels_of(manifest).items() <= labels.labels_of(found).items():
                name = found["metadata"]["name"]
                text = f"The AgenticSession {name} exists already, and is not this session's."
                raise PermanentError(Reason.OBJECT_NOT_OURS, text)
            if labels.number(found, labels.ATTEMPT) == attempt:
                return
            if labels.number(found, labels.ATTEMPT) > attempt:
                raise _overtaken(attempt)
        pod = self._pod(session, found)
        if pod is not None or (found is not None and has_left(found, None, database_now())):
            text = "What ran before is still being stopped."
            raise TemporaryError(Reason.WAITING, text, delay=STOPPING_SECONDS)

    def _wanted(self, row: Session, document: Mapping[str, Any]) -> resources.Wanted:
        workflow = parsed(row.workflow_id)
        return resources.Wanted(
            installation=self._installation_id(),
            project_id=row.project_id,
            session_id=row.pk,
            namespace=self.namespace(row.project_id),
            framework=row.runner_type,
            spec=document["spec"],
            created_by=row.created_by_user_id,
            parent_id=row.parent_session_id,
            timeout=row.timeout,
            stop_on_run_finished=row.stop_on_run_finished,
            workflow=workflow if isinstance(workflow, dict) else {},
        )

    def _prepare(self, wanted: resources.Wanted) -> None:
        """What a project needs: its namespace, its settings there, a way for us to its runners."""
        if self._cluster.get(names.ROOT) is None:
            text = f"The cluster does not know {names.VERSION}: the operator's kinds are not installed."
            raise TemporaryError(Reason.CONFIG_INVALID, text, delay=REFUSED_SECONDS)
        own, project, name = wanted.installation, wanted.project_id, wanted.namespace
        ensure_namespace(self._cluster, resources.namespace(own, name, project))
        policy = resources.network_policy(own, project, name, env.NAMESPACE)
        self._cluster.apply(f"{POLICIES.format(name)}/{names.POLICY_NAME}", policy, force=True)
        path = f"{names.ROOT}/namespaces/{name}/{names.SETTINGS}/{names.SETTINGS_NAME}"
        manifest = resources.project_settings(own, project, name, _defaults(project), self._cluster.get(path))
        self._cluster.apply(path, manifest, force=True)

    def _start(self, path: str, found: Manifest, generation: int, attempt: int) -> None:
        """Name the attempt on what was just written, though the operator may have begun with it meanwhile."""
        before, now = names.start_time_of(found), _now()
        stops = names.annotation(found, names.STOP_REQUESTED)
        for _ in range(TRIES):
            wish = resources.start_wish(found, generation=generation, attempt=attempt, before=before, now=now)
            try:
                self._cluster.apply(path, wish, force=True, manager=names.WISH_MANAGER)
                return
            except Conflict:
                newer = self._cluster.get(path)
                is_same = newer is not None and newer["metadata"]["uid"] == found["metadata"]["uid"]
                if newer is None or not is_same or names.annotation(newer, names.STOP_REQUESTED) != stops:
                    raise
                found = newer
        raise Conflict("the resource keeps changing")

    def _stop(self, resource: Manifest) -> None:
        row = Session.objects.filter(pk=labels.session_of(resource)).only("reason").first()
        reason = "inactivity" if row is not None and row.reason == Reason.INACTIVITY else None
        wish = resources.stop_wish(resource, now=_now(), reason=reason)
        self._cluster.apply(_path_of(resource), wish, force=True, manager=names.WISH_MANAGER)

    def _end_pod(self, session: SessionRef, resource: Manifest | None) -> None:
        pod = self._pod(session, resource)
        if pod is None:
            return
        now = database_now()
        path, uid = _pod_path(pod), pod["metadata"]["uid"]
        if is_overdue(pod, now):  # its node is lost, or will not do it
            self._cluster.delete(path, uid, grace_seconds=0)
        elif pod["metadata"].get("deletionTimestamp") is None and must_lose_its_pod(resource, now):
            self._cluster.delete(path, uid)

    def _resources(self, session_id: str | None = None) -> list[Manifest]:
        return self._cluster.list(
            EVERYWHERE, labelSelector=labels.selector(self._installation_id(), session_id)
        )

    def _resource(self, session: SessionRef) -> Manifest | None:
        """The session's, if it is ours; looked for everywhere when its project is not known."""
        if not session.project_id:
            return next(iter(self._resources(session.id)), None)
        found = self._cluster.get(self._path(session))
        wanted = {labels.INSTALLATION: self._installation_id(), labels.SESSION: session.id}
        return found if found is not None and wanted.items() <= labels.labels_of(found).items() else None

    def _pod(self, session: SessionRef, resource: Manifest | None) -> Manifest | None:
        """The operator's runner of the session; a pod of another's resource of that name is not it."""
        if resource is not None:
            namespace = resource["metadata"]["namespace"]
        elif session.project_id:
            namespace = self.namespace(session.project_id)
        else:
            return None
        name = names.resource_name(session.id)
        found = self._cluster.get(f"/api/v1/namespaces/{namespace}/pods/{names.pod_name(name)}")
        if found is None or labels.labels_of(found).get(names.OF_SESSION) != name:
            return None
        if resource is None and self._cluster.get(self._path(session)) is not None:
            return None
        return found

    def _pods_by_resource(self) -> dict[tuple[str, str], Manifest]:
        pods = self._cluster.list("/api/v1/pods", labelSelector=names.pods_of())
        return {(pod["metadata"]["namespace"], labels.labels_of(pod)[names.OF_SESSION]): pod for pod in pods}

    def _path(self, session: SessionRef) -> str:
        namespace, name = self.namespace(session.project_id), names.resource_name(session.id)
        return f"{names.ROOT}/namespaces/{namespace}/{names.SESSIONS}/{name}"

    def _installation_id(self) -> str:
        if self._installation is None:
            self._installation = Installation.objects.values_list("pk", flat=True).get()
        return self._installation


class OperatorSurvey:
    """All resources of ours and all the operator's pods, listed once."""

    def __init__(self, found: Iterable[Manifest], pods: Mapping[tuple[str, str], Manifest]) -> None:
        self._resources = {labels.session_of(each): each for each in found}
        self._pods = pods

    def observe_many(self, sessions: Sequence[SessionRef]) -> dict[str, Observed]:
        now = database_now()
        return {ref.id: self._observed(ref, namespace_of(ref.project_id), now) for ref in sessions}

    def existing(self) -> Iterable[Existing]:
        now = database_now()
        for session_id, resource in self._resources.items():
            ref = SessionRef(session_id, labels.labels_of(resource).get(labels.PROJECT, ""))
            seen = self._observed(ref, resource["metadata"]["namespace"], now)
            yield Existing(ref.id, seen.generation, seen.attempt, seen.objects)

    def _observed(self, ref: SessionRef, namespace: str, now: datetime) -> Observed:
        pod = self._pods.get((namespace, names.resource_name(ref.id)))
        return observed(ref, self._resources.get(ref.id), pod, now)


def _defaults(project_id: str) -> resources.Defaults:
    row = ProjectSettings.objects.filter(project_id=project_id, deleted_at=None).first()
    if row is None:
        return resources.Defaults()
    words = {role: word for word, role in ROLES.items()}
    groups = sorted((group, words[role]) for group, role in group_entries(row.group_access))
    repositories = parsed(row.repositories)
    return resources.Defaults(
        groups=groups if row.group_access else None,
        repositories=repositories if isinstance(repositories, list) else None,
        inactivity_timeout=row.inactivity_timeout,
    )


def _is_wanted(session_id: str, attempt: int) -> bool:
    return Session.objects.filter(pk=session_id, attempt=attempt, desired_state=DesiredState.RUNNING).exists()


def _overtaken(attempt: int) -> TemporaryError:
    return TemporaryError(Reason.WAITING, f"Attempt {attempt} was overtaken.", delay=1.0)


def _keeps_changing() -> TemporaryError:
    return TemporaryError(Reason.CLUSTER_UNREACHABLE, "The cluster's objects keep changing.", delay=1.0)


def _path_of(resource: Manifest) -> str:
    meta = resource["metadata"]
    return f"{names.ROOT}/namespaces/{meta['namespace']}/{names.SESSIONS}/{meta['name']}"


def _pod_path(pod: Manifest) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _now() -> str:
    return database_now().isoformat(timespec="seconds").replace("+00:00", "Z")
