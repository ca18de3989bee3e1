"""API keys: everybody makes and revokes their own; who may, those of service accounts too."""

from typing import Any

import orjson
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.response import Response

from ambient.common.viewsets import ScopedViewSet
from projects_app.access import access_of
from projects_app.key_serializers import ApiKeyMadeSerializer, ApiKeySerializer
from projects_app.models import ApiKey
from projects_app.services.api_keys import api_key_issue, api_key_revoke
from projects_app.views.base import require_person_within

USERNAME = OpenApiParameter("username", str, description="Only keys of this user.")


@extend_schema_view(
    list=extend_schema(parameters=[USERNAME]), create=extend_schema(responses={201: ApiKeyMadeSerializer})
)
class ApiKeyViewSet(ScopedViewSet):
    """The caller's keys; all of them for who may read keys everywhere. Deleting one revokes it."""

    queryset = ApiKey.objects.select_related("user")
    serializer_class = ApiKeySerializer
    action_permissions = {
        "list": "api_key:read",
        "retrieve": "api_key:read",
        "create": "api_key:create",
        "destroy": "api_key:delete",
    }

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        username = self.request.query_params.get("username") if self.action == "list" else None
        return rows.filter(user__username=username) if username else rows

    def authorize_object(self, permission: str, obj: ApiKey) -> None:
        """One's own needs no role, but a narrowed key that includes the permission."""
        own = obj.user_id == self.request.user.pk
        if not (own and access_of(self.request.user).as_person(permission, obj.project_id)):
            super().authorize_object(permission, obj)

    def authorize_create(self) -> None:
        require_person_within(self.request.user, self.permission)

    def create(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The text is added to the answer and to nothing else: with an `Idempotency-Key` it is told once."""
        self.authorize_create()
        texts: list[str] = []

        def make() -> Response:
            key, text = api_key_issue(actor=request.user, **self._values())
            texts.append(text)
            return self.respond(key, status=201)

        answer: Any = self.once(make)
        answer["Cache-Control"] = "no-store"
        if not texts:
            return answer
        body = answer.data if isinstance(answer, Response) else orjson.loads(answer.content)
        return Response({**body, "key": texts[-1]}, status=201, headers={"Cache-Control": "no-store"})

    def _values(self) -> dict[str, Any]:
        values = self.read_body()
        user = values.pop("username", None)
        return values | ({"username": user} if user else {})

    def perform_destroy(self, obj: ApiKey) -> None:
        api_key_revoke(key=obj)
