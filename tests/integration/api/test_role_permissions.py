"""Permissions of a role: what the catalogue does not have grants nothing, so it is refused by name."""

import pytest

from projects_app.models import Role
from tests.factories import RoleFactory
from tests.integration.api.test_wire import check_error, fingerprint

UNKNOWN = [
    "sesion:raed",
    "session:raed",
    "sesion:read",
    "*:raed",
    "sesion:*",
    "Session:read",
    "sess*:read",
    "\ud800:x",
]


@pytest.mark.parametrize("entry", UNKNOWN, ids=ascii)
@pytest.mark.parametrize("how", ["post", "patch"])
def test_an_unknown_permission_is_named(admin_client_wire, how, entry):
    text = f'["session:read", "{entry.encode("ascii", "backslashreplace").decode()}"]'
    path = "/roles" if how == "post" else f"/roles/{RoleFactory().pk}"
    before = fingerprint()
    answer = admin_client_wire.call(how, path, {"name": "mine", "permissions": text})
    check_error(answer, 400, "8")
    assert entry.encode("ascii", "backslashreplace").decode() in answer.json()["reason"]
    assert fingerprint() == before


@pytest.mark.parametrize("entry", ["*:*", "session:*", "*:read", "credential:fetch_token"])
def test_wildcards_and_known_permissions_are_taken(admin_client_wire, entry):
    body = {"name": "mine", "permissions": f'["{entry}"]'}
    assert admin_client_wire.call("post", "/roles", body).status_code == 201
    assert Role.objects.get(name="mine").granted()
