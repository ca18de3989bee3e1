"""A runtime on a real cluster beside the administrator's view of it, and sessions to run there."""

from dataclasses import dataclass, replace
from typing import Any

from reconciler.launch import launch_document
from reconciler.runtimes.base import SessionRef
from reconciler.runtimes.kubernetes import KubernetesRuntime
from reconciler.selectors import ref_of
from sessions_app.models import Session
from sessions_app.services.sessions import session_create
from tests.factories import ProjectFactory


@dataclass
class Lab:
    """A runtime and the administrator's view of the same cluster."""

    runtime: KubernetesRuntime
    api: Any

    @property
    def namespace(self) -> str:
        return self.runtime.namespace("lab")

    def path(self, kind: str, name: str = "") -> str:
        root = "/apis/networking.k8s.io/v1" if kind == "networkpolicies" else "/api/v1"
        return f"{root}/namespaces/{self.namespace}/{kind}{f'/{name}' if name else ''}"

    def names(self, kind: str) -> list[str]:
        """Of our objects of a kind."""
        found = self.api.get(self.path(kind), labelSelector="ambient-code.io/session-id")["items"]
        return sorted(each["metadata"]["name"] for each in found)

    def apply(self, session: Session, attempt: int = 1) -> SessionRef:
        """As a pass does it: the attempt is written down first."""
        Session.objects.filter(pk=session.pk).update(attempt=attempt, observed_generation=1, phase="Creating")
        session.refresh_from_db()
        document = launch_document(session, generation=1, attempt=attempt)
        self.runtime.apply(ref_of(session), document, attempt)
        return replace(ref_of(session), attempt=attempt)


def make_session(project: str = "lab", **spec) -> Session:
    """A session that somebody has wished for."""
    where = ProjectFactory._meta.model.objects.filter(pk=project).first() or ProjectFactory(id=project)
    return session_create(actor="ann", project=where, spec={"name": "s", **spec})
