"""The admin of pending work and of sessions, and the dashboard."""

from reconciler.admin import sessions, work
from sessions_app.admin import schedules

__all__ = ["schedules", "sessions", "work"]
