"""Applications: folders in Git that projects are to follow."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from ambient.common.database import transactional
from ambient.common.permissions import ANYONE_SIGNED_IN, labelled
from ambient.common.viewsets import ScopedViewSet
from projects_app.models import Application
from projects_app.resource_serializers import (
    ApplicationChangeSerializer,
    ApplicationSerializer,
    ApplicationSyncSerializer,
)
from projects_app.services.applications import (
    application_create,
    application_delete,
    application_refresh,
    application_sync,
    application_update,
    lock_application,
    require_may_send,
)
from projects_app.views.base import require_person
from projects_app.views.merging import MergesLabels


class ApplicationViewSet(MergesLabels, ScopedViewSet):
    """Applications of the projects that the caller may read; all of them for who may read applications."""

    queryset = Application.objects.all()
    serializer_class = ApplicationSerializer
    action_permissions = labelled("application") | {
        # Reading: `visible_to` decides. Creating: the body names the target.
        "list": ANYONE_SIGNED_IN,
        "retrieve": ANYONE_SIGNED_IN,
        "status": ANYONE_SIGNED_IN,
        "sync": "application:update",
        "refresh": "application:update",
    }

    def authorize_object(self, permission: str, obj: Any) -> None:
        """Beside who holds the permission, whoever may change the target project; never for a remote one."""
        user = self.request.user
        if permission != ANYONE_SIGNED_IN and obj.is_local and user.has_perm("project:update", obj):
            return
        super().authorize_object(permission, obj)

    def authorize_create(self) -> None:
        require_person(self.request.user, self.permission)

    def perform_create(self, values: dict[str, Any]) -> Application:
        self.check(Application(), values)
        return application_create(values=values)

    def perform_update(self, obj: Application, values: dict[str, Any]) -> Application:
        self.check(obj, values)
        return application_update(application=obj, changes=values)

    def check(self, obj: Application, values: dict[str, Any]) -> None:
        """May the caller point an application there, with that credential?"""
        local = not values.get("destination_ambient_url", obj.destination_ambient_url)
        target = Application(
            destination_project=values.get("destination_project", obj.destination_project),
            destination_ambient_url=None if local else "elsewhere",
        )
        permission = self.action_permissions["create"] if obj._state.adding else "application:update"
        self.authorize_object(permission, target)
        require_may_send(self.request.user, obj, values)
        if values.get("credential_id") == "":
            values["credential_id"] = None

    @extend_schema(request=ApplicationChangeSerializer)
    def partial_update(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Change an application.

        `operation_phase` "Running" asks for a sync, `sync_status` "Unknown" for a refresh; every other
        status is the engine's and ignored.
        """
        obj = self.get_object()
        return self.respond(
            self.changed(obj, self.read_body(partial=True, serializer=ApplicationChangeSerializer))
        )

    @transactional
    def changed(self, obj: Application, values: dict[str, Any]) -> Application:
        phase, compared = values.pop("operation_phase", None), values.pop("sync_status", None)
        changed = self.perform_update(lock_application(obj.pk), values)
        if phase == "Running":
            changed = application_sync(application=changed)
        if compared == "Unknown":
            changed = application_refresh(application=changed)
        return changed

    def perform_destroy(self, obj: Application) -> None:
        application_delete(application=obj)

    @extend_schema(request=ApplicationSyncSerializer, responses=ApplicationSerializer)
    def sync(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Ask for a sync. Until the sync engine is built, the operation fails and says so."""
        obj = self.get_object()
        ApplicationSyncSerializer(partial=True).to_internal_value(request.body_object(optional=True))
        return self.respond(application_sync(application=obj))

    @extend_schema(request=None, responses=ApplicationSerializer)
    def refresh(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Ask for a comparison with Git. Until the sync engine is built it stays unknown."""
        return self.respond(application_refresh(application=self.get_object()))

    @extend_schema(responses=ApplicationSerializer)
    def status(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The application with its status."""
        return self.respond(self.get_object())
