"""The conversation of one session: messages, runs, interrupts, and the streams of its events."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from ambient.common.exceptions import InvalidField
from sessions_app.conversation_serializers import (
    RunAgentInputSerializer,
    RunInterruptResultSerializer,
    RunInterruptSerializer,
    SessionMessageCreateSerializer,
    SessionMessageEditSerializer,
    SessionMessageSerializer,
    StoredEventListSerializer,
    message_body,
    parse_history,
    parse_run_input,
    text_field,
)
from sessions_app.event_history import MAX_LIMIT, stored_events
from sessions_app.selectors import head_of
from sessions_app.services.runs import agui_run_start, run_interrupt_request
from sessions_app.services.sending import message_cancel, message_edit, message_retry, message_send
from sessions_app.stream_views import (
    follow_as_runner,
    follow_events,
    follow_messages,
    follow_run,
    wants_stream,
)
from sessions_app.streams.cursors import number
from sessions_app.streams.message_frames import message_wire
from sessions_app.streams.node import current
from sessions_app.streams.pools import TRANSIENT
from sessions_app.streams.store import MESSAGE_PAGE, PAGE_BYTES, PAGE_EVENTS, Store
from sessions_app.view_base import OfSessionViewSet

IDEMPOTENCY_LIMIT = 255
AWAY_SECONDS, AGAIN_SECONDS = 60.0, 0.2
STREAM = OpenApiResponse(OpenApiTypes.STR, description="Server-sent events.")
AFTER = OpenApiParameter("after_seq", int, description="Only what comes after this sequence number.")
LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID", str, OpenApiParameter.HEADER, description="The last id seen; wins over after_seq."
)


class ConversationViewSet(OfSessionViewSet):
    """Everything below `/sessions/{pk}/` that is about its conversation."""

    open_to_users = frozenset({"post_message", "agui_run"})
    action_permissions = {
        "messages": "session:read",
        "post_message": "session:update",
        "edit_message": "session:update",
        "cancel_message": "session:update",
        "retry_message": "session:update",
        "events": "session:read",
        "event_history": "session:read",
        "agui_events": "session:read",
        "agui_run": "session:update",
        "agui_interrupt": "session:update",
    }

    # --- messages

    @extend_schema(
        operation_id="session_messages_list",
        parameters=[AFTER, LAST_EVENT_ID],
        responses={
            (200, "application/json"): SessionMessageSerializer(many=True),
            (200, "text/event-stream"): OpenApiTypes.STR,
        },
    )
    def messages(self, request: Any, pk: str) -> HttpResponseBase:
        """All messages after a sequence number, or with Accept text/event-stream also those to come."""
        session = self.get_object()
        if wants_stream(request):
            return follow_messages(request, session)
        return _message_array(session.pk, number(request.query_params.get("after_seq")) or 0)

    @extend_schema(
        operation_id="session_messages_create",
        request=SessionMessageCreateSerializer,
        responses={201: SessionMessageSerializer},
    )
    def post_message(self, request: Any, pk: str) -> Response:
        """Send a message to the agent; it becomes a run."""
        session = self.get_object()
        body = request.body_object()
        event_type = text_field(body, "event_type") or "user"
        if event_type != "user":
            raise InvalidField('event_type must be "user" on this endpoint')
        text = text_field(body, "payload")
        if not text:
            raise InvalidField("payload must not be empty")
        key = request.headers.get("Idempotency-Key") or None
        if key is not None and len(key) > IDEMPOTENCY_LIMIT:
            raise InvalidField(f"Idempotency-Key may have at most {IDEMPOTENCY_LIMIT} characters")
        client_id = text_field(body, "client_id") or None
        if client_id is not None and len(client_id) > IDEMPOTENCY_LIMIT:
            raise InvalidField(f"client_id may have at most {IDEMPOTENCY_LIMIT} characters")
        message = message_send(
            session=session,
            actor=request.user.username,
            text=text,
            client_id=client_id,
            idempotency_key=key,
        )
        return Response(message_body(message), status=201)

    @extend_schema(
        operation_id="session_messages_update",
        request=SessionMessageEditSerializer,
        responses={200: SessionMessageSerializer},
    )
    def edit_message(self, request: Any, pk: str, mid: str) -> Response:
        """Change a message that is still queued."""
        session = self.get_object()
        text = text_field(request.body_object(), "payload")
        if not text:
            raise InvalidField("payload must not be empty")
        return Response(message_body(message_edit(session=session, message_id=mid, text=text)))

    @extend_schema(operation_id="session_messages_delete", responses={204: None})
    def cancel_message(self, request: Any, pk: str, mid: str) -> Response:
        """Take back a message that is still queued."""
        message_cancel(session=self.get_object(), message_id=mid)
        return Response(status=204)

    @extend_schema(
        operation_id="session_messages_retry", request=None, responses={200: SessionMessageSerializer}
    )
    def retry_message(self, request: Any, pk: str, mid: str) -> Response:
        """Send a failed message again."""
        session = self.get_object()
        message = message_retry(session=session, message_id=mid, actor=request.user.username)
        return Response(message_body(message))

    # --- events

    @extend_schema(
        operation_id="session_events",
        parameters=[AFTER, LAST_EVENT_ID],
        responses={(200, "text/event-stream"): STREAM},
    )
    def events(self, request: Any, pk: str) -> StreamingHttpResponse:
        """The agent's AG-UI events until the end of a run; with a cursor everything after it, for ever."""
        return follow_as_runner(request, self.get_object())

    @extend_schema(
        operation_id="session_events_history",
        parameters=[
            AFTER,
            OpenApiParameter("event_type", str, description="Only events of this AG-UI type."),
            OpenApiParameter("limit", int, description=f"Most events in the answer, at most {MAX_LIMIT}."),
            OpenApiParameter("start_time", OpenApiTypes.DATETIME, description="From this time on."),
            OpenApiParameter("end_time", OpenApiTypes.DATETIME, description="Before this time."),
        ],
        responses=StoredEventListSerializer,
    )
    def event_history(self, request: Any, pk: str) -> Response:
        """Stored events as a list, oldest first; those of a finished run in their compacted form."""
        session = self.get_object()
        found = stored_events(session.pk, parse_history(request.query_params))
        more = {} if found.next_after_seq is None else {"next_after_seq": found.next_after_seq}
        size = len(found.events)
        return Response(
            {
                "kind": "SessionEventList",
                "page": 1,
                "size": size,
                "total": size + len(more),
                "items": [event.body() for event in found.events],
            }
            | more
        )

    @extend_schema(
        operation_id="session_agui_events",
        parameters=[AFTER, LAST_EVENT_ID],
        responses={(200, "text/event-stream"): STREAM},
    )
    def agui_events(self, request: Any, pk: str) -> StreamingHttpResponse:
        """Every AG-UI event of the session after the cursor, then those to come."""
        return follow_events(request, self.get_object())

    @extend_schema(
        operation_id="session_agui_run",
        request=RunAgentInputSerializer,
        responses={(200, "text/event-stream"): STREAM},
    )
    def agui_run(self, request: Any, pk: str) -> StreamingHttpResponse:
        """Run the agent as AG-UI has it; answers with the events of exactly this run, from its start.

        The same run id again is the same run, told again. A cursor is not read here.
        """
        session = self.get_object()
        wanted = parse_run_input(request.body_object(), session.pk)
        head = head_of(session.pk)
        run = agui_run_start(session=session, actor=request.user.username, wanted=wanted)
        cursor = head if run.first_seq is None else run.first_seq - 1
        return follow_run(request, session, run.pk, cursor)

    @extend_schema(
        operation_id="session_agui_interrupt",
        request=RunInterruptSerializer,
        responses={200: RunInterruptResultSerializer},
    )
    def agui_interrupt(self, request: Any, pk: str) -> Response:
        """End the active run."""
        session = self.get_object()
        body = request.body_object(optional=True)
        run = run_interrupt_request(session=session, run_id=text_field(body, "runId") or None)
        if run is None:
            return Response({"message": "No run is active"})
        return Response({"message": "Interrupt signal sent", "run_id": run.pk})


def _message_array(session_id: str, after: int) -> HttpResponseBase:
    """One JSON array of all messages; a long one is read and sent page by page."""
    rows = _message_rows(session_id, after)
    first = b",".join(orjson.dumps(message_wire(row)) for row in rows)
    if not rows or not _more_messages(session_id, rows[-1][0]):
        return HttpResponse(b"[" + first + b"]", content_type="application/json")
    store, last = current().store, rows[-1][0]

    async def parts() -> AsyncIterator[bytes]:
        cursor, text = last, b"[" + first
        while True:
            yield text
            page = await _next_messages(store, session_id, cursor)
            if not page:
                yield b"]"
                return
            cursor = page[-1][0]
            text = b"," + b",".join(orjson.dumps(message_wire(row)) for row in page)

    return StreamingHttpResponse(parts(), content_type="application/json")


async def _next_messages(store: Store, session_id: str, cursor: int) -> list[tuple[Any, ...]]:
    """The next page. While the database is away it is asked again: the answer has begun and can be no 503."""
    until = time.monotonic() + AWAY_SECONDS
    while True:
        try:
            return (await store.message_page(session_id, cursor))[1]
        except TRANSIENT:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(AGAIN_SECONDS)


def _message_rows(session_id: str, after: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(MESSAGE_PAGE, [session_id, after, PAGE_EVENTS, PAGE_BYTES])
        return list(cursor.fetchall())


def _more_messages(session_id: str, after: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM sessions_app_sessionmessage WHERE session_id = %s AND seq > %s LIMIT 1",
            [session_id, after],
        )
        return cursor.fetchone() is not None
