"""`GET .../access` and `POST /access/check`: who may do what, why, and who may ask."""

import itertools
import random

import pytest
from django.contrib.auth.models import Group

from projects_app.choices import PERMISSIONS, Scope
from projects_app.holders import described, explain, holders, meant_on, shown_bindings
from projects_app.models import Role, User
from projects_app.services.credentials import credential_create
from projects_app.services.groups import user_groups_set
from projects_app.services.role_bindings import role_binding_create
from tests.factories import AgentFactory, ProjectFactory, RoleFactory, SessionFactory, UserFactory
from tests.integration.api.test_wire import check_error


@pytest.fixture
def world(project):
    agent = AgentFactory(project=project)
    owner = UserFactory(username="keeper")
    return {
        "project": project,
        "agent": agent,
        "session": SessionFactory(project=project, agent=agent),
        "credential": credential_create(actor=owner, values={"name": "c", "provider": "github"}),
        "other": ProjectFactory(id="other"),
    }


PATHS = {
    "project": "/projects/{0.pk}/access",
    "agent": "/projects/demo/agents/{0.pk}/access",
    "session": "/sessions/{0.pk}/access",
    "credential": "/credentials/{0.pk}/access",
}


def path_of(world, scope):
    return PATHS[scope].format(world[scope])


def bind(role, target=None, *, user=None, group=None):
    scope = Scope.GLOBAL if target is None else type(target).__name__.lower()
    values = {"scope": scope, "user_id": user, "group_id": group and group.pk}
    if target is not None:
        values[f"{scope}_id"] = target.pk
    return role_binding_create(role=Role.objects.get(name=role), values=values)


def told(entry):
    sources = [(s["role"], s["scope"], s["target"], s["group"]) for s in entry["bindings"]]
    return entry["subject_type"], entry["subject"], entry["active"], entry["administrator"], sources


def test_everybody_with_rights_on_a_session_and_where_they_come_from(client_for, world):
    crew = Group.objects.create(name="crew")
    ann, bob = UserFactory(username="ann"), UserFactory(username="bob")
    gone = UserFactory(username="gone", is_active=False)
    UserFactory(username="nobody")
    UserFactory(username="root", is_superuser=True)
    user_groups_set(user=bob, groups=[crew])
    bind("project:owner", world["project"], user="ann")
    bind("project:viewer", world["session"], group=crew)
    bind("agent:operator", world["agent"], user="bob")
    bind("platform:viewer", user="waiting")
    bind("project:viewer", world["project"], user=gone.username)
    bind("project:owner", world["other"], user="elsewhere")
    body = client_for(ann).call("get", path_of(world, "session")).json()
    session, agent = world["session"].pk, world["agent"].pk
    assert [told(entry) for entry in body["items"]] == [
        ("group", "crew", True, False, [("project:viewer", "session", session, "crew")]),
        ("user", "ann", True, False, [("project:owner", "project", "demo", None)]),
        (
            "user",
            "bob",
            True,
            False,
            [("agent:operator", "agent", agent, None), ("project:viewer", "session", session, "crew")],
        ),
        ("user", "gone", False, False, [("project:viewer", "project", "demo", None)]),
        ("user", "root", True, True, []),
        ("user", "waiting", False, False, [("platform:viewer", "global", None, None)]),
    ]
    rights = {entry["subject"]: entry["permissions"] for entry in body["items"]}
    assert {"session:read", "session_message:read"} < set(rights["bob"])
    assert "session:stop" not in rights["bob"]
    assert rights["gone"] == rights["waiting"] == []
    assert set(rights["root"]) == meant_on("session")
    assert "session:delete" in rights["ann"]
    assert (body["page"], body["size"], body["total"]) == (1, 6, 6)


def test_pages_of_holders(client_for, world, admin):
    for n in range(5):
        bind("project:viewer", world["project"], user=UserFactory(username=f"u{n}").username)
    client = client_for(admin)
    names = []
    for page in (1, 2, 3, 4):
        body = client.call("get", f"/projects/demo/access?page={page}&size=2").json()
        assert body["total"] == 6
        names += [entry["subject"] for entry in body["items"]]
    assert names == ["root", "u0", "u1", "u2", "u3", "u4"]


@pytest.mark.parametrize("scope", PATHS)
def test_who_may_list_the_holders(client_for, world, bind_role, user, admin, scope):
    client, path = client_for(user), path_of(world, scope)
    check_error(client.call("get", path), 404, "7")
    role = "credential:viewer" if scope == "credential" else "project:viewer"
    bind(role, world[scope if scope == "credential" else "project"], user="alice")
    check_error(client.call("get", path), 403, "4")
    role = "credential:owner" if scope == "credential" else "project:owner"
    bind(role, world[scope if scope == "credential" else "project"], user="alice")
    assert client.call("get", path).status_code == 200
    assert client_for(admin).call("get", path).status_code == 200


def test_both_answers_agree_with_what_is_decided(world):
    """Random bindings of every role and scope; for every person, permission and object."""
    chance = random.Random(7)
    crews = [Group.objects.create(name=f"crew-{n}") for n in range(3)]
    people = [UserFactory(username=f"p{n}", is_superuser=n == 5, is_active=n != 4) for n in range(6)]
    for person in people:
        user_groups_set(user=person, groups=chance.sample(crews, chance.randint(0, 2)))
    old = '["session:*", "nonsense:x", "*:read"]'  # from before unknown ones were refused
    RoleFactory(name="custom", level=1, permissions=old)
    roles = list(Role.objects.values_list("name", flat=True))
    targets = [None, world["project"], world["other"], world["agent"], world["session"], world["credential"]]
    for role, target in itertools.product(roles, targets):
        if chance.random() < 0.4:
            who = chance.choice([*people, *crews])
            subject = {"group": who} if isinstance(who, Group) else {"user": who.username}
            bind(role, target, **subject)
    for scope in PATHS:
        scopes = world[scope].access_scopes
        meant = meant_on(scope)
        shown = shown_bindings(scopes, meant)
        listed = {h.subject: h for h in described(holders(shown), shown, meant)}
        for person in people:
            fresh = User.objects.get(pk=person.pk)
            held = {p for p in PERMISSIONS if fresh.is_active and fresh.has_perm(p, world[scope])}
            assert {p for p in PERMISSIONS if explain(fresh, p, scopes).allowed} == held
            assert set(listed[person.username].permissions if person.username in listed else ()) == (
                held & meant_on(scope)
            )


QUESTIONS = [
    # question, allowed, reason
    ({"permission": "session:start", "project_id": "demo"}, True, "role project:owner on project demo"),
    (
        {"permission": "session:start", "project_id": "demo", "username": "bob"},
        False,
        "not enough: role project:viewer on project demo through group crew",
    ),
    ({"permission": "session:start", "project_id": "demo", "username": "cat"}, False, "no role there"),
    ({"permission": "session:read", "project_id": "demo", "group": "crew"}, True, "through group crew"),
    ({"permission": "session:read", "project_id": "demo", "group": "none"}, False, "no role there"),
    ({"permission": "session:read", "project_id": "demo", "username": "none"}, False, "no role there"),
    ({"permission": "session:read", "project_id": "demo", "username": "off"}, False, "no role there"),
    ({"permission": "session:read", "project_id": "demo", "username": "root"}, True, "an administrator"),
    ({"permission": "session:read"}, False, "no role there"),
]


@pytest.mark.parametrize(("question", "allowed", "reason"), QUESTIONS, ids=lambda v: str(v)[:60])
def test_answers(client_for, world, user, question, allowed, reason):
    crew = Group.objects.create(name="crew")
    user_groups_set(user=UserFactory(username="bob"), groups=[crew])
    UserFactory(username="cat")
    UserFactory(username="root", is_superuser=True)
    UserFactory(username="off", is_active=False)
    bind("project:owner", world["project"], user="alice")
    bind("project:viewer", world["project"], group=crew)
    response = client_for(user).call("post", "/access/check", question)
    assert response.status_code == 200, response.content
    body = response.json()
    assert (body["allowed"], body["permission"]) == (allowed, question["permission"])
    assert reason in body["reason"]


@pytest.mark.parametrize(
    ("question", "status", "code"),
    [
        ({}, 400, "17"),
        ({"permission": "session:fly"}, 400, "8"),
        ({"permission": "*:*"}, 400, "8"),
        ({"permission": "session:read", "project_id": "demo", "session_id": "x"}, 400, "21"),
        ({"permission": "session:read", "username": "x", "group": "y"}, 400, "21"),
        ({"permission": "session:read", "project_id": "other"}, 404, "7"),
        ({"permission": "session:read", "project_id": "nowhere"}, 404, "7"),
        ({"permission": "session:read", "project_id": "\0"}, 400, "17"),
        ({"permission": "session:read", "project_id": "demo", "username": "bob"}, 403, "4"),
        ({"permission": "session:read", "username": "bob"}, 403, "4"),
        ({"permission": "session:read", "wat": "1"}, 400, "17"),
    ],
    ids=lambda v: str(v)[:50],
)
def test_refused_questions(client_for, world, user, question, status, code):
    bind("project:viewer", world["project"], user="alice")
    check_error(client_for(user).call("post", "/access/check", question), status, code)


def test_a_key_asks_as_it_is(client_for, world, user):
    bind("project:owner", world["project"], user="alice")
    viewer = Role.objects.get(name="project:viewer")
    client = client_for(user, role=viewer)
    ask = {"permission": "session:start", "project_id": "demo"}
    body = client.call("post", "/access/check", ask).json()
    assert (body["allowed"], body["reason"]) == (False, "this API key is narrower than its user")
    assert client.call("post", "/access/check", ask | {"permission": "session:read"}).json()["allowed"]
    check_error(client.call("post", "/access/check", ask | {"username": "bob"}), 403, "4")


NAMES = [
    # who is asked about; what who may read users is told, and who may not
    ("cat", "no role there", "no role there"),
    ("none", "there is no such user", "no role there"),
    ("off", "off is deactivated", "no role there"),
    ("elsewhere", "not enough: role credential:viewer everywhere", "no role there"),
    ("was-here", "was-here is deactivated", "deactivated, or a name that no user has yet"),
    ("in-the-crew", "in-the-crew is deactivated", "deactivated, or a name that no user has yet"),
    ("late", "there is no such user", "deactivated, or a name that no user has yet"),
]


@pytest.mark.parametrize(("name", "known", "told"), NAMES)
def test_names_are_told_to_who_may_read_users_alone(client_for, world, user, admin, name, known, told):
    """For others a name that nobody has is as one without rights; the list of holders says no more."""
    crew = Group.objects.create(name="crew")
    UserFactory(username="cat")
    for gone in ("off", "was-here", "in-the-crew"):
        UserFactory(username=gone, is_active=False)
    user_groups_set(user=User.objects.get(username="in-the-crew"), groups=[crew])
    bind("project:owner", world["project"], user="alice")
    bind("credential:viewer", user=UserFactory(username="elsewhere").username)  # means nothing there
    bind("project:viewer", world["project"], user="was-here")
    bind("project:viewer", world["project"], user="late")
    bind("project:viewer", world["project"], group=crew)
    question = {"permission": "session:read", "project_id": "demo", "username": name}
    for client, reason in ((client_for(admin), known), (client_for(user), told)):
        body = client.call("post", "/access/check", question).json()
        assert (body["allowed"], body["reason"]) == (False, reason)
    listed = client_for(user).call("get", "/projects/demo/access").json()["items"]
    assert (name in {entry["subject"] for entry in listed}) == (told != "no role there")


def test_a_group_that_is_not_there_is_as_one_without_rights(client_for, world, user, admin):
    Group.objects.create(name="crew")
    bind("project:owner", world["project"], user="alice")
    question = {"permission": "session:read", "project_id": "demo"}
    answers = {}
    for group in ("crew", "none"):
        body = client_for(user).call("post", "/access/check", question | {"group": group}).json()
        answers[group] = body | {"group": "G"}
    assert answers["crew"] == answers["none"]
    told = client_for(admin).call("post", "/access/check", question | {"group": "none"}).json()
    assert told["reason"] == "there is no such group"
