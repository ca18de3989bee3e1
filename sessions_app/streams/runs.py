"""The queue of runs in SQL: which is next, starting it, what its runner gets to read, how far it is."""

import json
from dataclasses import dataclass
from typing import Any

from psycopg import Rollback

from ambient.common.encryption import DecryptionError, unseal
from sessions_app.choices import Phase, Trigger
from sessions_app.streams.pools import Pools
from sessions_app.streams.runner import Target
from sessions_app.streams.store import Lease, LeaseLost

HISTORY_MESSAGES = 200
HISTORY_BYTES = 512 * 1024


@dataclass(frozen=True)
class QueuedRun:
    """A run that may be sent now."""

    id: str
    message_id: str | None
    resumes: str | None
    input: dict[str, Any]
    trigger: str = Trigger.MESSAGE
    trace: str | None = None


@dataclass(frozen=True)
class ActiveRun:
    """A run that somebody else started."""

    id: str
    runner_instance: str | None
    attachable: bool
    first_seq: int | None
    interrupt_requested: bool
    trace: str | None = None


@dataclass(frozen=True)
class SessionNow:
    """What a holder needs to know of the session's row."""

    phase: str | None
    target: Target | None
    stop_on_run_finished: bool


_NEXT = """
SELECT id, message_id, resumes, input, trigger, trace FROM sessions_app_run r
WHERE session_id = %(session)s AND state = 'queued'
  AND (resumes IS NOT NULL OR NOT EXISTS (
    SELECT 1 FROM sessions_app_interrupt i WHERE i.session_id = %(session)s AND i.state = 'open'))
ORDER BY (resumes IS NULL), number LIMIT 1
"""
_SESSION = """
SELECT phase, runner_endpoint, runner_instance, runner_secret, stop_on_run_finished
FROM sessions_app_session WHERE id = %s
"""
_OCCUPY = """
UPDATE sessions_app_sessionstream SET run = %(run)s, run_index = 0
WHERE session_id = %(session)s AND owner = %(owner)s AND epoch = %(epoch)s AND run IS NULL
RETURNING event_seq
"""
_BEGIN = """
UPDATE sessions_app_run SET state = 'running', started_at = clock_timestamp(), runner_instance = %(instance)s
WHERE id = %(run)s AND state = 'queued' RETURNING id
"""
_DELIVER = """
UPDATE sessions_app_sessionmessage SET delivery = 'running', reason = NULL
WHERE id = %s AND delivery = 'queued' RETURNING id
"""
_RUN = "SELECT id, message_id, resumes, input, trigger, trace FROM sessions_app_run WHERE id = %s"
_MESSAGE = "SELECT payload, coalesce(client_id, id) FROM sessions_app_sessionmessage WHERE id = %s"
_HISTORY = """
SELECT coalesce(client_id, id), event_type, payload FROM sessions_app_sessionmessage
WHERE session_id = %s AND event_type IN ('user', 'assistant') AND id <> %s
  AND (delivery IS NULL OR delivery IN ('running', 'done')) ORDER BY seq DESC LIMIT %s
"""
_ANSWERS = """
SELECT interrupt_id, answer FROM sessions_app_interrupt WHERE run = %s ORDER BY created_at, id
"""
_ACTIVE = """
SELECT id, runner_instance, attachable, first_seq, interrupt_requested_at IS NOT NULL, trace
FROM sessions_app_run WHERE id = %s
"""
_TO_INTERRUPT = """
SELECT session_id, id FROM sessions_app_run
WHERE state = 'running' AND interrupt_requested_at IS NOT NULL AND session_id = ANY(%s)
"""
_DOUBT = "SELECT ambient_seen('session', id, project_id) FROM sessions_app_session WHERE id = %s"


class Runs:
    """The SQL of the run queue on the process's pools."""

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    async def session(self, session: str) -> SessionNow:
        """The session's phase and the runner that it has now."""
        async with self._pools.append() as connection:
            row = await (await connection.execute(_SESSION, [session])).fetchone()
        if row is None:
            return SessionNow(None, None, False)
        phase, endpoint, instance, sealed, stop = row
        target = None
        if endpoint and instance and sealed:
            try:
                secret = unseal(sealed, context=f"session:{session}:runner_secret")
            except DecryptionError:
                secret = ""
            if secret:
                target = Target(session, endpoint.rstrip("/"), instance, secret)
        return SessionNow(phase, target, stop)

    async def next(self, session: str) -> QueuedRun | None:
        """The run that is to be sent next, by order of the messages; resumes go first."""
        async with self._pools.append() as connection:
            row = await (await connection.execute(_NEXT, {"session": session})).fetchone()
        return None if row is None else _queued(row)

    async def start(self, lease: Lease, run: QueuedRun, instance: str) -> bool:
        """Make a queued run the active one; False when it was cancelled meanwhile."""
        params = {
            "run": run.id,
            "session": lease.session,
            "owner": lease.owner,
            "epoch": lease.epoch,
            "instance": instance,
        }
        started = False
        async with self._pools.append() as connection:
            async with connection.transaction() as transaction:
                if await _none(connection, _OCCUPY, params):
                    raise LeaseLost(lease.session)
                if await _none(connection, _BEGIN, params):
                    raise Rollback(transaction)
                if run.message_id is not None and await _none(connection, _DELIVER, [run.message_id]):
                    raise Rollback(transaction)
                started = True
        if started:
            lease.run, lease.run_index = run.id, 0
        return started

    async def started(self, lease: Lease, run: QueuedRun) -> bool:
        """Settle a start in doubt. Raises LeaseLost when the stream is not ours any more."""
        async with self._pools.append() as connection:
            cursor = await connection.execute(
                "SELECT owner, epoch, run FROM sessions_app_sessionstream WHERE session_id = %s",
                [lease.session],
            )
            row = await cursor.fetchone()
        if row is None or (row[0], row[1]) != (lease.owner, lease.epoch):
            raise LeaseLost(lease.session)
        if row[2] == run.id:
            lease.run, lease.run_index = run.id, 0
        return bool(row[2] == run.id)

    async def run_input(self, session: str, run_id: str) -> dict[str, Any]:
        """The RunAgentInput of a started run; its message can change no more."""
        answers = []
        async with self._pools.append() as connection:
            row = await (await connection.execute(_RUN, [run_id])).fetchone()
            if row is None:
                raise LeaseLost(session)
            run = _queued(row)
            message = await (await connection.execute(_MESSAGE, [run.message_id])).fetchone()
            cursor = await connection.execute(_HISTORY, [session, run.message_id or "", HISTORY_MESSAGES])
            history = await cursor.fetchall()
            if run.resumes is not None:
                answers = await (await connection.execute(_ANSWERS, [run.resumes])).fetchall()
        return build_input(session, run, history, message, answers)

    async def active(self, run: str) -> ActiveRun | None:
        """The row of an active run, for whoever takes it over."""
        async with self._pools.append() as connection:
            row = await (await connection.execute(_ACTIVE, [run])).fetchone()
        return None if row is None else ActiveRun(*row)

    async def to_interrupt(self, sessions: list[str]) -> dict[str, str]:
        """Active runs of these sessions that somebody wants to end."""
        async with self._pools.append() as connection:
            cursor = await connection.execute(_TO_INTERRUPT, [sessions])
            return dict(await cursor.fetchall())

    async def doubt(self, session: str) -> None:
        """Have the session's runner looked at: whoever talks to it has lost it."""
        async with self._pools.append() as connection:
            await connection.execute(_DOUBT, [session])


def _queued(row: tuple[Any, ...]) -> QueuedRun:
    return QueuedRun(row[0], row[1], row[2], json.loads(row[3] or "{}"), row[4], row[5])


async def _none(connection: Any, query: str, params: Any) -> bool:
    """Whether an UPDATE ... RETURNING found no row."""
    cursor = await connection.execute(query, params)
    return await cursor.fetchone() is None


def build_input(
    session: str,
    run: QueuedRun,
    history: list[tuple[str, str, str]],
    message: tuple[str, str] | None,
    answers: list[tuple[str, str | None]],
) -> dict[str, Any]:
    """The RunAgentInput: bounded history (given newest first), the new message last, answers in `resume`."""
    newest: list[dict[str, Any]] = []
    left = HISTORY_BYTES
    if message is not None and run.trigger != Trigger.ANSWER:  # an answer travels in `resume` alone
        newest.append({"id": message[1], "role": "user", "content": message[0]})
        left -= len(message[0].encode())
    for pk, role, payload in history[: HISTORY_MESSAGES - len(newest)]:
        left -= len(payload.encode())
        if left < 0:
            break
        newest.append({"id": pk, "role": role, "content": payload})
    sent = run.input
    body: dict[str, Any] = {
        "threadId": session,
        "runId": run.id,
        "protocolVersion": "1.0",
        "state": sent.get("state", {}),
        "messages": newest[::-1],
        "tools": sent.get("tools", []),
        "context": sent.get("context", []),
        "forwardedProps": sent.get("forwardedProps", {}),
    }
    parent = sent.get("parentRunId") or run.resumes
    if parent:
        body["parentRunId"] = parent
    if run.resumes is not None:
        body["resume"] = [_resume(interrupt_id, answer) for interrupt_id, answer in answers]
    return body


def _resume(interrupt_id: str, answer: str | None) -> dict[str, Any]:
    value = json.loads(answer) if answer else {"status": "cancelled"}
    entry = {"interruptId": interrupt_id, "status": value.get("status", "resolved")}
    if "payload" in value:
        entry["payload"] = value["payload"]
    return entry


MAY_RUN = frozenset({Phase.RUNNING})
"""Phases in which a queued run is sent."""
