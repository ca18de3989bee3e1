"""A user's message is stored first and becomes a run: it either runs or visibly fails (docs/streams.md)."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from django.db import connection
from django.db.models import Max
from django.utils import timezone

from ambient.common import hints
from ambient.common.exceptions import TooLarge
from ambient.common.ksuid import ksuid
from sessions_app.choices import Delivery, DeliveryReason, RunState, Trigger
from sessions_app.models import Run, Session, SessionMessage

_INSERT = """
WITH counter AS (
  UPDATE sessions_app_messagecounter SET message_seq = message_seq + 1 WHERE session_id = %(session)s
  RETURNING message_seq
)
INSERT INTO sessions_app_sessionmessage
  (id, session_id, seq, event_type, payload, created_at, created_by, client_id, run, delivery, reason)
SELECT %(id)s, %(session)s, message_seq, %(event_type)s, %(payload)s, %(created_at)s, %(created_by)s,
       %(client_id)s, %(run)s, %(delivery)s, %(reason)s
FROM counter
RETURNING seq
"""


def _store(message: SessionMessage) -> SessionMessage:
    """Give out the sequence number and insert in one statement: the counter's lock is held for that alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "id": message.id,
                "session": message.session_id,
                "event_type": message.event_type,
                "payload": message.payload,
                "created_at": message.created_at,
                "created_by": message.created_by,
                "client_id": message.client_id,
                "run": message.run,
                "delivery": message.delivery,
                "reason": message.reason,
            },
        )
        message.seq = cursor.fetchone()[0]
    message._state.adding = False
    hints.publish_on_commit(hints.MESSAGES, f"{message.session_id} {message.seq}")
    return message


def next_run_number(session: Session) -> int:
    """The number of the session's next run. The caller holds the session's row lock."""
    last = Run.objects.filter(session=session).aggregate(last=Max("number"))["last"] or 0
    return int(last) + 1


def message_store(
    *,
    session: Session,
    actor: str,
    text: str,
    run_id: str,
    delivery: Delivery,
    message_id: str | None = None,
    client_id: str | None = None,
    reason: DeliveryReason | None = None,
) -> SessionMessage:
    """Store a user's message whose run exists. It is the transaction's last write."""
    message = SessionMessage(
        id=message_id or ksuid(),
        session=session,
        event_type="user",
        payload=text,
        created_at=timezone.now(),
        created_by=actor,
        client_id=client_id,
        run=run_id,
        delivery=delivery,
        reason=reason,
    )
    return _store(message)


LINE_BYTES = 1024 * 1024 - 4096
"""Readers of the stream of messages take lines of at most 1 MiB: of JSON, with what is around the text."""


def check_text(text: str) -> None:
    """Raise TooLarge for a text that existing readers could not take."""
    if len(orjson.dumps(text)) > LINE_BYTES:
        raise TooLarge("a message may have at most 1 MiB of JSON, a prompt that becomes one too")


def message_store_and_queue(
    *,
    session: Session,
    actor: str,
    text: str,
    trigger: Trigger,
    run_id: str | None = None,
    client_id: str | None = None,
    run_input: Mapping[str, Any] | None = None,
    reason: DeliveryReason | None = None,
) -> SessionMessage:
    """Store a user's message and queue its run. The caller holds the session's row lock (or just made it).

    It is the transaction's last write, so that a slow request holds up nobody.
    """
    check_text(text)
    message_id = ksuid()
    run = Run.objects.create(
        id=run_id or ksuid(),
        session=session,
        number=next_run_number(session),
        trigger=trigger,
        actor=actor,
        message_id=message_id,
        input=json.dumps(dict(run_input or {})),
        state=RunState.QUEUED,
    )
    hints.publish_on_commit(hints.WORK, session.pk)
    return message_store(
        session=session,
        message_id=message_id,
        actor=actor,
        text=text,
        run_id=run.pk,
        delivery=Delivery.QUEUED,
        client_id=client_id,
        reason=reason,
    )
