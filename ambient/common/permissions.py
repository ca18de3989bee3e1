"""Access is data beside the viewset: action -> permission. What is not listed is denied."""

from typing import Any

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission

ANYONE_SIGNED_IN = "signed-in"
"""In place of a permission: a person or service account with a valid token; rules of its own follow."""

_VERBS = {
    "list": "read",
    "retrieve": "read",
    "create": "create",
    "partial_update": "update",
    "destroy": "delete",
}
_MERGES = ("merge_labels", "merge_annotations")


def crud(resource: str) -> dict[str, str]:
    """The five usual actions of a resource. Lists need `read`: rows without it are not in them."""
    return {action: f"{resource}:{verb}" for action, verb in _VERBS.items()}


def labelled(resource: str) -> dict[str, str]:
    """The five usual actions, and merging of labels and annotations."""
    return crud(resource) | dict.fromkeys(_MERGES, f"{resource}:update")


class ActionPermission(BasePermission):
    """The first two checks of a request: a valid token, and an action that is listed at all.

    Whether the permission holds is asked where the object is known: `ScopedViewSet.get_object`, `authorize`.
    """

    def has_permission(self, request: Any, view: Any) -> bool:
        if not getattr(request.user, "is_authenticated", False):
            raise NotAuthenticated
        action = getattr(view, "action", None)
        if action is None:  # a method that the path does not have: 405 follows
            return True
        return action in getattr(view, "action_permissions", {})


class Open(BasePermission):
    """No token needed. Only for the few paths of the contract that are open."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return True


class SignedIn(BasePermission):
    """Any valid token."""

    def has_permission(self, request: Any, view: Any) -> bool:
        if not getattr(request.user, "is_authenticated", False):
            raise NotAuthenticated
        return True
