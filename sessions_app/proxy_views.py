"""Routes that a session's runner answers: files, git, MCP servers, tasks, feedback (docs/workspace.md)."""

import base64
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import quote

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connection
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from ambient.common.exceptions import (
    ApplicationError,
    BadRequest,
    Conflict,
    NoRunner,
    NotFound,
    TooLarge,
)
from sessions_app.choices import Phase
from sessions_app.models import Session
from sessions_app.proxies.calls import UPLOADS, RunnerCall, task_call, workspace_path
from sessions_app.proxies.client import RunnerAnswer, RunnerAway, call_runner
from sessions_app.proxy_serializers import (
    AgentCapabilitiesSerializer,
    BackgroundTasksSerializer,
    FeedbackSerializer,
    FileWrittenSerializer,
    GitStatusSerializer,
    McpStatusSerializer,
    RemoteConfiguredSerializer,
    RemoteSetSerializer,
    RepositoryStatusSerializer,
    WorkspaceListingSerializer,
)
from sessions_app.view_base import OfSessionViewSet

FILE = {(200, "application/octet-stream"): OpenApiTypes.BINARY}
UPLOAD = {"application/octet-stream": OpenApiTypes.BINARY}
FOLDER = OpenApiParameter("path", str, description="Folder of the workspace.")
NOT_OFFERED = frozenset({404, 405, 501})
REFUSALS: dict[int, type[ApplicationError]] = {
    400: BadRequest,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: BadRequest,
}


class RunnerProxyViewSet(OfSessionViewSet):
    """Everything below `/sessions/{pk}/` that only the runner knows.

    Without a runner most reads answer as the first implementation does, with nothing in it, and the rest
    is 503; a runner that does not answer is 502; what a runner refuses is the same 4xx here.
    """

    answered_by_runner = True
    open_to_users = frozenset(
        {"write_file", "delete_file", "write_upload", "delete_upload", "git_configure_remote"}
        | {"task_stop", "feedback"}
    )
    action_permissions = dict.fromkeys(
        ("capabilities", "tasks", "task_output", "mcp_status", "workspace", "file", "uploads")
        + ("git_status", "git_branches", "repos_status"),
        "session:read",
    ) | dict.fromkeys(sorted(open_to_users), "session:update")

    # --- what the agent says of itself

    @extend_schema(operation_id="session_agui_capabilities", responses=AgentCapabilitiesSerializer)
    def capabilities(self, request: Any, pk: str) -> Response:
        """What the session's agent can do."""
        return self.read(
            self.get_object(), RunnerCall("GET", "/capabilities"), without={"framework": "unknown"}
        )

    @extend_schema(operation_id="session_mcp_status", responses=McpStatusSerializer)
    def mcp_status(self, request: Any, pk: str) -> Response:
        """The session's MCP servers, as far as its agent has asked them."""
        return self.read(
            self.get_object(), RunnerCall("GET", "/mcp/status"), without={"servers": [], "totalCount": 0}
        )

    @extend_schema(operation_id="session_agui_tasks", responses=BackgroundTasksSerializer)
    def tasks(self, request: Any, pk: str) -> Response:
        """The agent's work in the background. Runners of ours have none: a run ends when all its work has."""
        return self.read(
            self.get_object(),
            RunnerCall("GET", "/tasks"),
            without={"tasks": [], "total": 0},
            shape=lambda found: found | {"total": len(found["tasks"])},
        )

    @extend_schema(operation_id="session_agui_task_stop", request=None, responses={200: OpenApiTypes.OBJECT})
    def task_stop(self, request: Any, pk: str, task_id: str) -> Response:
        """End one background task."""
        return Response(self.json_of(self.get_object(), task_call("POST", task_id, "stop")))

    @extend_schema(operation_id="session_agui_task_output", responses={200: OpenApiTypes.OBJECT})
    def task_output(self, request: Any, pk: str, task_id: str) -> Response:
        """What one background task has written."""
        return Response(self.json_of(self.get_object(), task_call("GET", task_id, "output")))

    @extend_schema(
        operation_id="session_agui_feedback",
        request=FeedbackSerializer,
        responses={200: OpenApiTypes.OBJECT},
    )
    def feedback(self, request: Any, pk: str) -> Response:
        """Tell the agent's runner what a person thinks of an answer; answered with an AG-UI RAW event."""
        session, body = self.get_object(), request.body_object()
        FeedbackSerializer().to_internal_value(body)
        return Response(self.json_of(session, RunnerCall("POST", "/feedback", body=body)))

    # --- files

    @extend_schema(
        operation_id="session_workspace", parameters=[FOLDER], responses=WorkspaceListingSerializer
    )
    def workspace(self, request: Any, pk: str) -> Response:
        """What lies in the workspace, or in one folder of it."""
        return self.listing(self.get_object(), request.query_params.get("path", ""))

    @extend_schema(operation_id="session_workspace_file_get", responses=FILE)
    def file(self, request: Any, pk: str, path: str) -> HttpResponseBase:
        """One file of the workspace, as its bytes."""
        session = self.get_object()
        wanted = workspace_path(path)
        answer = self.send(session, RunnerCall("GET", "/content/file", {"path": wanted}))
        if answer.status != 200:
            _refuse(answer.status, async_to_sync(answer.json)())
        headers = {
            # Whatever an agent wrote is never a page of this server.
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(wanted.rsplit('/', 1)[-1])}",
            "Cache-Control": "no-store",
        }
        if answer.size is not None:
            headers["Content-Length"] = str(answer.size)
        return StreamingHttpResponse(answer, content_type="application/octet-stream", headers=headers)

    @extend_schema(operation_id="session_workspace_file_put", request=UPLOAD, responses=FileWrittenSerializer)
    def write_file(self, request: Any, pk: str, path: str) -> Response:
        """Make or replace one file of the workspace; the body is its content."""
        return self.written(path)

    @extend_schema(operation_id="session_workspace_file_delete", responses={204: None})
    def delete_file(self, request: Any, pk: str, path: str) -> Response:
        """Delete one file of the workspace, or a folder with all that is in it."""
        return self.deleted(path)

    @extend_schema(operation_id="session_files", responses=WorkspaceListingSerializer)
    def uploads(self, request: Any, pk: str) -> Response:
        """What people have uploaded: the workspace's folder `file-uploads`."""
        session = self.get_object()
        try:
            return self.listing(session, UPLOADS)
        except NotFound:  # the folder is made by the first upload
            return Response({"files": []})

    @extend_schema(operation_id="session_files_put", request=UPLOAD, responses=FileWrittenSerializer)
    def write_upload(self, request: Any, pk: str, path: str) -> Response:
        """Upload one file for the agent; the body is its content."""
        return self.written(f"{UPLOADS}/{path}")

    @extend_schema(operation_id="session_files_delete", responses={204: None})
    def delete_upload(self, request: Any, pk: str, path: str) -> Response:
        """Delete one upload."""
        return self.deleted(f"{UPLOADS}/{path}")

    # --- git

    @extend_schema(operation_id="session_git_status", parameters=[FOLDER], responses=GitStatusSerializer)
    def git_status(self, request: Any, pk: str) -> Response:
        """Changes since the last commit, of the main repository or of the folder named."""
        nothing: dict[str, Any] = {"modified": [], "staged": [], "untracked": []}
        session = self.get_object()
        call = RunnerCall("GET", "/content/git-status", self.folder())
        return self.read(session, call, without=nothing, shape=lambda found: nothing | found)

    @extend_schema(
        operation_id="session_git_branches",
        parameters=[FOLDER],
        responses={200: {"type": "array", "items": {"type": "string"}}},
    )
    def git_branches(self, request: Any, pk: str) -> Response:
        """Branches of the main repository or of the folder named."""
        session = self.get_object()
        call = RunnerCall("GET", "/content/git-list-branches", self.folder())
        return self.read(session, call, without=[], shape=lambda found: found["branches"])

    @extend_schema(
        operation_id="session_git_configure_remote",
        request=RemoteSetSerializer,
        responses=RemoteConfiguredSerializer,
    )
    def git_configure_remote(self, request: Any, pk: str) -> Response:
        """Set the remote `origin`; a folder without a repository gets one."""
        session = self.get_object()
        values = dict(RemoteSetSerializer().to_internal_value(request.body_object()))
        if "path" in values:
            workspace_path(values["path"])
        call = RunnerCall("POST", "/content/git-configure-remote", body=values)
        return Response(self.json_of(session, call))

    @extend_schema(
        operation_id="session_repos_status", responses={200: RepositoryStatusSerializer(many=True)}
    )
    def repos_status(self, request: Any, pk: str) -> Response:
        """The repositories that the workspace really has."""
        return self.read(
            self.get_object(),
            RunnerCall("GET", "/repos/status"),
            without=[],
            shape=lambda found: found["repos"],
        )

    # --- how all of them ask

    def folder(self) -> dict[str, str]:
        """The folder that the query names."""
        path = self.request.query_params.get("path", "")
        return {"path": workspace_path(path)} if path else {}

    def send(self, session: Session, call: RunnerCall) -> RunnerAnswer:
        """The runner's answer, whatever its status. Holds no database connection while it waits."""
        if session.phase != Phase.RUNNING or not session.runner_endpoint:
            raise RunnerAway
        if not connection.in_atomic_block:
            connection.close()
        answer: RunnerAnswer = async_to_sync(call_runner)(session.pk, call)
        return answer

    def json_of(self, session: Session, call: RunnerCall) -> Any:
        """The runner's JSON; its refusal is ours."""
        answer = self.send(session, call)
        body = async_to_sync(answer.json)()
        if answer.status != 200:
            _refuse(answer.status, body)
        return body

    def read(
        self,
        session: Session,
        call: RunnerCall,
        *,
        without: Any,
        shape: Callable[[Any], Any] = lambda found: found,
    ) -> Response:
        """The runner's answer in our shape; `without` when there is no runner, or it has no such route."""
        try:
            answer = self.send(session, call)
        except RunnerAway:
            return Response(without)
        body = async_to_sync(answer.json)()
        if answer.status in NOT_OFFERED and not call.query:
            return Response(without)
        if answer.status != 200:
            _refuse(answer.status, body)
        try:
            return Response(shape(body))
        except (KeyError, TypeError) as exc:
            raise NoRunner("The session's runner gave an answer of another form") from exc

    def listing(self, session: Session, path: str) -> Response:
        """What lies in a folder of the workspace."""
        call = RunnerCall("GET", "/content/list", {"path": workspace_path(path)} if path else {})
        return self.read(session, call, without={"files": []}, shape=lambda found: {"files": found["items"]})

    def written(self, path: str) -> Response:
        """Write the request's body into a file of the workspace."""
        session = self.get_object()
        wanted, content = workspace_path(path), self.request._request.read(settings.MAX_FILE_BYTES + 1)
        if len(content) > settings.MAX_FILE_BYTES:
            raise TooLarge(f"A file may have at most {settings.MAX_FILE_BYTES} bytes")
        encoded = base64.b64encode(content).decode()
        body = {"path": wanted, "content": encoded, "encoding": "base64"}
        self.json_of(session, RunnerCall("POST", "/content/write", body=body))
        return Response({"message": "ok", "path": wanted, "size": len(content)})

    def deleted(self, path: str) -> Response:
        """Delete a file or folder of the workspace."""
        session = self.get_object()
        self.json_of(session, RunnerCall("DELETE", "/content/delete", body={"path": workspace_path(path)}))
        return Response(status=204)


def _refuse(status: int, body: Any) -> NoReturn:
    """A runner's refusal as the same refusal of ours; what cannot be the caller's fault is a 502."""
    kind = REFUSALS.get(status)
    if kind is None:
        raise NoRunner(f"The session's runner answered with status {status}")
    detail = body.get("detail") if isinstance(body, dict) else None
    raise kind(detail[:500] if isinstance(detail, str) and detail else "The session's runner refused this")
