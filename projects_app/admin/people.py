"""Users and groups. Who is a superuser, and who is in which group, is for superusers to decide."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from ambient.common.admin.models import LiveFilter, ServiceAdmin
from ambient.common.exceptions import Forbidden
from projects_app.models import User
from projects_app.services.groups import group_create, group_delete, group_update, user_groups_set
from projects_app.services.users import user_create, user_delete, user_update

POWERS = ("is_active", "is_staff", "is_superuser", "groups")
MADE_WITH = ("username", "name", "email", "service_account")
SUPERUSERS_ONLY = "Only a superuser may change a superuser or another staff member"


@admin.register(User)
class UserAdmin(ServiceAdmin):
    """People and service accounts. Passwords are set with `manage.py changepassword`."""

    list_display = (
        "username",
        "name",
        "email",
        "service_account",
        "is_active",
        "is_staff",
        "is_superuser",
        "created_at",
    )
    list_filter = (LiveFilter, "service_account", "is_staff", "is_superuser", "is_active")
    search_fields = ("username__startswith", "id__startswith")
    search_help_text = "Username or id, from its beginning"
    ordering = ("-created_at", "-id")
    fields = (
        "username",
        "name",
        "email",
        "service_account",
        *POWERS,
        "last_login",
        "created_at",
        "deleted_at",
    )
    readonly_fields = ("last_login", "created_at", "deleted_at")
    filter_horizontal = ()
    create_only = ("service_account",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        powers = () if request.user.is_superuser else POWERS
        return (*super().get_readonly_fields(request, obj), *powers)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fields(request, obj) if obj is not None else MADE_WITH

    def _require_may_touch(self, request: HttpRequest, user: User) -> None:
        if (user.is_superuser or user.is_staff) and not request.user.is_superuser:
            raise Forbidden(SUPERUSERS_ONLY)

    def service_create(self, request: HttpRequest, values: dict[str, Any]) -> User:
        return user_create(values=values)

    def service_update(self, request: HttpRequest, obj: User, changes: dict[str, Any]) -> User:
        self._require_may_touch(request, obj)
        groups = changes.pop("groups", None)
        user = user_update(user=obj, changes=changes) if changes else obj
        if groups is not None:
            user_groups_set(user=user, groups=groups)
        return user

    def service_delete(self, request: HttpRequest, obj: User) -> None:
        self._require_may_touch(request, obj)
        user_delete(user=obj)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(ServiceAdmin, DjangoGroupAdmin):
    """Groups of users: role bindings may name them. Permissions here are those of the admin itself."""

    list_display = ("name",)
    search_fields = ("name__startswith",)
    ordering = ("name",)
    fields = ("name", "permissions")
    filter_horizontal = ("permissions",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        powers = () if request.user.is_superuser else ("permissions",)
        return (*super().get_readonly_fields(request, obj), *powers)

    def service_create(self, request: HttpRequest, values: dict[str, Any]) -> Group:
        return group_create(name=values["name"], permissions=values.get("permissions", ()))

    def service_update(self, request: HttpRequest, obj: Group, changes: dict[str, Any]) -> Group:
        return group_update(group=obj, changes=changes)

    def service_delete(self, request: HttpRequest, obj: Group) -> None:
        group_delete(group=obj)
