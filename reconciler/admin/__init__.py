"""The admin of pending work and of sessions, and the dashboard."""

from reconciler.admin import sessions, work

__all__ = ["sessions", "work"]
