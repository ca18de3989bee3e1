"""The page "Who may what": holders of one object, the answer to one question, the way there."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from projects_app.models import Role
from projects_app.services.role_bindings import role_binding_create
from tests.factories import AgentFactory, CredentialFactory, SessionFactory, UserFactory

PATH = "/admin/projects_app/rolebinding/who-may/"


@pytest.fixture
def bound(project):
    viewer = Role.objects.get(name="project:viewer")
    crew = Group.objects.create(name="crew")
    values = {"scope": "project", "project_id": project.pk}
    role_binding_create(role=viewer, values=values | {"group_id": crew.pk})
    return role_binding_create(role=viewer, values=values | {"user_id": UserFactory(username="bob").username})


def test_everybody_on_a_project(boss, project, bound):
    response = boss.get(PATH, {"scope": "project", "id": "demo"})
    text = response.content.decode()
    assert response.status_code == 200
    assert [h.subject for h in response.context["holders"]] == ["crew", "bob", "root"]
    assert reverse("admin:projects_app_rolebinding_change", args=[bound.pk]) in text
    assert "role project:viewer on project demo through group crew" in text


@pytest.mark.parametrize(
    ("username", "permission", "allowed", "reason"),
    [
        ("bob", "session:read", True, "role project:viewer on project demo"),
        ("bob", "session:stop", False, "not enough: role project:viewer on project demo"),
        ("nobody", "session:stop", False, "there is no such user"),
    ],
)
def test_a_question(boss, bound, username, permission, allowed, reason):
    asked = {"scope": "project", "id": "demo", "username": username, "permission": permission}
    response = boss.get(PATH, asked)
    assert response.context["answer"].allowed is allowed
    assert reason in response.content.decode()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"scope": "project", "id": "nowhere"}, "There is nothing with this id."),
        ({"scope": "planet", "id": "x"}, "Select a valid choice"),
        ({"scope": "project", "id": "demo", "username": "bob"}, "Give both a username and a permission"),
        ({"scope": "project", "id": "\0"}, "Null characters are not allowed"),
        ({}, "Kind and id show everybody"),
    ],
)
def test_what_cannot_be_asked_is_told_on_the_form(boss, bound, asked, told):
    response = boss.get(PATH, asked)
    assert (response.status_code, told in response.content.decode()) == (200, True)


def test_it_needs_the_permission_to_see_bindings(staff, bound):
    assert staff("projects_app.view_project").get(PATH).status_code == 403


def test_each_object_links_to_it(boss, project):
    made = {
        "project": project,
        "agent": AgentFactory(project=project),
        "credential": CredentialFactory(),
        "session": SessionFactory(project=project),
    }
    for scope, obj in made.items():
        name = f"{obj._meta.app_label}_{obj._meta.model_name}"
        page = boss.get(reverse(f"admin:{name}_change", args=[obj.pk])).content.decode()
        link = reverse(f"admin:{name}_who_may", args=[obj.pk])
        assert link in page
        assert boss.get(link)["Location"] == f"{PATH}?scope={scope}&id={obj.pk}"
    assert PATH in boss.get(reverse("admin:projects_app_rolebinding_changelist")).content.decode()
