"""The websocket of a session: events out, messages, answers and interrupts in."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import pghistory
import structlog
from channels.exceptions import DenyConnection
from channels.generic.websocket import AsyncWebsocketConsumer

from ambient.common import actor, throttling, tracing
from ambient.common.errors import as_application_error
from ambient.common.exceptions import (
    ApplicationError,
    BadRequest,
    Forbidden,
    InvalidField,
    MalformedRequest,
    TooLarge,
    TooMany,
    Unauthenticated,
    not_found,
)
from ambient.common.parsers import decode_object
from ambient.common.tasks import end
from ambient.common.threads import in_thread
from sessions_app.conversation_serializers import InterruptSerializer, message_body
from sessions_app.models import Session
from sessions_app.selectors import Caller, may_still_read, visible_session
from sessions_app.services.interrupts import NO_PAYLOAD, interrupt_answer
from sessions_app.services.runs import run_interrupt_request
from sessions_app.services.sending import message_send
from sessions_app.streams import metrics
from sessions_app.streams.hub import Gap, Ticket, Watcher
from sessions_app.streams.node import Node, current
from sessions_app.streams.outlets import cannot_tell, mark_of
from sessions_app.streams.tail import Restated
from sessions_app.streams.transports import ClientConnection

log = structlog.get_logger(__name__)

CLOSE = {"access": 4404, "closing": 1012, "stalled": 4408}
BAD_FRAMES = 4400
TOO_MANY = 4429
WRONG_LIMIT = 10
OPS_PER_SECOND = 20.0
OPS_BURST = 60.0
FRAME_CHARACTERS = 1_200_000
MAX_SEQ = 2**63 - 1


class SessionStreamConsumer(AsyncWebsocketConsumer):
    """Sends one session's stored and live events to one client and takes what it wants done."""

    relay: asyncio.Task[None] | None = None
    ticket: Ticket | None = None

    async def connect(self) -> None:
        """Refuse before accepting: unknown and forbidden look the same."""
        caller: Caller | None = self.scope.get("caller")
        session_id = self.scope["url_route"]["kwargs"]["pk"]
        if caller is None or not await in_thread(may_still_read, caller, session_id):
            raise DenyConnection
        self.caller, self.session_id = caller, session_id
        self.wrong, self.allowance, self.counted_at = 0, OPS_BURST, time.monotonic()
        node = current()
        await self.accept("ambient" if "ambient" in self.scope.get("subprotocols", ()) else None)
        try:
            await in_thread(throttling.spend, "stream", caller.user, None)
            self.ticket = node.hub.admit(caller.name, "websocket")
        except TooMany as exc:
            await self._send_json(
                {"error": {"code": 429, "reason": exc.reason, "retry_after": exc.retry_after}}
            )
            await self.close(code=TOO_MANY)
            return
        self.relay = asyncio.create_task(self._relay(node), name=f"websocket {session_id}")

    async def disconnect(self, code: int) -> None:
        """The client is gone: so is everything of it."""
        await end(self.relay)
        if self.ticket is not None:
            self.ticket.release()

    # --- out

    async def _relay(self, node: Node) -> None:
        try:
            code = CLOSE.get(await self._follow(node) or "closing", 1011)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("websocket ended", session=self.session_id)
            code = 1011
        with contextlib.suppress(OSError):  # the client left before it could be told
            await self.close(code=code)

    async def _follow(self, node: Node) -> str | None:
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        given = query.get("after_seq", [""])[0]
        has_cursor = given.isascii() and given.isdigit()
        client = ClientConnection.of(self.scope)

        async def allowed() -> bool:
            return await in_thread(may_still_read, self.caller, self.session_id)

        watcher = Watcher(
            session=self.session_id,
            user=self.caller.name,
            kind="websocket",
            allowed=allowed,
            abort=client.abort if client else None,
            backlog=client.backlog if client else None,
        )
        sent_bytes = metrics.SENT_BYTES.labels("websocket")
        cursor = sent = min(int(given), MAX_SEQ) if has_cursor else 0
        with node.hub.watching(watcher):
            async for chunk in node.hub.events.watch(watcher, cursor, tick=node.timing.heartbeat):
                if isinstance(chunk, Gap | Restated):
                    if has_cursor:
                        await self._send_json(mark_of(chunk))
                    elif cannot_tell(chunk, sent):
                        return None
                    continue
                for frame in chunk:
                    sent = frame.seq
                    await self.send(text_data=frame.text)  # type: ignore[attr-defined]
                sent_bytes.inc(sum(len(frame.data) for frame in chunk))  # type: ignore[attr-defined,misc]
        return watcher.ended

    async def _send_json(self, value: Any) -> None:
        await self.send(text_data=json.dumps(value, ensure_ascii=False))

    # --- in

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """One frame of the client; what cannot be done is answered with its reason."""
        if self.wrong >= WRONG_LIMIT:
            return  # closed; these frames were under way
        ref: Any = None
        try:
            self._count()
            body = _decoded(text_data)
            ref = body.get("ref")
            if ref is not None and (not isinstance(ref, str) or len(ref) > 255):
                ref = None
                raise InvalidField("ref must be a string of at most 255 characters")
            data = await self._do(body)
        except (BadRequest, MalformedRequest, TooLarge, TooMany) as exc:
            self.wrong += 1
            await self._send_error(ref, exc)
            if self.wrong >= WRONG_LIMIT:
                await end(self.relay)  # nothing may be sent after the close
                await self.close(code=BAD_FRAMES)
        except Exception as exc:  # noqa: BLE001 - the edge: whatever happened becomes an error frame
            error = as_application_error(exc)
            if error.status >= 500:
                log.error("websocket frame failed", exc_info=exc)
            await self._send_error(ref, error)
        else:
            await self._send_json({"ref": ref, "ok": True, "data": data})

    def _count(self) -> None:
        """A bucket that refills: a flood is refused, and refused often enough it is the end."""
        now = time.monotonic()
        refill = (now - self.counted_at) * OPS_PER_SECOND
        self.allowance, self.counted_at = min(OPS_BURST, self.allowance + refill), now
        if self.allowance < 1:
            raise TooMany("too many frames", retry_after=1)
        self.allowance -= 1

    async def _send_error(self, ref: Any, error: ApplicationError) -> None:
        body: dict[str, Any] = {"code": error.status, "reason": error.reason}
        if error.retry_after is not None:
            body["retry_after"] = error.retry_after
        await self._send_json({"ref": ref, "error": body})

    async def _do(self, body: Mapping[str, Any]) -> Any:
        op = body.get("op")
        if op == "ping":
            return {}
        work = OPS.get(op) if isinstance(op, str) else None
        if work is None:
            raise BadRequest(f"op must be one of ping, {', '.join(OPS)}")
        with tracing.span(
            f"websocket {op}", kind="server", attributes={"ambient.session_id": self.session_id}
        ):
            return await in_thread(_permitted, work, self.caller, self.session_id, body)


def _decoded(text: str | None) -> dict[str, Any]:
    if text is None:
        raise BadRequest("frames must be text")
    if len(text) > FRAME_CHARACTERS:
        raise BadRequest(f"a frame may have at most {FRAME_CHARACTERS} characters")
    return decode_object(text.encode(errors="surrogatepass"))


Work = Callable[[Session, Any, Mapping[str, Any]], Any]


def _permitted(
    work: tuple[tuple[str, ...], Work], caller: Caller, session_id: str, body: Mapping[str, Any]
) -> Any:
    """Do one thing as the caller is allowed right now, not as it was when the socket opened."""
    permissions, function = work
    user = caller.fresh()
    if user is None:
        raise Unauthenticated("A valid token is needed")
    session = visible_session(user, session_id)
    if session is None:
        raise not_found("Session", session_id)
    if not any(user.has_perm(permission, session) for permission in permissions):
        raise Forbidden("Not permitted")
    with pghistory.context(route="websocket", **actor.of_caller(user), **tracing.headers()):
        return function(session, user, body)


def _string(body: Mapping[str, Any], name: str, limit: int, *, needed: bool = True) -> str | None:
    value = body.get(name)
    if value is None and not needed:
        return None
    if not isinstance(value, str) or not value or len(value) > limit:
        raise InvalidField(f"{name} must be a string of 1 to {limit} characters")
    return value


def _send(session: Session, user: Any, body: Mapping[str, Any]) -> Any:
    text = _string(body, "text", FRAME_CHARACTERS)
    client_id = _string(body, "client_id", 255, needed=False)
    message = message_send(session=session, actor=user.username, text=text or "", client_id=client_id)
    return message_body(message)


def _answer(session: Session, user: Any, body: Mapping[str, Any]) -> Any:
    found = interrupt_answer(
        session=session,
        interrupt_id=_string(body, "interrupt_id", 255) or "",
        actor=user.username,
        status=_string(body, "status", 16) or "",
        payload=body.get("payload", NO_PAYLOAD),
    )
    return InterruptSerializer(found).data


def _interrupt(session: Session, user: Any, body: Mapping[str, Any]) -> Any:
    run = run_interrupt_request(session=session, run_id=_string(body, "run_id", 128, needed=False))
    return {"run_id": run.pk if run else None}


OPS: dict[str, tuple[tuple[str, ...], Work]] = {
    "send": (("session:create", "session:update"), _send),
    "answer": (("session:update",), _answer),
    "interrupt": (("session:update",), _interrupt),
}
