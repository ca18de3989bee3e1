"""Bindings on an agent or session belong to its project, also without `project_id` (contract 4.1)."""

import pytest

from projects_app.models import Role
from projects_app.services.role_bindings import role_binding_create
from tests.factories import AgentFactory, ProjectFactory, SessionFactory
from tests.integration.api.test_wire import check_error, fingerprint

MAKERS = {"agent": AgentFactory, "session": SessionFactory}


def body_on(scope, project):
    thing = MAKERS[scope](project=project)
    return {"role_id": "agent:observer", "scope": scope, f"{scope}_id": thing.pk, "user_id": "bob"}


@pytest.mark.parametrize("scope", MAKERS)
def test_the_projects_owner_sees_it_and_takes_it_back(api_client, project, bind_role, scope):
    bind_role("project:owner", project)
    made = api_client.call("post", "/role_bindings", body_on(scope, project)).json()
    path = f"/role_bindings/{made['id']}"
    listed = api_client.call("get", "/role_bindings").json()["items"]
    assert made["id"] in [binding["id"] for binding in listed]
    assert api_client.call("get", path).json()["project_id"] is None
    check_error(api_client.call("patch", path, {"user_id": "eve"}), 403, "4")  # it is somebody else's
    assert api_client.call("delete", path).status_code == 204
    assert api_client.call("get", path).status_code == 404


@pytest.mark.parametrize("scope", MAKERS)
def test_another_projects_owner_does_not(api_client, project, bind_role, scope):
    bind_role("project:owner", ProjectFactory(id="other"))
    values = body_on(scope, project)
    binding = role_binding_create(role=Role.objects.get(name=values["role_id"]), values=values)
    path, before = f"/role_bindings/{binding.pk}", fingerprint()
    check_error(api_client.call("get", path), 404, "7")
    check_error(api_client.call("delete", path), 403, "4")
    assert fingerprint() == before


@pytest.mark.parametrize("named", [False, True], ids=["derived", "named"])
@pytest.mark.parametrize("inside", [True, False], ids=["inside", "outside"])
@pytest.mark.parametrize("scope", MAKERS)
def test_a_key_of_one_project_gives_and_takes_inside_it(
    client_for, user, project, bind_role, scope, inside, named
):
    other = ProjectFactory(id="other")
    for owned in (project, other):
        bind_role("project:owner", owned)
    client = client_for(user, project=project)
    body = body_on(scope, project if inside else other) | ({"project_id": project.pk} if named else {})
    answer = client.call("post", "/role_bindings", body)
    if not inside:
        check_error(answer, 403, "4")
        return
    assert answer.status_code == 201, answer.content
    assert client.call("delete", f"/role_bindings/{answer.json()['id']}").status_code == 204
