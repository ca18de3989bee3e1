"""Sessions with what the work queue knows of them, and resync: this app may import that one."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ambient.common.formats import age, shortened
from reconciler.admin.work import state_of
from reconciler.models import WorkItem
from reconciler.wake import wake
from reconciler.workqueue import ask
from sessions_app.admin.session import SessionAdmin
from sessions_app.choices import DesiredState
from sessions_app.models import Session


def work_text(item: WorkItem) -> str:
    """Since when and why, in one line."""
    error = f": {shortened(item.last_error, 160)}" if item.last_error else ""
    return f"{state_of(item)}, asked for {age(item.requested_at)} ago, {item.attempts} attempt(s){error}"


@admin.register(Session)
class OperatedSessionAdmin(SessionAdmin):
    """The registered admin of sessions."""

    actions = (*SessionAdmin.actions, "resync_chosen")

    def _resync(self, request: HttpRequest, session: Session) -> str:
        urgent = session.desired_state != DesiredState.RUNNING
        ask("session", session.pk, session.project_id, urgent=urgent)
        wake()
        return "The session is looked at now"

    def operations(self) -> dict[str, Callable[[HttpRequest, Session], str]]:
        return super().operations() | {"resync": self._resync}

    @admin.action(description="Resync the chosen sessions", permissions=("change",))
    def resync_chosen(self, request: HttpRequest, queryset: Any) -> None:
        self.act_on(request, queryset, "resync")

    def page_context(self, request: HttpRequest, session: Session) -> dict[str, Any]:
        context = super().page_context(request, session)
        if request.user.has_perm("reconciler.view_workitem"):
            item = WorkItem.objects.filter(kind="session", key=session.pk).first()
            context |= {"work": item or False, "work_text": work_text(item) if item else ""}
        return context
