"""Users and groups. Who is a superuser, and who is in which group, is for superusers to decide."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from ambient.common.admin.models import LiveFilter, ServiceAdmin
from ambient.common.exceptions import Forbidden
from projects_app.models import ExternalIdentity, User
from projects_app.services.groups import group_create, group_delete, group_update, user_groups_set
from projects_app.services.identities import identity_link, identity_unlink
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


@admin.register(ExternalIdentity)
class ExternalIdentityAdmin(ServiceAdmin):
    """Whose account an identity at a provider is: for superusers to say, since it gives the account away."""

    list_display = ("user", "issuer", "subject", "made_administrator", "last_seen_at")
    list_select_related = ("user",)
    search_fields = ("user__username__startswith", "subject__exact")
    search_help_text = "Username from its beginning, or a whole subject"
    ordering = ("-created_at", "-id")
    autocomplete_fields = ("user",)
    linked = ("user", "issuer", "subject")
    shown = ("groups", "made_administrator", "told_at", "created_at", "last_seen_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.linked if obj is None else (*self.linked, *self.shown)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.get_fields(request, obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only issuers that are believed can be chosen."""
        if db_field.name == "issuer":
            urls = [issuer.url for issuer in settings.OIDC_ISSUERS]
            return forms.ChoiceField(choices=[(url, url) for url in urls], widget=UnfoldAdminSelectWidget)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def service_create(self, request: HttpRequest, values: dict[str, Any]) -> ExternalIdentity:
        return identity_link(**values)

    def service_delete(self, request: HttpRequest, obj: ExternalIdentity) -> None:
        identity_unlink(link=obj)


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
