"""The client: one object per kind, thin over the generated calls."""

import os
from collections.abc import Mapping
from types import ModuleType, TracebackType
from typing import Any

import httpx

from ambient_platform._generated.api.projects import (
    agent_create,
    agent_get,
    agent_start,
    project_create,
    project_delete,
    project_get,
)
from ambient_platform._generated.api.sessions import (
    session_create,
    session_delete,
    session_get,
    session_interrupts_answer,
    session_interrupts_list,
    session_messages_create,
    session_messages_list,
    session_start,
    session_status,
    session_stop,
    session_update,
)
from ambient_platform._generated.models import (
    Agent,
    AgentRequest,
    AgentStart,
    AgentStartRequest,
    Interrupt,
    InterruptAnswerRequest,
    Project,
    ProjectRequest,
    Session,
    SessionMessage,
    SessionMessageCreateRequest,
    SessionPatchRequest,
    SessionRequest,
    SessionStatusPatchRequest,
)
from ambient_platform.errors import ConnectionFailed, parsed
from ambient_platform.streams import EventStream

DEFAULT_URL = "http://localhost:8000"


class _Calls:
    """Sends what a generated call describes and turns refusals into APIError."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def __call__(self, call: ModuleType, *path: str, **parameters: Any) -> Any:
        request = call._get_kwargs(*path, **parameters)
        try:
            response = self.http.request(**request)
        except httpx.TransportError as exc:
            raise ConnectionFailed(str(exc) or type(exc).__name__) from exc
        return parsed(call, response)


class ProjectAPI:
    """Projects."""

    def __init__(self, call: _Calls) -> None:
        self._call = call

    def create(self, **fields: Any) -> Project:
        """A new project; the caller becomes its owner."""
        return self._call(project_create, body=ProjectRequest.from_dict(fields))  # type: ignore[no-any-return]

    def get(self, project_id: str) -> Project:
        """One project."""
        return self._call(project_get, project_id)  # type: ignore[no-any-return]

    def delete(self, project_id: str) -> None:
        """Delete a project; its sessions end."""
        self._call(project_delete, project_id)


class AgentAPI:
    """Agents of a project."""

    def __init__(self, call: _Calls) -> None:
        self._call = call

    def create(self, project_id: str, **fields: Any) -> Agent:
        """A new agent."""
        body = AgentRequest.from_dict(fields)
        return self._call(agent_create, project_id, body=body)  # type: ignore[no-any-return]

    def get(self, project_id: str, agent_id: str) -> Agent:
        """One agent."""
        return self._call(agent_get, project_id, agent_id)  # type: ignore[no-any-return]

    def start(self, project_id: str, agent_id: str, *, prompt: str | None = None) -> AgentStart:
        """Start the agent, or find the session it is already at work in."""
        body = AgentStartRequest.from_dict({} if prompt is None else {"prompt": prompt})
        return self._call(agent_start, project_id, agent_id, body=body)  # type: ignore[no-any-return]


class SessionAPI:
    """Sessions: create, follow, talk, stop."""

    def __init__(self, call: _Calls) -> None:
        self._call = call

    def create(self, **fields: Any) -> Session:
        """A new session; it wants to run at once."""
        return self._call(session_create, body=SessionRequest.from_dict(fields))  # type: ignore[no-any-return]

    def get(self, session_id: str) -> Session:
        """One session."""
        return self._call(session_get, session_id)  # type: ignore[no-any-return]

    def update(self, session_id: str, **fields: Any) -> Session:
        """Change fields of a session."""
        body = SessionPatchRequest.from_dict(fields)
        return self._call(session_update, session_id, body=body)  # type: ignore[no-any-return]

    def delete(self, session_id: str) -> None:
        """End and delete a session."""
        self._call(session_delete, session_id)

    def start(self, session_id: str) -> Session:
        """Start a session that is at its end again."""
        return self._call(session_start, session_id)  # type: ignore[no-any-return]

    def stop(self, session_id: str) -> Session:
        """Ask for the session to end."""
        return self._call(session_stop, session_id)  # type: ignore[no-any-return]

    def update_status(self, session_id: str, status: Mapping[str, Any]) -> Session:
        """Report status; for runners and controllers."""
        body = SessionStatusPatchRequest.from_dict(status)
        return self._call(session_status, session_id, body=body)  # type: ignore[no-any-return]

    def send(self, session_id: str, text: str) -> SessionMessage:
        """Say something to the agent."""
        body = SessionMessageCreateRequest.from_dict({"event_type": "user", "payload": text})
        return self._call(session_messages_create, session_id, body=body)  # type: ignore[no-any-return]

    def messages(self, session_id: str, *, after_seq: int = 0) -> list[SessionMessage]:
        """The conversation after a sequence number."""
        return self._call(session_messages_list, session_id, after_seq=after_seq)  # type: ignore[no-any-return]

    def questions(self, session_id: str) -> list[Interrupt]:
        """Open questions and approvals."""
        found = self._call(session_interrupts_list, session_id).items
        return [interrupt for interrupt in found if interrupt.state == "open"]

    def answer(self, session_id: str, interrupt_id: str, payload: Any, status: str = "resolved") -> Interrupt:
        """Answer one; `cancelled` abandons it."""
        body = InterruptAnswerRequest.from_dict({"status": status, "payload": payload})
        return self._call(session_interrupts_answer, session_id, interrupt_id, body=body)  # type: ignore[no-any-return]

    def stream(self, session_id: str, *, after: int = 0) -> EventStream:
        """Stored AG-UI events after a sequence number, then live ones; use it in a `with` block."""
        return EventStream(self._call.http, f"/api/ambient/v1/sessions/{session_id}/agui/events", after)


class AmbientClient:
    """A connection to one platform. Safe to share between threads."""

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        token: str = "",
        project: str | None = None,
        *,
        timeout: float = 30.0,
    ) -> None:
        headers = {"User-Agent": "ambient-python/2.0.0"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if project:
            headers["X-Ambient-Project"] = project
        self._http = httpx.Client(
            base_url=base_url, headers=headers, timeout=timeout, follow_redirects=False, trust_env=False
        )
        calls = _Calls(self._http)
        self.projects = ProjectAPI(calls)
        self.agents = AgentAPI(calls)
        self.sessions = SessionAPI(calls)

    @classmethod
    def from_env(cls, **options: Any) -> "AmbientClient":
        """From AMBIENT_API_URL, AMBIENT_TOKEN and AMBIENT_PROJECT."""
        return cls(
            os.environ.get("AMBIENT_API_URL") or DEFAULT_URL,
            os.environ.get("AMBIENT_TOKEN", ""),
            os.environ.get("AMBIENT_PROJECT") or None,
            **options,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> "AmbientClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
