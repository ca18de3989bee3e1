"""Who may do what, and why: of one object as a list, of one question as an answer."""

from typing import Any

from django.contrib.auth.models import Group
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from ambient.common.exceptions import BadRequest, Forbidden, InvalidField, not_found
from ambient.common.pagination import Page
from ambient.common.permissions import ANYONE_SIGNED_IN
from ambient.common.viewsets import NOT_PERMITTED, ScopedViewSet
from projects_app.access import access_of
from projects_app.access_serializers import (
    AccessCheckRequestSerializer,
    AccessCheckSerializer,
    AccessEntryListSerializer,
)
from projects_app.choices import PERMISSIONS, Scope
from projects_app.holders import (
    NO_ROLE,
    Explained,
    described,
    explain,
    explain_group,
    explain_name,
    holders,
    is_seen,
    meant_on,
    object_of,
    shown_bindings,
)
from projects_app.models import RoleBinding, User
from projects_app.services.grants import TARGETS
from projects_app.usernames import normalised

MAX_HOLDERS = 500
MAY_ASK = {
    Scope.GLOBAL: "role_binding:read",
    Scope.PROJECT: "role_binding:read",
    Scope.AGENT: "role_binding:read",
    Scope.SESSION: "role_binding:read",
    Scope.CREDENTIAL: "role_binding:create",  # a credential's owner, who may share it
}
"""Permission to learn about others, by what the question is about."""
PAGES = [
    OpenApiParameter("page", int, description="Number of the page, from 1."),
    OpenApiParameter("size", int, description=f"Entries per page, at most {MAX_HOLDERS}."),
]


class ListsAccess:
    """For viewsets of the kinds that a binding can be scoped to: `GET .../access` of one object."""

    access_scope: Scope

    @extend_schema(parameters=PAGES, responses=AccessEntryListSerializer)
    def access(self: Any, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Every person and group with rights on it: which, and the bindings that they come from."""
        found = self.get_object()
        page = Page.of(request.query_params)
        page = Page(page.page, min(page.size, MAX_HOLDERS))
        meant = meant_on(self.access_scope)
        shown = shown_bindings(found.access_scopes, meant)
        rows = holders(shown)
        entries = described(page.of_rows(rows), shown, meant)
        body = {"kind": "AccessEntryList", "page": page.page, "size": len(entries), "total": rows.count()}
        return Response(AccessEntryListSerializer(body | {"items": entries}).data)


class AccessCheckViewSet(ScopedViewSet):
    """May somebody do something? Of oneself everybody may ask, of others who may read the bindings."""

    queryset = RoleBinding.objects.all()
    serializer_class = AccessCheckRequestSerializer
    action_permissions = {"check": ANYONE_SIGNED_IN}

    @extend_schema(request=AccessCheckRequestSerializer, responses=AccessCheckSerializer)
    def check(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Whether a person or group may do something on an object or everywhere, and why. Changes nothing."""
        if not request.user.pk:  # a runner: nobody's rights are its own
            raise Forbidden(NOT_PERMITTED)
        asked = self.read_body()
        if asked["permission"] not in PERMISSIONS:
            raise InvalidField("permission must be one of those that there are, such as session:start")
        scope, scopes = self._scopes(asked)
        if asked.get("username") and asked.get("group"):
            raise BadRequest("ask for a username or a group, not both")
        told = self._told(asked, scope, scopes)
        who = {"username": asked.get("username") or request.user.username, "group": asked.get("group")}
        if who["group"]:
            who["username"] = None
        body = who | {"kind": "AccessCheck", "permission": asked["permission"]}
        return Response(AccessCheckSerializer(body | vars(told)).data)

    def _scopes(self, asked: dict[str, Any]) -> tuple[Scope, dict[str, str | None]]:
        """What the question is about; 404 where the caller may not see it."""
        named = [(scope, asked[name]) for scope, name in TARGETS.items() if name and asked.get(name)]
        if len(named) > 1:
            raise BadRequest("name one object, or none for everywhere")
        if not named:
            return Scope.GLOBAL, {}
        scope, pk = named[0]
        found = object_of(scope, pk)
        if found is None or not is_seen(self.request.user, scope, pk):
            raise not_found(scope.capitalize(), pk)
        return Scope(scope), dict(found.access_scopes)

    def _told(self, asked: dict[str, Any], scope: Scope, scopes: dict[str, str | None]) -> Explained:
        caller, permission = self.request.user, asked["permission"]
        if not asked.get("group") and asked.get("username") in (None, "", caller.username):
            return self._of_oneself(caller, permission, scopes)
        access = access_of(caller)
        needed = MAY_ASK[scope]
        if not (access.covers(needed, scopes) if scopes else access.everywhere(needed)):
            raise Forbidden(NOT_PERMITTED)
        may_know_names = access.everywhere("user:read")
        meant = frozenset(PERMISSIONS) if scope == Scope.GLOBAL else meant_on(scope)
        if asked.get("group"):
            group = Group.objects.filter(name=asked["group"]).first()
            if group is None:
                return Explained(False, "there is no such group" if may_know_names else NO_ROLE, [])
            return explain_group(group, permission, scopes, meant)
        name = normalised(asked["username"])
        user = User.objects.live().filter(username=name).first()
        if not may_know_names:
            return explain_name(name, user, permission, scopes, meant)
        if user is None:
            return Explained(False, "there is no such user", [])
        return explain(user, permission, scopes)

    def _of_oneself(self, caller: Any, permission: str, scopes: dict[str, str | None]) -> Explained:
        """As the caller is here: an API key may reach less than its user."""
        told = explain(caller, permission, scopes)
        access = access_of(caller)
        if told.allowed and not (
            access.covers(permission, scopes) if scopes else access.everywhere(permission)
        ):
            return Explained(False, "this API key is narrower than its user", told.bindings)
        return told
