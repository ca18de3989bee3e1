"""Reads what is left after a run of chaos from the platform's own database."""

import json
from collections.abc import Sequence

from tests.chaos.record import Event, Message, Record, Run, Seen
from tests.chaos.talk import Talker
from tests.e2e.harness import Stage
from tests.e2e.watchers import Watcher

HEADS = """
SELECT s.phase, s.placed_at IS NOT NULL, t.event_seq, t.run, c.message_seq
FROM sessions_app_session s
JOIN sessions_app_sessionstream t ON t.session_id = s.id
JOIN sessions_app_messagecounter c ON c.session_id = s.id WHERE s.id = %s
"""
EVENTS = "SELECT seq, run, type, event FROM sessions_app_sessionevent WHERE session_id = %s ORDER BY seq"
RUNS = "SELECT id, number, state, message_id, resumes FROM sessions_app_run WHERE session_id = %s"
MESSAGES = """
SELECT id, seq, event_type, client_id, payload, delivery, reason, run
FROM sessions_app_sessionmessage WHERE session_id = %s ORDER BY seq
"""
COUNTS = """
SELECT p.id, coalesce(c.rows, 0), (SELECT count(*) FROM sessions_app_session s
  WHERE s.project_id = p.id AND s.deleted_at IS NULL)
FROM projects_app_project p LEFT JOIN projects_app_rowcount c ON c.project = p.id AND c.kind = 'session'
"""
CLAIMS = "SELECT kind || ' ' || key FROM reconciler_workitem WHERE kind = 'session'"
LEASES = "SELECT session_id FROM sessions_app_sessionstream WHERE owner IS NOT NULL"


def record_of(stage: Stage, talker: Talker, watchers: Sequence[Watcher], alive: bool) -> Record:
    """Everything about one session."""
    session = talker.session
    [(phase, placed, head, active, message_head)] = stage.query(HEADS, session)
    return Record(
        session=session,
        head=head,
        message_head=message_head,
        active_run=active,
        phase=phase,
        placed=placed,
        sent=tuple(talker.sent),
        events=[
            Event(seq, run, type_, json.loads(event)["delta"] if type_ == "TEXT_MESSAGE_CONTENT" else "")
            for seq, run, type_, event in stage.query(EVENTS, session)
        ],
        runs=[Run(*row) for row in stage.query(RUNS, session)],
        messages=[Message(*row) for row in stage.query(MESSAGES, session)],
        seen=[
            Seen(
                watcher.name,
                [(seq, event["type"]) for seq, event in list(watcher.seen)],
                "" if watcher.problem is None else repr(watcher.problem),
            )
            for watcher in watchers
        ],
        alive=alive,
    )


def counted(stage: Stage) -> dict[str, tuple[int, int]]:
    """Kept and real numbers of sessions by project."""
    return {f"sessions of {project}": (kept, real) for project, kept, real in stage.query(COUNTS)}


def claims_left(stage: Stage) -> list[str]:
    """Pending work and leases of sessions that have nothing to do any more."""
    items = [f"work item {text}" for (text,) in stage.query(CLAIMS)]
    return items + [f"lease of {session}" for (session,) in stage.query(LEASES)]
