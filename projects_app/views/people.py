"""Users, roles and role bindings."""

from typing import Any

from ambient.common.exceptions import Forbidden
from ambient.common.permissions import ANYONE_SIGNED_IN, crud
from ambient.common.viewsets import ScopedViewSet
from projects_app.models import Role, RoleBinding, User
from projects_app.selectors import level_on
from projects_app.serializers import RoleBindingSerializer, RoleSerializer, UserSerializer
from projects_app.services.role_bindings import (
    HIGHEST,
    NOT_PERMITTED,
    require_may_change,
    require_may_create,
    require_may_delete,
    role_binding_create,
    role_binding_delete,
    role_binding_update,
)
from projects_app.services.roles import require_may_give, role_create, role_delete, role_update
from projects_app.services.users import user_create, user_delete, user_update
from projects_app.usernames import normalised
from projects_app.views.base import require_person


class UserViewSet(ScopedViewSet):
    """Users: everybody sees themselves, administrators see all and change them."""

    queryset = User.objects.all()
    serializer_class = UserSerializer
    action_permissions = crud("user") | {"list": ANYONE_SIGNED_IN, "retrieve": ANYONE_SIGNED_IN}

    def perform_create(self, values: dict[str, Any]) -> User:
        require_may_change(self.request.user, User(username=normalised(values["username"])))
        return user_create(values=values)

    def perform_update(self, obj: User, values: dict[str, Any]) -> User:
        renamed = values.get("username", obj.username) != obj.username
        if renamed and level_on(self.request.user, {}) != HIGHEST:  # bindings name the username
            raise Forbidden(NOT_PERMITTED)
        require_may_change(self.request.user, obj)
        return user_update(user=obj, changes=values)

    def perform_destroy(self, obj: User) -> None:
        require_may_change(self.request.user, obj)
        user_delete(user=obj)


class RoleViewSet(ScopedViewSet):
    """Roles: no secret to read; only administrators change them, and nobody the built-in ones."""

    queryset = Role.objects.all()
    serializer_class = RoleSerializer
    action_permissions = crud("role") | {"list": ANYONE_SIGNED_IN, "retrieve": ANYONE_SIGNED_IN}

    def perform_create(self, values: dict[str, Any]) -> Role:
        require_may_give(self.request.user, values)
        return role_create(values=values)

    def perform_update(self, obj: Role, values: dict[str, Any]) -> Role:
        require_may_give(self.request.user, values)
        return role_update(role=obj, changes=values)

    def perform_destroy(self, obj: Role) -> None:
        role_delete(role=obj)


class RoleBindingViewSet(ScopedViewSet):
    """Role bindings. Who may give or take which role is decided by rules, not by one permission."""

    queryset = RoleBinding.objects.select_related("role")
    serializer_class = RoleBindingSerializer
    action_permissions = crud("role_binding") | {
        "list": ANYONE_SIGNED_IN,
        "retrieve": ANYONE_SIGNED_IN,
        "create": ANYONE_SIGNED_IN,
        "destroy": ANYONE_SIGNED_IN,
    }
    delete_is_idempotent = False

    def authorize_create(self) -> None:
        if not getattr(self.request.user, "pk", None):
            require_person(self.request.user, self.permission)

    def perform_create(self, values: dict[str, Any]) -> RoleBinding:
        role = require_may_create(self.request.user, values)
        return role_binding_create(role=role, values=values)

    def perform_update(self, obj: RoleBinding, values: dict[str, Any]) -> RoleBinding:
        return role_binding_update(actor=self.request.user, binding=obj, changes=values)

    def perform_destroy(self, obj: RoleBinding) -> None:
        require_may_delete(self.request.user, obj)
        role_binding_delete(binding=obj)
