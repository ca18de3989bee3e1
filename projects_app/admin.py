"""Plain registration, read-only: every write of the platform goes through the services."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from projects_app import models


class ReadOnlyAdmin(admin.ModelAdmin):
    """Look, do not touch."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("username", "name", "email", "is_active", "is_staff", "is_superuser", "created_at")
    search_fields = ("username", "name")
    exclude = ("password", "user_permissions")


@admin.register(models.Project)
class ProjectAdmin(ReadOnlyAdmin):
    list_display = ("id", "description", "created_at", "deleted_at")
    search_fields = ("id",)
    exclude = ("labels_index", "annotations_index")


@admin.register(models.ProjectSettings)
class ProjectSettingsAdmin(ReadOnlyAdmin):
    list_display = ("project", "runner_type", "inactivity_timeout", "created_at")


@admin.register(models.Agent)
class AgentAdmin(ReadOnlyAdmin):
    list_display = ("name", "project", "owner_user_id", "created_at", "deleted_at")
    search_fields = ("name",)
    exclude = ("labels_index", "annotations_index")


@admin.register(models.Role)
class RoleAdmin(ReadOnlyAdmin):
    list_display = ("name", "level", "built_in", "description", "deleted_at")


@admin.register(models.RoleBinding)
class RoleBindingAdmin(ReadOnlyAdmin):
    list_display = ("role", "scope", "user_id", "group", "project", "created_at", "deleted_at")
    list_select_related = ("role", "group", "project")
    search_fields = ("user_id",)


@admin.register(models.ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("prefix", "user", "name", "project", "role", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user", "project", "role")
    fields = (
        "prefix",
        "user",
        "name",
        "project",
        "role",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )


@admin.register(models.Credential)
class CredentialAdmin(ReadOnlyAdmin):
    list_display = ("name", "provider", "url", "created_at", "deleted_at")
    fields = ("name", "provider", "url", "email", "description", "labels", "annotations", "created_at")
