"""Sessions, their conversation and their event streams."""

from sessions_app.models.conversation import Interrupt, Run, SessionMessage
from sessions_app.models.grants import SessionGroupObjectPermission, SessionUserObjectPermission
from sessions_app.models.schedule import ScheduledSession
from sessions_app.models.session import Session
from sessions_app.models.snapshot import WorkspaceSnapshot
from sessions_app.models.stream import (
    MessageCounter,
    RunLog,
    SdkSessionEntry,
    SessionEvent,
    SessionStream,
    StreamOwner,
)

__all__ = [
    "Interrupt",
    "MessageCounter",
    "Run",
    "RunLog",
    "ScheduledSession",
    "SdkSessionEntry",
    "Session",
    "SessionEvent",
    "SessionGroupObjectPermission",
    "SessionMessage",
    "SessionStream",
    "SessionUserObjectPermission",
    "StreamOwner",
    "WorkspaceSnapshot",
]
