"""Credentials: everybody may make one and then owns it; tokens go in, and out by one route only."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.response import Response

from ambient.common.permissions import ANYONE_SIGNED_IN, labelled
from ambient.common.viewsets import ScopedViewSet
from ambient.common.wire import Timestamp
from projects_app.access import access_of
from projects_app.choices import Scope
from projects_app.models import Credential, RoleBinding
from projects_app.resource_serializers import (
    CredentialSerializer,
    CredentialTestResultSerializer,
    CredentialTokenResponseSerializer,
)
from projects_app.services.credential_access import credential_test, credential_token
from projects_app.services.credentials import (
    credential_create,
    credential_delete,
    credential_update,
    require_may_redirect,
)
from projects_app.views.access import MAY_ASK, ListsAccess
from projects_app.views.base import InProjectViewSet, require_person
from projects_app.views.merging import MergesLabels

wire_time = Timestamp().to_representation
PROVIDER = OpenApiParameter("provider", str, description="Only credentials for this provider.")


@extend_schema_view(list=extend_schema(parameters=[PROVIDER]))
class CredentialViewSet(MergesLabels, ListsAccess, ScopedViewSet):
    """Credentials that the caller holds a role on."""

    queryset = Credential.objects.all()
    serializer_class = CredentialSerializer
    access_scope = Scope.CREDENTIAL
    action_permissions = labelled("credential") | {
        "create": ANYONE_SIGNED_IN,
        "token": "credential:fetch_token",
        "access": MAY_ASK[Scope.CREDENTIAL],
        "test": "credential:fetch_token",  # it shows the secret to whatever the url names
    }

    def limit_of(self, request: Any, user: Any) -> str:
        return "token" if self.action == "token" else super().limit_of(request, user)

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        if self.action in ("token", "test"):  # who only reads tokens sees nothing else of them
            access, paths = access_of(self.request.user), {"credential": "id"}
            seen = access.rows("credential:read", paths) | access.rows(self.permission, paths)
            return self.all_rows_unsafe().filter(seen)
        rows = super().get_queryset()
        provider = self.request.query_params.get("provider") if self.action == "list" else None
        return rows.filter(provider=provider) if provider else rows

    def find(self, rows: Any, pk: str) -> Any:
        """By id; when reading also by name, the oldest of several."""
        found = super().find(rows, pk)
        if found is not None or self.action != "retrieve":
            return found
        return rows.filter(name=pk).order_by("created_at", "id").first()

    def authorize_create(self) -> None:
        require_person(self.request.user, "credential:create")

    def perform_create(self, values: dict[str, Any]) -> Credential:
        return credential_create(actor=self.request.user, values=values)

    def perform_update(self, obj: Credential, values: dict[str, Any]) -> Credential:
        require_may_redirect(self.request.user, obj, values)
        return credential_update(credential=obj, changes=values)

    def perform_destroy(self, obj: Credential) -> None:
        credential_delete(credential=obj)

    @extend_schema(responses=CredentialTokenResponseSerializer)
    def token(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """The token in the clear, for who owns it or may fetch it. Every reading is logged."""
        credential = self.get_object()
        found = credential_token(credential=credential, reader=request.user.username)
        body = {
            "credential_id": credential.pk,
            "provider": credential.provider,
            "token": found.token,
            "url": credential.url,
            "email": credential.email,
            "expires_at": found.expires_at and wire_time(found.expires_at),
        }
        given = {name: value for name, value in body.items() if value is not None}
        return Response(given, headers={"Cache-Control": "no-store"})

    @extend_schema(request=None, responses=CredentialTestResultSerializer)
    def test(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Use the credential once at its provider, and say whether it works. At most every ten seconds."""
        result = credential_test(credential=self.get_object(), reader=request.user.username)
        body = {
            "works": result.works,
            "reason": result.reason.value,
            "message": str(result.reason.label),
            "checked_at": wire_time(result.checked_at),
        }
        if result.expires_at is not None:
            body["expires_at"] = wire_time(result.expires_at)
        return Response(body)


@extend_schema_view(list=extend_schema(parameters=[PROVIDER]))
class ProjectCredentialViewSet(CredentialViewSet, InProjectViewSet):
    """Credentials that are bound to the path's project, or to one of its agents."""

    def all_rows_unsafe(self) -> Any:
        bound = RoleBinding.objects.live().filter(
            scope=Scope.CREDENTIAL, project_id=self.kwargs["project_id"], credential__isnull=False
        )
        return Credential.objects.live().filter(pk__in=bound.values("credential_id"))

    def authorize_create(self) -> None:
        require_person(self.request.user, "credential:create")

    def perform_create(self, values: dict[str, Any]) -> Credential:
        return credential_create(actor=self.request.user, values=values, project=self.project)
