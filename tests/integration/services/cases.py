"""One row of the tables of services: a service, and the rows that it is called with."""

from collections.abc import Callable
from typing import Any

import pytest

from projects_app.choices import Scope
from projects_app.models import Role, RoleBinding
from projects_app.services.grants import TARGETS
from projects_app.services.role_bindings import role_binding_create

Arguments = dict[str, Any]


def case(service: Callable[..., Any], prepare: Callable[[], Arguments], of: str = "") -> Any:
    """`prepare` makes the rows and returns the arguments; `of` tells several cases of a service apart."""
    return pytest.param(service, prepare, id=" ".join(filter(None, [service.__name__, of])))


def bind(role: str, target: Any = None, **subject: Any) -> RoleBinding:
    """Give a role on a target, or everywhere, to a subject (`user_id`, a username, or `group_id`)."""
    scope = Scope.GLOBAL if target is None else type(target).__name__.lower()
    values = {"scope": scope} | subject
    if target is not None:
        values[TARGETS[scope]] = target.pk
    return role_binding_create(role=Role.objects.get(name=role), values=values)
