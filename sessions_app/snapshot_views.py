"""Saved workspaces over REST: for the session's own runner; to everybody else there is nothing here."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from ambient.common.exceptions import Conflict, NotFound, not_found
from ambient.common.viewsets import ScopedViewSet
from ambient.common.wire import Timestamp
from projects_app.access import RunnerIdentity
from projects_app.authentication import (
    FORWARDED_HEADER,
    BearerAuthentication,
    CookieAuthentication,
    bearer_token,
)
from sessions_app import snapshot_store
from sessions_app.models import Session
from sessions_app.services.snapshots import (
    snapshot_begin,
    snapshot_complete,
    snapshot_failed,
    snapshot_latest,
    snapshot_of,
)
from sessions_app.snapshot_serializers import (
    SnapshotBeginSerializer,
    SnapshotCompleteSerializer,
    SnapshotFailureSerializer,
    SnapshotLatestSerializer,
    SnapshotUploadSerializer,
    parse_begin,
    parse_failure,
)
from sessions_app.tokens import saving_runner_identity

wire_time: Any = Timestamp().to_representation
BY_TOKEN: Any = [{"bearer": []}]


class SavingRunnerAuthentication(BearerAuthentication):
    """A runner that is being stopped still has its files to save."""

    def authenticate(self, request: Any) -> tuple[Any, str] | None:
        token = bearer_token(request.headers.get("Authorization"), request.headers.get(FORWARDED_HEADER))
        runner = token and saving_runner_identity(token)
        return (runner, token) if runner and token else super().authenticate(request)


class SnapshotViewSet(ScopedViewSet):
    """A session's files, saved beyond its pod. An address in an answer opens one object and is a secret."""

    queryset = Session.objects.all()
    pagination_class = None
    authentication_classes = [SavingRunnerAuthentication, CookieAuthentication]
    action_permissions = {
        "latest": "session:read",
        "begin": "session:read",
        "complete": "session:read",
        "failed": "session:read",
    }

    def missing(self, pk: str) -> NotFound:
        return not_found("Session", pk)

    def runner(self) -> RunnerIdentity:
        """The caller, who must be the runner of the path's session: nobody else learns that it exists."""
        user = self.request.user
        if not isinstance(user, RunnerIdentity) or user.session_id != self.kwargs["pk"]:
            raise self.missing(self.kwargs["pk"])
        if not snapshot_store.enabled():
            raise Conflict("this platform does not save files")
        return user

    @extend_schema(
        operation_id="session_workspace_snapshot_get", auth=BY_TOKEN, responses=SnapshotLatestSerializer
    )
    def latest(self, request: Any, pk: str) -> Response:
        """The newest snapshot, to start with."""
        found = snapshot_latest(self.runner().session_id)
        if found is None:
            return _answer({"snapshot": None})
        address = snapshot_store.address_to_get(found.key)
        body = {
            "id": found.pk,
            "size": found.size,
            "sha256": found.sha256,
            "saved_at": wire_time(found.completed_at),
            "url": address.url,
            "expires_at": wire_time(address.expires_at),
        }
        return _answer({"snapshot": body})

    @extend_schema(
        operation_id="session_workspace_snapshot_begin",
        auth=BY_TOKEN,
        request=SnapshotBeginSerializer,
        responses={200: SnapshotUploadSerializer},
    )
    def begin(self, request: Any, pk: str) -> Response:
        """Announce an archive; the answer says where to put it. It counts once it is complete."""
        runner = self.runner()
        size, sha256 = parse_begin(request.body_object())
        begun = snapshot_begin(session_id=runner.session_id, attempt=runner.attempt, size=size, sha256=sha256)
        address = snapshot_store.address_to_put(begun.key, size=size, sha256=sha256)
        body = {
            "id": begun.pk,
            "url": address.url,
            "headers": dict(address.headers),
            "expires_at": wire_time(address.expires_at),
        }
        return _answer(body)

    @extend_schema(
        operation_id="session_workspace_snapshot_complete",
        auth=BY_TOKEN,
        request=None,
        responses={200: SnapshotCompleteSerializer},
    )
    def complete(self, request: Any, pk: str, sid: str) -> Response:
        """The upload has ended: from now on this is the newest, if the bucket has all of it."""
        runner = self.runner()
        begun = snapshot_of(runner.session_id, runner.attempt, sid)
        found = snapshot_store.stored(begun.key)  # asked outside of any transaction
        done = snapshot_complete(
            session_id=runner.session_id,
            attempt=runner.attempt,
            snapshot_id=begun.pk,
            stored_size=found.size if found else None,
            stored_sha256=found.sha256 if found else None,
        )
        return _answer({"id": done.pk, "saved_at": wire_time(done.completed_at)})

    @extend_schema(
        operation_id="session_workspace_snapshot_failed",
        auth=BY_TOKEN,
        request=SnapshotFailureSerializer,
        responses={204: None},
    )
    def failed(self, request: Any, pk: str) -> Response:
        """The files could not be saved; people see why on the session."""
        runner = self.runner()
        message = parse_failure(request.body_object())
        snapshot_failed(session_id=runner.session_id, attempt=runner.attempt, message=message)
        return Response(status=204)


def _answer(body: dict[str, Any]) -> Response:
    return Response(body, headers={"Cache-Control": "no-store"})
