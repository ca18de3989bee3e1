"""Roles, role bindings and API keys."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.decorators import action

from ambient.common.admin.models import LiveFilter, ServiceAdmin
from ambient.common.exceptions import Forbidden
from projects_app.admin.access_page import access_page
from projects_app.models import ApiKey, Role, RoleBinding
from projects_app.serializers import RoleSerializer
from projects_app.services.api_keys import api_key_create, api_key_revoke, end_of_key
from projects_app.services.role_bindings import (
    require_may_create,
    require_may_delete,
    role_binding_create,
    role_binding_delete,
    role_binding_update,
)
from projects_app.services.roles import require_may_give, role_create, role_delete, role_update

REFERENCES = ("role", "project", "agent", "credential")


@admin.register(Role)
class RoleAdmin(ServiceAdmin):
    """Lists of permissions. Built-in ones follow from the code and cannot be changed."""

    list_display = ("name", "level", "built_in", "description")
    list_filter = (LiveFilter, "built_in")
    search_fields = ("name__startswith", "id__startswith")
    ordering = ("name",)
    fields = ("name", "display_name", "description", "permissions", "level", "built_in", "created_at")
    readonly_fields = ("level", "built_in", "created_at")
    create_only = ("name",)
    wire = RoleSerializer

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj is not None and obj.built_in)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.built_in)

    def service_create(self, request: HttpRequest, values: dict[str, Any]) -> Role:
        require_may_give(request.user, values)
        return role_create(values=values)

    def service_update(self, request: HttpRequest, obj: Role, changes: dict[str, Any]) -> Role:
        require_may_give(request.user, changes)
        return role_update(role=obj, changes=changes)

    def service_delete(self, request: HttpRequest, obj: Role) -> None:
        role_delete(role=obj)


@admin.register(RoleBinding)
class RoleBindingAdmin(ServiceAdmin):
    """Who holds which role where. The rules of granting hold here as over REST."""

    list_display = ("role", "scope", "subject", "where", "created_at")
    list_filter = (LiveFilter, "scope")
    list_select_related = ("role", "group")
    search_fields = ("user_id__startswith", "project__id__exact", "id__startswith")
    search_help_text = "Username from its beginning, a project's name, or an id"
    ordering = ("-created_at", "-id")
    fields = ("role", "scope", "user_id", "group", "project", "agent", "session_id", "credential")
    autocomplete_fields = ("role", "group", "project", "agent", "credential")
    create_only = ("group",)
    actions_list = ("who_may",)

    @admin.display(description="Subject")
    def subject(self, obj: RoleBinding) -> str:
        return obj.user_id or (f"group {obj.group}" if obj.group_id else "")

    @admin.display(description="On")
    def where(self, obj: RoleBinding) -> str:
        return obj.session_id or obj.credential_id or obj.agent_id or obj.project_id or "everything"

    def checked(self, values: Any, *, partial: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in values.items():
            if name in (*REFERENCES, "group"):
                found[f"{name}_id"] = value.pk if value is not None else None
            else:
                found[name] = value or None
        return found

    @action(description="Who may what", url_path="who-may")
    def who_may(self, request: HttpRequest) -> HttpResponse:
        return access_page(request, self)

    def service_create(self, request: HttpRequest, values: dict[str, Any]) -> RoleBinding:
        role = require_may_create(request.user, values)
        return role_binding_create(role=role, values=values)

    def service_update(self, request: HttpRequest, obj: RoleBinding, changes: dict[str, Any]) -> RoleBinding:
        return role_binding_update(actor=request.user, binding=obj, changes=changes)

    def service_delete(self, request: HttpRequest, obj: RoleBinding) -> None:
        require_may_delete(request.user, obj)
        role_binding_delete(binding=obj)


class KeyStateFilter(admin.SimpleListFilter):
    """Keys that work unless revoked ones are asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("revoked", "Revoked"), ("expired", "Expired")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "revoked":
            return queryset.filter(revoked_at__isnull=False)
        if self.value() == "expired":
            return queryset.filter(revoked_at=None, expires_at__lte=timezone.now())
        return queryset


@admin.register(ApiKey)
class ApiKeyAdmin(ServiceAdmin):
    """Keys of programs: shown once when they are made, then only recognised and revoked."""

    list_display = (
        "prefix",
        "user",
        "name",
        "project_id",
        "role",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = (KeyStateFilter,)
    list_select_related = ("user", "role")
    search_fields = ("prefix__startswith", "user__username__exact")
    search_help_text = "First characters of the key, or a username"
    ordering = ("-created_at", "-id")
    autocomplete_fields = ("user", "project", "role")
    shown = ("prefix", "created_at", "last_used_at", "revoked_at")
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        made = ("user", "name", "project", "role", "expires_at")
        return made if obj is None else (*self.shown[:1], *made, *self.shown[1:])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def service_create(self, request: HttpRequest, values: dict[str, Any]) -> ApiKey:
        if values["user"].pk != request.user.pk and not request.user.is_superuser:
            raise Forbidden("Only a superuser may make a key for somebody else")
        end = end_of_key(values.pop("expires_at", None))
        key, request.key_text = api_key_create(**values, expires_at=end)  # type: ignore[attr-defined]
        return key

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """The one time that the key can be read: on the answer itself, in no cookie, cache or log."""
        context = self.admin_site.each_context(request) | {
            "title": "API key made",
            "opts": self.opts,
            "key": obj,
            "text": request.key_text,  # type: ignore[attr-defined]
        }
        response = TemplateResponse(request, "ambient/admin/api_key_made.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @admin.action(description="Revoke the chosen keys", permissions=("change",))
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        keys = list(queryset.filter(revoked_at=None))
        for key in keys:
            if key.user_id != request.user.pk and not request.user.is_superuser:
                raise Forbidden("Only a superuser may revoke a key of somebody else")
            api_key_revoke(key=key)
        self.message_user(request, f"{len(keys)} revoked", messages.SUCCESS)
