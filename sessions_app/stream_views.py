"""Server-sent events as answers of ordinary views: authorised there, then iterated in the event loop."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, cast

import redis
import structlog
from django.db import connection
from django.http import StreamingHttpResponse
from django.utils import timezone

from ambient.common import hints, throttling
from ambient.common.exceptions import NoRunner
from ambient.common.threads import in_thread
from sessions_app.models import Run, Session
from sessions_app.selectors import (
    Caller,
    active_run,
    head_of,
    is_over,
    may_still_read,
    run_for_newest_message,
)
from sessions_app.streams import metrics
from sessions_app.streams.cursors import number
from sessions_app.streams.hub import Watcher
from sessions_app.streams.node import current
from sessions_app.streams.outlets import SHOWN_SECONDS, Outlet, shown_key
from sessions_app.streams.transports import ClientConnection

log = structlog.get_logger(__name__)

HEADERS = {
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
}


def cursor_of(request: Any) -> int | None:
    """`Last-Event-ID`, else `after_seq`; None when the client sent neither."""
    found = number(request.headers.get("Last-Event-ID"))
    return number(request.query_params.get("after_seq")) if found is None else found


def wants_stream(request: Any) -> bool:
    """Whether the client accepts server-sent events."""
    return "text/event-stream" in request.headers.get("Accept", "")


def open_stream(
    request: Any, session: Session, kind: str, follow: Callable[[Outlet], AsyncIterator[bytes]]
) -> StreamingHttpResponse:
    """The answer that follows; raises TooMany. Its database connection goes back to the pool right here."""
    node = current()
    caller = Caller(request.user, request.auth)
    throttling.spend("stream", caller.user, request.META.get("REMOTE_ADDR"))
    ticket = node.hub.admit(caller.name, kind)
    client = ClientConnection.of(getattr(request._request, "scope", {}))

    async def allowed() -> bool:
        return await in_thread(may_still_read, caller, session.pk)

    watcher = Watcher(
        session=session.pk,
        user=caller.name,
        kind=kind,
        allowed=allowed,
        abort=client.abort if client else None,
        backlog=client.backlog if client else None,
    )
    outlet = Outlet(node, ticket, watcher)
    response = StreamingHttpResponse(
        _counted(follow(outlet), kind), content_type="text/event-stream", headers=HEADERS
    )
    if not connection.in_atomic_block:
        connection.close()
    return response


async def _counted(parts: AsyncIterator[bytes], kind: str) -> AsyncIterator[bytes]:
    """The same bytes, counted as sent."""
    sent = metrics.SENT_BYTES.labels(kind)
    async with aclosing(cast(Any, parts)) as opened:
        async for data in opened:
            yield data
            sent.inc(len(data))


def follow_events(request: Any, session: Session) -> StreamingHttpResponse:
    """Every stored event after the cursor, for ever."""
    cursor = cursor_of(request)
    return open_stream(
        request,
        session,
        "events",
        lambda outlet: outlet.forever(outlet.node.hub.events, cursor or 0, marks=cursor is not None),
    )


def follow_messages(request: Any, session: Session) -> StreamingHttpResponse:
    """Every stored message after the cursor, for ever."""
    cursor = cursor_of(request)
    return open_stream(
        request,
        session,
        "messages",
        lambda outlet: outlet.forever(outlet.node.hub.messages, cursor or 0, marks=False),
    )


def follow_run(request: Any, session: Session, run_id: str, cursor: int) -> StreamingHttpResponse:
    """Exactly one run."""
    return open_stream(request, session, "run", lambda outlet: outlet.one_run(run_id, cursor))


def follow_as_runner(request: Any, session: Session) -> StreamingHttpResponse:
    """`GET /sessions/{id}/events`: until a run's end, from where this caller has not seen it yet."""
    if cursor_of(request) is not None:
        return follow_events(request, session)
    head = head_of(session.pk)  # before the runs are looked at, so that none begins unseen
    run = unseen_answer(session, request.user.username)
    if is_over(session) and (run is None or run.last_seq is None):
        raise NoRunner(f"the session has no runner: it is {session.phase or 'not wanted running'}")
    run = run or begun_run(session.pk)
    cursor = head if run is None or run.first_seq is None else run.first_seq - 1
    pk = run.pk if run is not None else None  # without a run: live
    return open_stream(request, session, "runner", lambda outlet: outlet.until_run_end(pk, cursor))


def begun_run(session_id: str) -> Run | None:
    """The present run, once it has events."""
    run = active_run(session_id)
    return run if run is not None and run.first_seq is not None else None


def unseen_answer(session: Session, username: str) -> Run | None:
    """The run that answers the caller's newest message, if it was not shown to the caller yet."""
    shown = _shown(session.pk, username)
    run = run_for_newest_message(session.pk, username) if shown is not None else None
    if run is None or shown is None:
        return None
    seq, shown_run = shown
    if run.pk == shown_run or (run.last_seq is not None and run.last_seq <= seq):
        return None
    age = (timezone.now() - run.finished_at).total_seconds() if run.finished_at else 0
    return run if age < SHOWN_SECONDS - 60 else None


def _shown(session_id: str, username: str) -> tuple[int, str] | None:
    """What the caller has seen; (0, "") for nothing, None when nobody knows."""
    try:
        value = hints.client().get(shown_key(session_id, username))
    except redis.RedisError as exc:
        log.warning("what was shown is not known", error=type(exc).__name__)
        return None
    if not isinstance(value, bytes):
        return 0, ""
    seq, _, run = value.decode().partition(" ")
    return int(seq), run
