"""The controller that a setting names: made an administrator once, then judged like everybody else."""

from ambient.common.database import transactional
from projects_app.choices import Scope
from projects_app.models import Role, RoleBinding, User
from projects_app.services.role_bindings import role_binding_create

ROLE = "platform:admin"


@transactional
def controller_ensure(*, user: User) -> None:
    """Its global binding, unless it has had one: what somebody took away stays away."""
    if not user.is_controller:
        return
    values = {"scope": Scope.GLOBAL, "user_id": user.username}
    if not RoleBinding.objects.filter(role__name=ROLE, **values).exists():
        role_binding_create(role=Role.objects.get(name=ROLE), values=values)
