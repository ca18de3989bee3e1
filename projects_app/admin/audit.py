"""The audit log, to look at."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html

from ambient.common.admin.models import ReadOnlyAdmin
from ambient.common.admin.paging import KeysetChangeList
from ambient.common.audit import KINDS
from ambient.common.formats import shortened
from projects_app.choices import AuditAction, AuditVia
from projects_app.models import AuditEntry

SHOWN = 160


class _ColumnFilter(admin.SimpleListFilter):
    """A closed list; asking the table for its values would read all of it."""

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(Q((str(self.parameter_name), self.value()))) if self.value() else queryset


class KindFilter(_ColumnFilter):
    """What was written."""

    title = parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in (*sorted(KINDS), "AuditEntry")]


class ActionFilter(_ColumnFilter):
    """How it was written."""

    title = parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(action.value, str(action.label)) for action in AuditAction]


class ViaFilter(_ColumnFilter):
    """How the writer came in."""

    title = parameter_name = "via"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(via.value, str(via.label)) for via in AuditVia]


class TextFilter(admin.SimpleListFilter):
    """Kept in the address by links; it has no choices of its own."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = request.GET.get(str(self.parameter_name), "")
        return [(value, shortened(value, 40))] if value else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(Q((str(self.parameter_name), self.value()))) if self.value() else queryset


class ObjectFilter(TextFilter):
    """The history of one object."""

    title, parameter_name = "object", "object_id"


class AuditChangeList(KeysetChangeList):
    """Its keys are numbers."""

    def _key(self, request: HttpRequest, name: str) -> tuple[Any, ...] | None:
        text = request.GET.get(name, "")
        return super()._key(request, name) if text.isascii() and text.isdigit() and len(text) < 19 else None


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who changed what. The database itself refuses every change here."""

    list_display = ("created_at", "actor_and_via", "action", "what", "project", "change", "request_id")
    list_filter = (KindFilter, ActionFilter, ViaFilter, ObjectFilter)
    search_fields = ("actor__exact", "object_id__exact", "project__exact", "request_id__exact")
    search_help_text = "A whole username, object id, project or request id"
    fields = (
        "created_at",
        "action",
        "kind",
        "object_id",
        "object_name",
        "project",
        "before_shown",
        "after_shown",
        "actor",
        "via",
        "via_id",
        "process",
        "os_user",
        "request_id",
        "address",
        "route",
    )
    readonly_fields = ("before_shown", "after_shown")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return AuditChangeList

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """That of the object it is about."""
        entry = get_object_or_404(AuditEntry, pk=object_id)
        return super().history_view(request, entry.object_id, extra_context)

    @admin.display(description="By")
    def actor_and_via(self, obj: AuditEntry) -> str:
        return f"{obj.actor or ''} ({obj.via} {obj.via_id or ''})".replace(" )", ")").strip()

    @admin.display(description="What")
    def what(self, obj: AuditEntry) -> str:
        return f"{obj.kind} {obj.object_name or obj.object_id}"

    @admin.display(description="Change")
    def change(self, obj: AuditEntry) -> str:
        before, after = obj.before or {}, obj.after or {}
        if obj.action == AuditAction.UPDATE:
            parts = [f"{name}: {before.get(name)} > {value}" for name, value in after.items()]
        else:
            parts = [f"{name}: {value}" for name, value in (after or before).items()]
        return shortened(", ".join(parts), SHOWN)

    @admin.display(description="Before")
    def before_shown(self, obj: AuditEntry) -> str:
        return _as_text(obj.before)

    @admin.display(description="After")
    def after_shown(self, obj: AuditEntry) -> str:
        return _as_text(obj.after)


def _as_text(state: Any) -> str:
    return (
        "" if state is None else format_html("<pre>{}</pre>", json.dumps(state, indent=2, ensure_ascii=False))
    )
