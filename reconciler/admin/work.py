"""Pending work, and how many sessions may run at once."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from unfold.decorators import display

from ambient.common.admin.models import BaseAdmin, ReadOnlyAdmin
from ambient.common.formats import age, shortened
from reconciler.models import Limit, WorkItem
from reconciler.overview import Item
from reconciler.wake import wake
from reconciler.workqueue import ask

STATE_LABELS = {
    "overdue": "danger",
    "retrying": "warning",
    "being worked on": "success",
    "due": "info",
}


def state_of(item: WorkItem) -> str:
    """What happens to an item now; the same words as on the dashboard."""
    now = timezone.now()
    working = item.locked_until is not None and item.locked_until > now
    names = ("id", "kind", "key", "project", "due_at", "requested_at", "attempts", "last_error", "urgent")
    values: dict[str, Any] = {name: getattr(item, name) for name in names}
    return Item(**values, working=working, now=now).state


class StuckFilter(admin.SimpleListFilter):
    """What waits longer than it should, or does not succeed."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("due", "Due"), ("retrying", "Retrying")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "due":
            return queryset.filter(due_at__lte=timezone.now())
        if self.value() == "retrying":
            return queryset.filter(attempts__gt=1)
        return queryset


class KindFilter(admin.SimpleListFilter):
    """Kinds by name: asking the table for them would read all of it."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind.title()) for kind in ("session", "project", "resync")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(WorkItem)
class WorkItemAdmin(ReadOnlyAdmin):
    """What is stuck, since when, why. Only the queue writes these rows; `resync` asks for a pass now."""

    list_display = ("key_and_kind", "project", "state", "due_for", "next_in", "attempts", "why", "asked")
    list_display_links = ("key_and_kind",)
    list_filter = (StuckFilter, KindFilter)
    search_fields = ("key__startswith",)
    search_help_text = "The key from its beginning: a session's id or a project's name"
    ordering = ("due_at", "id")
    actions = ("resync",)

    @admin.display(description="Key")
    def key_and_kind(self, obj: WorkItem) -> str:
        return f"{obj.kind} {obj.key}"

    @display(description="State", label=STATE_LABELS)
    def state(self, obj: WorkItem) -> str:
        return state_of(obj)

    @admin.display(description="Due since")
    def due_for(self, obj: WorkItem) -> str:
        return age(obj.due_at) if obj.due_at <= timezone.now() else ""

    @admin.display(description="Next in")
    def next_in(self, obj: WorkItem) -> str:
        now = timezone.now()
        return age(now, obj.due_at) if obj.due_at > now else "now"

    @admin.display(description="Why")
    def why(self, obj: WorkItem) -> str:
        return shortened(obj.last_error, 90)

    @admin.display(description="Asked for")
    def asked(self, obj: WorkItem) -> str:
        return f"{age(obj.requested_at)} ago"

    def has_resync_permission(self, request: HttpRequest) -> bool:
        """Looking again changes no row by hand, but it is work: who may change items may ask for it."""
        return request.user.has_perm("reconciler.change_workitem")

    @admin.action(description="Resync the chosen keys now", permissions=("resync",))
    def resync(self, request: HttpRequest, queryset: Any) -> None:
        items = list(queryset)
        for item in items:
            ask(item.kind, item.key, item.project, urgent=item.urgent)
        wake(len(items))
        self.message_user(request, f"{len(items)} key(s) are due now", messages.SUCCESS)

    def resync_one(self, request: HttpRequest, pk: str) -> HttpResponse:
        """The button of one item's page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if self.has_resync_permission(request):
            self.resync(request, WorkItem.objects.filter(pk=int(pk)))
        else:
            self.message_user(request, "Not permitted", messages.ERROR)
        return HttpResponseRedirect(reverse("admin:reconciler_workitem_changelist"))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.resync_one)
        return [path("<int:pk>/resync/", view, name="reconciler_workitem_resync"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["may_resync"] = self.has_resync_permission(request)
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(Limit)
class LimitAdmin(BaseAdmin):
    """How many sessions may have a place at once. The sweep lets the waiting in when a limit is raised."""

    list_display = ("__str__", "project", "max_running")
    list_select_related = ("project",)
    search_fields = ("project__id__startswith",)
    ordering = ("id",)
    autocomplete_fields = ("project",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("project",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The platform's own limit stays; an empty number means no limit."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.project_id is not None)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        queryset.exclude(project=None).delete()
