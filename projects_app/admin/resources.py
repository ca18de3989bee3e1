"""Credentials and applications."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminPasswordWidget

from ambient.common.admin.models import LiveFilter, ServiceAdmin
from ambient.common.exceptions import Forbidden
from projects_app.admin.access_page import LinksAccess
from projects_app.admin.projects import STAMPS
from projects_app.choices import Scope
from projects_app.credentials.base import Reason
from projects_app.models import Application, Credential
from projects_app.resource_serializers import ApplicationSerializer, CredentialSerializer
from projects_app.services.applications import (
    application_create,
    application_delete,
    application_refresh,
    application_sync,
    application_update,
    lock_application,
    require_may_send,
)
from projects_app.services.credential_access import credential_test
from projects_app.services.credentials import (
    credential_create,
    credential_delete,
    credential_update,
    require_may_redirect,
)

STATUS = (
    "sync_status",
    "health_status",
    "sync_revision",
    "operation_phase",
    "operation_message",
    "resource_status",
    "conditions",
    "last_synced_at",
)


class CredentialForm(forms.ModelForm):
    """A token goes in here and is never shown again."""

    token = forms.CharField(
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Left empty, the stored token stays.",
    )


@admin.register(Credential)
class CredentialAdmin(LinksAccess, ServiceAdmin):
    """What a credential is for, and whether it has a token. Made here, it belongs to whoever made it."""

    form = CredentialForm
    access_scope = Scope.CREDENTIAL
    list_display = ("name", "provider", "has_token", "last_test", "url", "created_at")
    list_select_related = ("state",)
    actions = ("test_now",)
    list_filter = (LiveFilter, "provider")
    search_fields = ("id__startswith", "name__startswith")
    search_help_text = "Name or id, from its beginning"
    ordering = ("-created_at", "-id")
    fields = (
        "id",
        "name",
        "provider",
        "token",
        "url",
        "email",
        "description",
        "labels",
        "annotations",
        "last_test",
        "renewed",
        *STAMPS,
    )
    readonly_fields = ("id", "last_test", "renewed", *STAMPS)
    wire = CredentialSerializer

    @admin.display(description="Token", boolean=True)
    def has_token(self, obj: Credential) -> bool:
        return obj.token_sealed is not None

    @admin.display(description="Last test")
    def last_test(self, obj: Credential) -> str:
        state = getattr(obj, "state", None)
        if state is None or not state.test_reason:
            return "never"
        ends = f"; ends {state.test_expires_at:%Y-%m-%d %H:%M} UTC" if state.test_expires_at else ""
        return f"{Reason(state.test_reason).label} ({state.tested_at:%Y-%m-%d %H:%M:%S} UTC{ends})"

    @admin.display(description="Short-lived token")
    def renewed(self, obj: Credential) -> str:
        state = getattr(obj, "state", None)
        if state is not None and state.failed_reason:
            return f"{Reason(state.failed_reason).label} ({state.failed_at:%Y-%m-%d %H:%M:%S} UTC)"
        if state is None or state.access_expires_at is None:
            return "none"
        return f"ends {state.access_expires_at:%Y-%m-%d %H:%M} UTC"

    @admin.action(description="Test now", permissions=["change"])
    def test_now(self, request: HttpRequest, queryset: Any) -> None:
        """Shows the secret to its provider, so it needs what reading it needs."""
        for credential in queryset.filter(deleted_at=None):
            if not request.user.has_perm("credential:fetch_token", credential):
                raise Forbidden("Only who may read a credential's token may test it")
            result = credential_test(credential=credential, reader=request.user.username)
            level = messages.SUCCESS if result.works else messages.ERROR
            self.message_user(request, f"{credential}: {result.reason.label}", level)

    def service_create(self, request: HttpRequest, values: dict[str, Any]) -> Credential:
        return credential_create(actor=request.user, values=values)

    def service_update(self, request: HttpRequest, obj: Credential, changes: dict[str, Any]) -> Credential:
        require_may_redirect(request.user, obj, changes)
        return credential_update(credential=obj, changes=changes)

    def service_delete(self, request: HttpRequest, obj: Credential) -> None:
        credential_delete(credential=obj)


@admin.register(Application)
class ApplicationAdmin(ServiceAdmin):
    """Folders in Git that projects are to follow; the status is the sync engine's."""

    list_display = (
        "name",
        "destination_project",
        "source_repo_url",
        "sync_status",
        "health_status",
        "created_at",
    )
    list_filter = (LiveFilter,)
    search_fields = ("id__startswith", "name__startswith", "destination_project__startswith")
    search_help_text = "Name, id or project, from its beginning"
    ordering = ("-created_at", "-id")
    autocomplete_fields = ("credential",)
    actions = ("sync", "refresh")
    fieldsets = (
        (None, {"fields": ("id", "name", "labels", "annotations")}),
        ("Source", {"fields": ("source_repo_url", "source_path", "source_target_revision")}),
        ("Target", {"fields": ("destination_project", "destination_ambient_url", "credential")}),
        ("Policy", {"fields": ("auto_sync", "auto_prune", "self_heal", "sync_options", "retry_limit")}),
        ("Status", {"fields": (*STATUS, *STAMPS)}),
    )
    readonly_fields = ("id", *STATUS, *STAMPS)
    wire = ApplicationSerializer

    def checked(self, values: Any, *, partial: bool) -> dict[str, Any]:
        ids = {"credential_id": values["credential"].pk} if values.get("credential") else {}
        cleared = {"credential_id": None} if "credential" in values and not ids else {}
        rest = {name: value for name, value in values.items() if name != "credential"}
        return super().checked(rest | ids, partial=partial) | cleared

    def service_create(self, request: HttpRequest, values: dict[str, Any]) -> Application:
        require_may_send(request.user, Application(), values)
        return application_create(values=values)

    def service_update(self, request: HttpRequest, obj: Application, changes: dict[str, Any]) -> Application:
        require_may_send(request.user, lock_application(obj.pk), changes)
        return application_update(application=obj, changes=changes)

    def service_delete(self, request: HttpRequest, obj: Application) -> None:
        application_delete(application=obj)

    @admin.action(description="Sync now", permissions=["change"])
    def sync(self, request: HttpRequest, queryset: Any) -> None:
        for application in queryset:
            synced = application_sync(application=application)
            self.message_user(request, f"{synced}: {synced.operation_message}")

    @admin.action(description="Compare with Git now", permissions=["change"])
    def refresh(self, request: HttpRequest, queryset: Any) -> None:
        for application in queryset:
            refreshed = application_refresh(application=application)
            self.message_user(request, f"{refreshed}: {refreshed.operation_message}")
