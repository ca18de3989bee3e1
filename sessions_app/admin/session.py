"""The list and the page of sessions; start, stop and retry go through the services."""

import re
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from unfold.decorators import display

from ambient.common.admin.models import ServiceAdmin
from ambient.common.admin.paging import KeysetChangeList
from ambient.common.exceptions import ApplicationError, Conflict
from ambient.common.formats import age, shortened
from ambient.common.ksuid import LENGTH
from projects_app.admin.access_page import LinksAccess
from projects_app.choices import Scope
from sessions_app import details
from sessions_app.admin.pages import PAGES, may_view, rows_page
from sessions_app.models import Session
from sessions_app.models.session import SPEC_FIELDS
from sessions_app.serializers import SessionSerializer
from sessions_app.services.sending import message_retry
from sessions_app.services.sessions import session_delete, session_start, session_stop, session_update

PHASE_LABELS = {
    "Running": "success",
    "Completed": "info",
    "Failed": "danger",
    "Pending": "warning",
    "Creating": "warning",
    "Stopping": "warning",
}
LIST_FIELDS = (
    "id",
    "name",
    "project_id",
    "phase",
    "phase_since",
    "reason",
    "reason_text",
    "created_by_user_id",
    "created_at",
    "deleted_at",
)
_ID = re.compile(rf"[0-9A-Za-z]{{{LENGTH}}}")
EDITABLE = ("name", "labels", "annotations", "timeout", "inactivity_timeout", "stop_on_run_finished")
STATUS = ("phase", "phase_since", "reason", "reason_text", "start_time", "completion_time")
WISH = ("desired_state", "generation", "observed_generation", "status_version", "attempt", "restarts")
RUNNER = ("placed_at", "runner_endpoint", "runner_instance", "runner_host", "kube_namespace", "kube_cr_name")
ORIGIN = ("id", "project", "agent", "parent_session", "created_by_user_id", "created_at", "updated_at")


class SessionChangeList(KeysetChangeList):
    """Live sessions, newest first; a whole id also finds a deleted one."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any, Any]:
        rows = super().get_queryset(request, exclude_parameters)
        if not _ID.fullmatch(self.query):
            rows = rows.filter(deleted_at=None)
        return rows.only(*LIST_FIELDS)


class SessionAdmin(LinksAccess, ServiceAdmin):
    """What operators see of sessions. What the reconciler owns is read-only."""

    access_scope = Scope.SESSION
    list_display = (
        "name_and_id",
        "project_id",
        "state",
        "why",
        "for_how_long",
        "created_by_user_id",
        "created_at",
    )
    list_display_links = ("name_and_id",)
    list_filter = ("phase",)
    search_fields = ("id",)
    search_help_text = "An id, or a name or a project's name from its beginning"
    actions: tuple[str, ...] = ("start_chosen", "stop_chosen")
    wire = SessionSerializer
    fieldsets = (
        (
            "Wish",
            {
                "fields": (
                    *EDITABLE,
                    *(f for f in SPEC_FIELDS if f not in (*EDITABLE, "environment_variables")),
                    "variables",
                )
            },
        ),
        ("Status, written by the reconciler", {"fields": (*STATUS, *WISH, *RUNNER)}),
        ("Origin", {"fields": (*ORIGIN, "deleted_at")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = [field for _, part in self.fieldsets for field in part["fields"] if field not in EDITABLE]
        return tuple(fixed)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # sessions are made by people and programs over the API

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return SessionChangeList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip().replace("\0", "")
        if not term:
            return queryset, False
        if _ID.fullmatch(term):
            return queryset.filter(pk=term), False
        return queryset.filter(Q(pk__startswith=term) | Q(name__startswith=term) | Q(project_id=term)), False

    # Columns

    @admin.display(description="Session")
    def name_and_id(self, obj: Session) -> str:
        return f"{shortened(obj.name, 60)} ({obj.pk[-8:]})"

    @display(description="State", label=PHASE_LABELS)
    def state(self, obj: Session) -> tuple[str, str]:
        return obj.phase or "", "Deleted" if obj.deleted_at else obj.phase or "New"

    @admin.display(description="Reason")
    def why(self, obj: Session) -> str:
        return shortened(f"{obj.reason or ''}: {obj.reason_text or ''}".strip(": "), 90)

    @admin.display(description="For")
    def for_how_long(self, obj: Session) -> str:
        return age(obj.phase_since or obj.created_at)

    @admin.display(description="Environment variables", empty_value="none")
    def variables(self, obj: Session) -> str | None:
        return ", ".join(details.variable_names(obj)) or None

    # Writes

    def service_update(self, request: HttpRequest, obj: Session, changes: dict[str, Any]) -> Session:
        return session_update(session=obj, changes=changes)

    def service_delete(self, request: HttpRequest, obj: Session) -> None:
        session_delete(session=obj)

    def _retry(self, request: HttpRequest, session: Session) -> str:
        message_id = details.failed_message(session)
        if message_id is None:
            raise Conflict("no message failed or was cancelled")
        message_retry(session=session, message_id=message_id, actor=request.user.get_username())
        return "The message was queued again"

    def _start(self, request: HttpRequest, session: Session) -> str:
        session_start(session=session)
        return "A start was asked for"

    def _stop(self, request: HttpRequest, session: Session) -> str:
        session_stop(session=session)
        return "A stop was asked for"

    def operations(self) -> dict[str, Callable[[HttpRequest, Session], str]]:
        """What the buttons do, by name; each answers with a sentence or raises ApplicationError."""
        return {"start": self._start, "stop": self._stop, "retry": self._retry}

    def act(self, request: HttpRequest, pk: str) -> HttpResponse:
        """A button of the session's page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        session = Session.objects.filter(pk=pk.replace("\0", "")).first()
        operation = self.operations().get(request.POST.get("operation", ""))
        if session is None or operation is None:
            raise Http404
        if not self.has_change_permission(request, session):
            raise PermissionDenied
        try:
            self.message_user(request, operation(request, session), messages.SUCCESS)
        except ApplicationError as exc:
            self.message_user(request, exc.reason, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:sessions_app_session_change", args=[session.pk]))

    def act_on(self, request: HttpRequest, queryset: Any, name: str) -> None:
        """The same operation on every chosen session; refusals are told one by one."""
        operation, done = self.operations()[name], 0
        for session in Session.objects.filter(pk__in=[row.pk for row in queryset]):
            try:
                operation(request, session)
                done += 1
            except ApplicationError as exc:
                self.message_user(request, f"{session.name}: {exc.reason}", messages.ERROR)
        if done:
            self.message_user(request, f"{name}: {done} session(s)", messages.SUCCESS)

    @admin.action(description="Start the chosen sessions", permissions=("change",))
    def start_chosen(self, request: HttpRequest, queryset: Any) -> None:
        self.act_on(request, queryset, "start")

    @admin.action(description="Stop the chosen sessions", permissions=("change",))
    def stop_chosen(self, request: HttpRequest, queryset: Any) -> None:
        self.act_on(request, queryset, "stop")

    # Pages

    def rows(self, request: HttpRequest, pk: str, kind: str) -> HttpResponse:
        return rows_page(request, self, pk, kind)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [path("<str:pk>/operate/", view(self.act), name="sessions_app_session_operate")]
        for kind in PAGES:
            url = path(f"<str:pk>/{kind}/", view(self.rows), {"kind": kind}, f"sessions_app_session_{kind}")
            own.append(url)
        return own + super().get_urls()

    def page_context(self, request: HttpRequest, session: Session) -> dict[str, Any]:
        """What the page shows beside the fields, as far as the viewer may see it."""
        context = details.context_of(session)
        allowed = {kind: may_view(request, page.permission) for kind, page in PAGES.items()}
        retry = details.failed_message(session) is not None
        operations = self.operations()
        return context | {
            "allowed": allowed,
            "age": age(session.phase_since or session.created_at),
            "operations": [
                entry for entry in details.possible_actions(session, retry=retry) if entry[0] in operations
            ]
            if self.has_change_permission(request, session)
            else [],
        }

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        session = kwargs.get("obj")
        if session is not None:
            context.update(self.page_context(request, session))
        return super().render_change_form(request, context, *args, **kwargs)
