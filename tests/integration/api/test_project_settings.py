"""What project settings bring about: groups get their roles, sessions their repositories and runner."""

import json

import pytest
from django.contrib.auth.models import Group

from projects_app.models import ProjectSettings, RoleBinding
from tests.factories import ProjectFactory, UserFactory
from tests.integration.api.test_wire import check_error


@pytest.fixture
def owner(api_client, project, bind_role):
    bind_role("project:owner", project)
    return api_client


def entries(**groups):
    return json.dumps([{"groupName": name, "role": role} for name, role in groups.items()])


def bound():
    rows = RoleBinding.objects.live().filter(group__isnull=False)
    return {(row.group.name, row.role.name) for row in rows.select_related("group", "role")}


@pytest.fixture
def settings_path(owner):
    body = {"project_id": "demo", "group_access": entries(devs="edit", guests="view")}
    return f"/project_settings/{owner.call('post', '/project_settings', body).json()['id']}"


def test_groups_get_their_roles(owner, settings_path, client_for):
    assert bound() == {("devs", "project:editor"), ("guests", "project:viewer")}
    carol = UserFactory()
    client = client_for(carol)
    check_error(client.call("get", "/projects/demo"), 404, "7")
    carol.groups.add(Group.objects.get(name="guests"))
    client = client_for(carol)
    assert client.call("get", "/projects/demo").status_code == 200
    check_error(client.call("post", "/sessions", {"name": "s", "project_id": "demo"}), 403, "4")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (entries(devs="edit"), {("devs", "project:editor")}),
        (entries(devs="view"), {("devs", "project:viewer")}),
        (entries(others="view"), {("others", "project:viewer")}),
        ("[]", set()),
        ("", set()),
        ("not json", set()),
        ('{"groupName": "x", "role": "view"}', set()),
        (
            '[5, {"groupName": 1, "role": "view"}, {"groupName": "x", "role": "god"}, {"groupName": ""}]',
            set(),
        ),
    ],
    ids=[
        "one less",
        "another role",
        "another group",
        "none",
        "empty",
        "no JSON",
        "no list",
        "nonsense entries",
    ],
)
def test_a_change_of_the_text_changes_the_roles(owner, settings_path, text, after):
    response = owner.call("patch", settings_path, {"group_access": text})
    assert response.status_code == 200
    assert response.json().get("group_access", "") == text
    assert bound() == after


def places():
    rows = RoleBinding.objects.live().filter(group__isnull=False)
    return set(rows.values_list("group__name", "project_id"))


def test_settings_can_move_to_another_project_and_their_groups_with_them(
    owner, project, bind_role, settings_path
):
    bind_role("project:owner", ProjectFactory(id="other"))
    moved = owner.call("patch", settings_path, {"project_id": "other", "group_access": entries(devs="edit")})
    assert (moved.status_code, moved.json()["project_id"]) == (200, "other")
    assert places() == {("devs", "other")}
    assert owner.call("post", "/project_settings", {"project_id": "demo"}).status_code == 201


@pytest.mark.parametrize(
    ("target", "status", "id"),
    [("taken", 409, "6"), ("foreign", 403, "4"), ("nowhere", 403, "4"), ("", 400, "8")],
)
def test_where_settings_cannot_move(owner, bind_role, settings_path, target, status, id):
    taken = ProjectFactory(id="taken")
    ProjectSettings.objects.create(project=taken)
    bind_role("project:owner", taken)
    ProjectFactory(id="foreign")
    check_error(owner.call("patch", settings_path, {"project_id": target}), status, id)
    assert places() == {("devs", "demo"), ("guests", "demo")}


def test_settings_move_to_no_project_that_there_is_not(admin_client_wire, settings_path):
    check_error(admin_client_wire.call("patch", settings_path, {"project_id": "nowhere"}), 400, "8")


def test_other_changes_leave_the_groups_alone(owner, settings_path):
    owner.call("patch", settings_path, {"runner_type": "demo"})
    assert bound() == {("devs", "project:editor"), ("guests", "project:viewer")}


def test_deleted_settings_take_the_roles_with_them(owner, settings_path):
    assert owner.call("delete", settings_path).status_code == 204
    assert bound() == set()


@pytest.mark.django_db(transaction=True)
def test_nobody_grants_their_own_level_this_way(owner, settings_path, admin_client_wire):
    text = entries(chiefs="admin")
    check_error(owner.call("patch", settings_path, {"group_access": text}), 403, "4")
    assert bound() == {("devs", "project:editor"), ("guests", "project:viewer")}
    assert ProjectSettings.objects.get().group_access == entries(devs="edit", guests="view")
    assert admin_client_wire.call("patch", settings_path, {"group_access": text}).status_code == 200
    assert bound() == {("chiefs", "project:owner")}


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"], ids=["nul", "half-a-surrogate-pair"])
def test_a_group_name_that_cannot_be_stored_is_refused(owner, settings_path, name):
    answer = owner.call("patch", settings_path, {"group_access": entries(**{name: "view"})})
    check_error(answer, 400, "8")
    assert "group_access" in answer.json()["reason"]
    assert bound() == {("devs", "project:editor"), ("guests", "project:viewer")}


def test_too_many_groups_are_refused(owner, settings_path):
    text = entries(**{f"g{n}": "view" for n in range(101)})
    check_error(owner.call("patch", settings_path, {"group_access": text}), 400, "8")


@pytest.mark.parametrize(
    ("repositories", "spec", "repos"),
    [
        (
            '[{"url":"https://h/a.git"},{"url":"https://h/b","branch":"dev"}]',
            {},
            [
                {"url": "https://h/a.git", "branch": "main", "name": "a"},
                {"url": "https://h/b", "branch": "dev", "name": "b"},
            ],
        ),
        ('[{"url":"https://h/a.git"}]', {"repo_url": "https://h/own.git"}, None),
        ('[{"url":"https://h/a.git"}]', {"repos": "[]"}, []),
        ("not json", {}, None),
        ('[{"branch":"b"}, 5]', {}, None),
    ],
    ids=["the project's", "its own repository", "its own list", "no JSON", "nonsense entries"],
)
def test_sessions_work_in_the_projects_repositories(owner, settings_path, repositories, spec, repos):
    owner.call("patch", settings_path, {"repositories": repositories})
    body = owner.call("post", "/sessions", {"name": "s", "project_id": "demo"} | spec).json()
    assert json.loads(body.get("repos", "null")) == repos


def test_sessions_have_the_projects_runner_settings(owner, settings_path):
    change = {"runner_type": "demo", "inactivity_timeout": 77, "stop_on_run_finished": True}
    owner.call("patch", settings_path, change)
    body = owner.call("post", "/sessions", {"name": "s", "project_id": "demo"}).json()
    assert {name: body[name] for name in change} == change
