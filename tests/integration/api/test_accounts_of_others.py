"""Nobody gains by acting on, or for, another account what they could not be given themselves."""

import json

import pytest

from projects_app.services.roles import role_create
from tests.factories import ProjectFactory, UserFactory
from tests.integration.api.test_wire import check_error, fingerprint


@pytest.fixture
def desk(api_client, bind_role):
    """alice, whose role of her own lets her make users and keys, and change and delete users."""
    permissions = ["user:read", "user:create", "user:update", "user:delete", "api_key:create"]
    role_create(values={"name": "desk", "permissions": json.dumps(permissions)})
    bind_role("desk")
    return api_client


@pytest.mark.parametrize("name", ["ctl", "service-account-ctl", "\uff43tl"])
def test_the_controllers_name_is_given_by_administrators_alone(desk, admin_client_wire, settings, name):
    settings.SERVICE_ACCOUNT = "ctl"
    body = {"username": name, "name": "c", "service_account": True}
    before = fingerprint()
    check_error(desk.call("post", "/users", body), 403, "4")
    assert fingerprint() == before
    assert admin_client_wire.call("post", "/users", body).status_code == 201


def test_nobody_makes_a_key_of_the_controller(desk, admin_client_wire, settings):
    settings.SERVICE_ACCOUNT = "ctl"
    UserFactory(username="ctl", service_account=True)  # which was never here, so it has no binding yet
    check_error(desk.call("post", "/api_keys", {"username": "ctl"}), 403, "4")
    assert admin_client_wire.call("post", "/api_keys", {"username": "ctl"}).status_code == 201


@pytest.mark.parametrize("waits", [False, True], ids=["has-it", "a-binding-waits-for-it"])
@pytest.mark.parametrize(
    ("role", "everywhere"),
    [
        ("project:editor", False),
        ("agent:observer", False),
        ("platform:viewer", True),
        ("gitops:viewer", True),
    ],
)
def test_nobody_makes_a_key_that_can_more_than_they_could_give(desk, bind_role, role, everywhere, waits):
    robot = UserFactory.build(username="robot")
    bind_role(role, None if everywhere else ProjectFactory(), to=robot)
    if not waits:
        UserFactory(username="robot", service_account=True)
    else:
        body = {"username": "robot", "name": "r", "service_account": True}
        assert desk.call("post", "/users", body).status_code == 201
    check_error(desk.call("post", "/api_keys", {"username": "robot"}), 403, "4")


def test_a_key_of_what_one_could_give_oneself(desk, bind_role, project):
    bind_role("project:owner", project)
    UserFactory(username="robot", service_account=True)
    bind_role("project:viewer", project, to=UserFactory.build(username="robot"))
    assert desk.call("post", "/api_keys", {"username": "robot"}).status_code == 201


@pytest.mark.parametrize("how", ["superuser", "role", "controller"])
def test_administrators_are_changed_and_deleted_by_administrators_alone(
    desk, admin_client_wire, bind_role, settings, how
):
    settings.SERVICE_ACCOUNT = "boss" if how == "controller" else ""
    boss = UserFactory(username="boss", is_superuser=how == "superuser")
    if how == "role":
        bind_role("platform:admin", to=boss)
    before = fingerprint()
    check_error(desk.call("patch", f"/users/{boss.pk}", {"email": "x@example.org"}), 403, "4")
    check_error(desk.call("delete", f"/users/{boss.pk}"), 403, "4")
    assert fingerprint() == before
    for path, status in [("patch", 200), ("delete", 204)]:
        answer = admin_client_wire.call(path, f"/users/{boss.pk}", {"email": "x@example.org"})
        assert answer.status_code == status, answer.content


def test_others_and_oneself_are_changed_as_before(desk, user, bind_role, project):
    bob = UserFactory()
    bind_role("project:owner", project)
    bind_role("project:viewer", project, to=bob)
    for person in (bob, user):
        answer = desk.call("patch", f"/users/{person.pk}", {"email": "x@example.org"})
        assert answer.status_code == 200
    assert desk.call("delete", f"/users/{bob.pk}").status_code == 204
