"""Usernames over REST: one form of each, and none that deceives."""

import pytest

from projects_app.models import RoleBinding, User
from projects_app.usernames import BLANKS, HIDDEN, MIXED
from tests.factories import UserFactory
from tests.integration.api.test_wire import check_error, fingerprint

BAD = [("al\u200bice", HIDDEN), ("alice\u202e", HIDDEN), ("\u0430lice", MIXED), ("alice ", BLANKS)]


@pytest.mark.parametrize(("name", "fault"), BAD, ids=[ascii(name) for name, _ in BAD])
@pytest.mark.parametrize("how", ["post", "patch"])
def test_names_that_deceive_are_refused(admin_client_wire, how, name, fault):
    path = "/users" if how == "post" else f"/users/{UserFactory(username='bob').pk}"
    before = fingerprint()
    answer = admin_client_wire.call(how, path, {"username": name, "name": "n"})
    check_error(answer, 400, "8")
    assert answer.json()["reason"] == fault
    assert fingerprint() == before


def test_a_name_is_kept_in_one_form(admin_client_wire, project):
    made = admin_client_wire.call("post", "/users", {"username": "ﬁn", "name": "Fin"})
    assert made.json()["username"] == "fin"
    check_error(admin_client_wire.call("post", "/users", {"username": "\uff46in", "name": "x"}), 409, "6")
    body = {"role_id": "project:viewer", "scope": "project", "project_id": "demo", "user_id": "\uff46in"}
    assert admin_client_wire.call("post", "/role_bindings", body).json()["user_id"] == "fin"
    pk = RoleBinding.objects.get(user_id="fin").pk
    told = admin_client_wire.call("patch", f"/role_bindings/{pk}", {"user_id": "\uff41lice"}).json()
    assert told["user_id"] == "alice"
    assert User.objects.create_superuser("\uff42oss").username == "boss"


def test_other_fields_of_an_old_name_still_change(admin_client_wire):
    old = UserFactory(username="al\u200bice")
    assert admin_client_wire.call("patch", f"/users/{old.pk}", {"name": "A"}).status_code == 200


@pytest.mark.parametrize("name", ["session:abc", "session\uff1aabc"], ids=["plain", "until-normalised"])
def test_a_sessions_name_gets_no_binding(admin_client_wire, project, bind_role, name):
    held = bind_role("project:viewer", project, to=UserFactory(username="bob"))
    body = {"role_id": "project:viewer", "scope": "project", "project_id": "demo", "user_id": name}
    before = fingerprint()
    for call in (("post", "/role_bindings", body), ("patch", f"/role_bindings/{held.pk}", {"user_id": name})):
        answer = admin_client_wire.call(*call)
        check_error(answer, 400, "8")
        assert answer.json()["reason"] == (
            'user_id: username must not start with "session:": sessions are named so'
        )
    assert fingerprint() == before
