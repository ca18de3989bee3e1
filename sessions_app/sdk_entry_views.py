"""The agent SDK's session store over REST: for the session's own runner and nobody else."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from ambient.common.exceptions import Forbidden, NotFound, not_found
from ambient.common.viewsets import NOT_PERMITTED, ScopedViewSet
from projects_app.access import RunnerIdentity
from sessions_app.models import Session
from sessions_app.sdk_entry_serializers import (
    SdkAppendSerializer,
    SdkEntryPageSerializer,
    SdkHeadSerializer,
    SdkKeyListSerializer,
    checked_key,
    parse_append,
)
from sessions_app.services.sdk_entries import sdk_entries_after, sdk_entries_append, sdk_keys
from sessions_app.streams.cursors import number

KEY = OpenApiParameter("key", str, required=True)
AFTER = OpenApiParameter("after", int, description="Only entries after this position.")


class SdkEntryViewSet(ScopedViewSet):
    """What the agent SDK remembers of a session, so that it goes on where there is no shared disk."""

    queryset = Session.objects.all()
    pagination_class = None
    # Reading is all that a session token may in general; who may append is asked below.
    action_permissions = {"keys": "session:read", "entries": "session:read", "append": "session:read"}

    def missing(self, pk: str) -> NotFound:
        return not_found("Session", pk)

    def authorize_object(self, permission: str, obj: Any) -> None:
        """A transcript holds whatever the agent saw: not even an admin reads it here."""
        if not isinstance(self.request.user, RunnerIdentity):
            raise Forbidden(NOT_PERMITTED)
        super().authorize_object(permission, obj)

    @extend_schema(operation_id="session_sdk_keys", responses=SdkKeyListSerializer)
    def keys(self, request: Any, pk: str) -> Response:
        """The lists that are stored."""
        session = self.get_object()
        return Response({"items": [{"key": key, "head": head} for key, head in sdk_keys(session.pk)]})

    @extend_schema(
        operation_id="session_sdk_entries_list", parameters=[KEY, AFTER], responses=SdkEntryPageSerializer
    )
    def entries(self, request: Any, pk: str) -> Response:
        """Entries of one list, page by page."""
        session = self.get_object()
        key = checked_key(request.query_params.get("key"))
        found, more = sdk_entries_after(session.pk, key, number(request.query_params.get("after")) or 0)
        items = [{"position": position, "entry": entry} for position, entry in found]
        return Response({"key": key, "items": items, "more": more})

    @extend_schema(
        operation_id="session_sdk_entries_append",
        request=SdkAppendSerializer,
        responses={200: SdkHeadSerializer},
    )
    def append(self, request: Any, pk: str) -> Response:
        """Store entries at the end of a list; the same append again changes nothing."""
        session = self.get_object()
        key, position, entries = parse_append(request.body_object())
        return Response({"head": sdk_entries_append(session.pk, key, position, entries)})
