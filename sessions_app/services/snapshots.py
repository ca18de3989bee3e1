"""Saved workspaces: begun by the session's runner, complete when the bucket has them, pruned by a job."""

import datetime
import json

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import Now, RowNumber

from ambient import env
from ambient.common.database import database_now, transactional
from ambient.common.exceptions import Conflict, InvalidField, InvalidToken, not_found
from ambient.common.ksuid import ksuid
from ambient.common.shared_metrics import count
from sessions_app.choices import ConditionType, Reason
from sessions_app.metrics import NOT_SAVED
from sessions_app.models import Session, WorkspaceSnapshot
from sessions_app.services.sessions import lock_session
from sessions_app.snapshot_store import ADDRESS_SECONDS
from sessions_app.status import Condition, session_record_status
from sessions_app.tokens import may_not_save

KEPT = 2
"""Complete ones of a session: the newest, and the one before it for people to go back to."""
BEGUN_SECONDS = 3600
"""What was begun is complete by then, or never."""
LONGEST_MESSAGE = 500


@transactional
def snapshot_begin(*, session_id: str, attempt: int, size: int, sha256: str) -> WorkspaceSnapshot:
    """Note that an archive of this size and sum is about to be uploaded."""
    if size > env.SNAPSHOT_MAX_BYTES:
        raise InvalidField(f"size is over the limit of {env.SNAPSHOT_MAX_BYTES} bytes")
    session = _lock_for_saving(session_id, attempt)
    pk = ksuid()
    key = f"{env.S3_PREFIX.strip('/')}/{session.project_id}/{session.pk}/{pk}.tar.gz"
    return WorkspaceSnapshot.objects.create(
        id=pk, session=session, attempt=attempt, key=key, size=size, sha256=sha256
    )


@transactional
def snapshot_complete(
    *, session_id: str, attempt: int, snapshot_id: str, stored_size: int | None, stored_sha256: str | None
) -> WorkspaceSnapshot:
    """Make it the newest; `stored_...` is what the bucket has of it, None for what it does not say.

    Raises Conflict when that is not what was announced: then the one before stays the newest.
    """
    session = _lock_for_saving(session_id, attempt)
    snapshot = snapshot_of(session_id, attempt, snapshot_id)
    if snapshot.completed_at is not None:
        return snapshot
    if stored_size is None:
        raise Conflict("the archive is not in the bucket")
    if stored_size != snapshot.size or stored_sha256 not in (None, snapshot.sha256):
        raise Conflict("the archive in the bucket is not the one that was announced")
    snapshot.completed_at = database_now()
    snapshot.save(update_fields=["completed_at"])
    if _reason_of_workspace(session) == Reason.WORKSPACE_NOT_SAVED:
        saved = Condition(ConditionType.WORKSPACE_READY, "True", Reason.READY, "The files are saved again.")
        session_record_status(session=session, conditions=[saved])
    return snapshot


@transactional
def snapshot_failed(*, session_id: str, attempt: int, message: str) -> Session:
    """Say on the session that its files could not be saved, and why."""
    session = _lock_for_saving(session_id, attempt)
    text = f"{message[:LONGEST_MESSAGE]} {_last_saved(session_id)}"
    failed = Condition(ConditionType.WORKSPACE_READY, "False", Reason.WORKSPACE_NOT_SAVED, text)
    transaction.on_commit(lambda: count(NOT_SAVED.increments()))
    return session_record_status(session=session, conditions=[failed])


@transactional
def snapshot_forget(*, snapshot_id: str) -> None:
    """The row of an object that was deleted."""
    WorkspaceSnapshot.objects.filter(pk=snapshot_id).delete()


def snapshot_of(session_id: str, attempt: int, snapshot_id: str) -> WorkspaceSnapshot:
    """One that this attempt has begun."""
    found = WorkspaceSnapshot.objects.filter(pk=snapshot_id, session_id=session_id, attempt=attempt).first()
    if found is None:
        raise not_found("WorkspaceSnapshot", snapshot_id)
    return found


def snapshot_latest(session_id: str) -> WorkspaceSnapshot | None:
    """The newest complete one."""
    complete = WorkspaceSnapshot.objects.filter(session_id=session_id, completed_at__isnull=False)
    return complete.order_by("-completed_at", "-id").first()


def snapshots_unwanted() -> "QuerySet[WorkspaceSnapshot]":
    """Those of deleted sessions, those never completed, and all but the newest of each session.

    None while its address is good: what is uploaded after a delete would stay for ever.
    """
    ended = Q(created_at__lt=Now() - datetime.timedelta(seconds=ADDRESS_SECONDS))
    given_up = Q(created_at__lt=Now() - datetime.timedelta(seconds=BEGUN_SECONDS))
    newer_first = [F("completed_at").desc(nulls_last=True), F("id").desc()]
    place = Window(RowNumber(), partition_by=[F("session_id")], order_by=newer_first)
    ranked = WorkspaceSnapshot.objects.filter(completed_at__isnull=False).annotate(place=place)
    surplus = ranked.filter(place__gt=KEPT).values("pk")
    deleted = Exists(Session.objects.filter(pk=OuterRef("session_id"), deleted_at__isnull=False))
    complete = Q(completed_at__isnull=False)
    return WorkspaceSnapshot.objects.filter(
        complete & ended & (Q(deleted) | Q(pk__in=surplus)) | ~complete & given_up
    ).order_by("created_at")


def _lock_for_saving(session_id: str, attempt: int) -> Session:
    session = lock_session(session_id)
    if refusal := may_not_save(session, attempt=attempt):
        raise InvalidToken(refusal)
    return session


def _reason_of_workspace(session: Session) -> str | None:
    for entry in json.loads(session.conditions or "[]"):
        if entry["type"] == ConditionType.WORKSPACE_READY:
            return str(entry.get("reason"))
    return None


def _last_saved(session_id: str) -> str:
    latest = snapshot_latest(session_id)
    if latest is None or latest.completed_at is None:
        return "They were never saved."
    return f"They were last saved at {latest.completed_at:%Y-%m-%d %H:%M:%S} UTC."
