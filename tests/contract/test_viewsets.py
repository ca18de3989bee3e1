"""Rules that hold for every route of the API, found by walking the URL configuration."""

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.permissions import BasePermission
from rest_framework.views import APIView

from ambient.common.permissions import ANYONE_SIGNED_IN, ActionPermission, Open, SignedIn
from ambient.common.viewsets import ScopedViewSet, WireView
from projects_app.choices import PERMISSIONS

OPEN = {
    "ServerInfoView",
    "VersionView",
    "AuthConfigView",
    "OpenApiView",
    "OpenApiPageView",
    "OpenNotFoundView",
}


def patterns(found=None, prefix=""):
    for entry in get_resolver().url_patterns if found is None else found:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry.url_patterns, path)
        elif isinstance(entry, URLPattern) and path.lstrip("^").startswith("api"):
            yield path, entry.callback


def view_class(callback):
    return getattr(callback, "cls", None) or getattr(callback, "view_class", None)


ROUTES = list(patterns())
VIEWS = sorted({view_class(c) for _, c in ROUTES if view_class(c)}, key=lambda cls: cls.__name__)
VIEWSETS = [cls for cls in VIEWS if issubclass(cls, ScopedViewSet)]


def actions_of(viewset):
    return {
        action
        for _, callback in ROUTES
        if view_class(callback) is viewset
        for action in getattr(callback, "actions", {}).values()
    }


def test_the_walk_finds_the_api():
    names = {viewset.__name__ for viewset in VIEWSETS}
    assert {"SessionViewSet", "ProjectViewSet", "AgentViewSet", "RoleBindingViewSet"} <= names


@pytest.mark.parametrize("viewset", VIEWSETS, ids=lambda cls: cls.__name__)
def test_every_action_has_a_permission(viewset):
    listed = dict(viewset.action_permissions)
    assert actions_of(viewset) <= set(listed)
    assert set(listed.values()) <= set(PERMISSIONS) | {ANYONE_SIGNED_IN}


@pytest.mark.parametrize("viewset", VIEWSETS, ids=lambda cls: cls.__name__)
def test_every_viewset_scopes_its_rows(viewset):
    manager = viewset.queryset
    assert hasattr(manager, "visible_to")
    assert hasattr(manager, "live")
    assert viewset.permission_classes == [ActionPermission]


@pytest.mark.parametrize("view", VIEWS, ids=lambda cls: cls.__name__)
def test_every_view_is_denied_by_default(view):
    if issubclass(view, APIView):
        assert view.permission_classes
        assert all(issubclass(permission, BasePermission) for permission in view.permission_classes)
        is_open = any(issubclass(permission, Open) for permission in view.permission_classes)
        assert is_open == (view.__name__ in OPEN)
    if view.permission_classes == [SignedIn]:
        assert issubclass(view, WireView)


@pytest.mark.parametrize(
    "path",
    sorted({path for path, callback in ROUTES if getattr(view_class(callback), "__name__", "") not in OPEN}),
)
def test_no_route_answers_without_a_token(anonymous, path):
    import re

    plain = re.sub(r"<(\w+:)?\w+>|\(\?P<\w+>[^)]*\)", "x", path.lstrip("^"))
    plain = re.sub(r"\(/\|\$\)", "/nothing", plain).rstrip("$").rstrip("?")
    if plain.endswith("/ws"):
        return  # a websocket route
    for method in ("get", "post", "patch", "delete"):
        response = anonymous.call(method, f"/{plain}", {})
        assert response.status_code in (401, 405), (method, plain, response.status_code)
