"""Random histories: people of all levels give, change and take roles, and everything around them changes.

After each step the grants in the database are what the bindings say, what people see and may do is what the
reference says, nobody got more than the giver may give, and what there is has an owner who can act.
"""

import contextlib
import itertools
import json
import logging
import os
from collections import defaultdict

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from ambient.common.exceptions import ApplicationError, Conflict, Forbidden
from projects_app.access import grant_tables
from projects_app.choices import BUILTIN_ROLES, Scope
from projects_app.models import GlobalGrant, Role, RoleBinding, User
from projects_app.services.agents import agent_create
from projects_app.services.applications import application_create
from projects_app.services.credentials import credential_create
from projects_app.services.groups import group_delete, user_groups_set
from projects_app.services.projects import project_create, project_settings_create
from projects_app.services.role_bindings import require_may_create, role_binding_create
from projects_app.services.roles import role_create
from projects_app.services.users import user_create, user_update
from sessions_app.services.schedules import schedule_create
from sessions_app.services.sessions import session_create
from tests.integration.access.reference import (
    HIGHEST,
    KINDS,
    SCOPED,
    Person,
    live,
    live_bindings,
    meaning,
    scopes_of,
)
from tests.integration.access.table import may_take, target_scopes
from tests.integration.access.test_matrix import Signed

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "16"))
STEPS = 20
THOROUGH = "FUZZ_EXAMPLES" in os.environ
"""`make fuzz` asks everything after each step; `make test` a part after each step and more at the end."""

USERS = ["root", "olga", "paul", "emil", "vera", "zoe"]
GROUPS = ["crew", "night"]
PROJECTS = ["alpha", "beta"]
CUSTOM = ["own-a", "own-b"]
ROLES = [*BUILTIN_ROLES, *CUSTOM]
ENTRIES = [
    "project:read",
    "agent:*",
    "session:read",
    "*:read",
    "credential:fetch_token",
    "role_binding:*",
    "nonsense:x",
]
ASKED = [
    "project:read",
    "project:update",
    "agent:read",
    "agent:start",
    "session:read",
    "session:update",
    "credential:read",
    "credential:fetch_token",
    "role_binding:update",
    "role:update",
]

users, groups, roles = st.sampled_from(USERS), st.sampled_from(GROUPS), st.sampled_from(ROLES)
numbers = st.integers(0, 63)


class Histories(RuleBasedStateMachine):
    """Two projects with people; each rule is one thing that somebody does or tries to do."""

    def __init__(self):
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.turn = itertools.count()
        for name in USERS:
            user_create(values={"username": name, "name": name})
        for name in GROUPS:
            Group.objects.create(name=name)
        for name in CUSTOM:
            role_create(values={"name": name, "permissions": json.dumps(["session:read"])})
        give_at_first("platform:admin", scope="global", user_id="root")
        for name, owner in zip(PROJECTS, ("olga", "paul"), strict=True):
            furnish(name, owner)

    def teardown(self):
        turn = next(self.turn)
        try:
            self.ask(list(KINDS), ASKED, [USERS[turn % len(USERS)]])
        finally:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)

    # --- giving, changing and taking roles

    @rule(
        actor=users,
        role=roles,
        scope=st.sampled_from(Scope.values),
        at=numbers,
        to=users,
        named=st.booleans(),
    )
    def give(self, actor, role, scope, at, to, named):
        body = self.binding_body(role, scope, at, named) | {"user_id": to}
        self.act(actor, "post", "/role_bindings", body, self.may_give(actor, body), 201)

    @rule(actor=users, at=numbers)
    def share_credential(self, actor, at):
        body = self.binding_body("credential:viewer", "credential", at, named=True)
        self.act(actor, "post", "/role_bindings", body, self.may_give(actor, body), 201)

    @rule(actor=users, role=roles, scope=st.sampled_from(Scope.values), at=numbers, to=groups)
    def give_to_group(self, actor, role, scope, at, to):
        """Not over REST yet, but by the rules of REST."""
        user, group = live_user(actor), Group.objects.filter(name=to).first()
        if user is None or group is None:
            return
        values = self.binding_body(role, scope, at, named=False) | {"group_id": group.pk}
        allowed, before = self.may_give(actor, values), self.bindings()
        try:
            with transaction.atomic():
                role_binding_create(role=require_may_create(user, values), values=values)
        except Forbidden:
            assert not allowed
        except ApplicationError:
            assert allowed
        else:
            assert allowed
            self.nobody_got_more(Person(user, bindings=before), before)

    @rule(actor=users, at=numbers, role=roles, to=st.none() | users)
    def change(self, actor, at, role, to):
        found, who = self.pick(live("binding"), at), self.person(actor)
        if found is None or who is None:
            return
        body = {"role_id": role} | ({"user_id": to} if to is not None and found.group_id is None else {})
        wanted = Role.objects.filter(name=role, deleted_at=None).first()
        moves = body.get("user_id", found.user_id) != found.user_id
        allowed = (
            who.sees("binding", found)
            and who.holds("role_binding:update", scopes_of("binding", found))
            and (who.level({}) == HIGHEST or (found.user_id == actor and not moves))
            and wanted is not None
            and who.may_give(wanted, found.scope, target_scopes(found))
        )
        self.act(actor, "patch", f"/role_bindings/{found.pk}", body, allowed, 200)

    @rule(actor=users, at=numbers)
    def take(self, actor, at):
        found, who = self.pick(live("binding"), at), self.person(actor)
        if found is not None and who is not None:
            allowed = who.sees("binding", found) and may_take(who, found)
            self.act(actor, "delete", f"/role_bindings/{found.pk}", None, allowed, 204)

    @rule(actor=users, project=st.sampled_from(PROJECTS), crew=st.sampled_from(["admin", "edit", "view", ""]))
    def group_access(self, actor, project, crew):
        found = KINDS["settings"].objects.filter(project_id=project, project__deleted_at=None).first()
        entries = [{"groupName": "crew", "role": crew}] if crew else []
        who = self.person(actor)
        if found is not None and who is not None:
            may_write = who.holds("project:update", {"project": project})
            body = {"group_access": json.dumps(entries)}
            allowed = None if may_write else False  # who may write still gives roles by the rules of giving
            self.act(actor, "patch", f"/project_settings/{found.pk}", body, allowed, 200)

    # --- what roles mean, and who is who

    @rule(actor=users, role=st.sampled_from(CUSTOM), entries=st.sets(st.sampled_from(ENTRIES), max_size=3))
    def change_role(self, actor, role, entries):
        found, who = Role.objects.get(name=role), self.person(actor)
        if who is not None and found.deleted_at is None:
            body = {"permissions": json.dumps(sorted(entries))}
            allowed = who.everywhere("role:update")
            self.act(actor, "patch", f"/roles/{found.pk}", body, allowed, 200)

    @rule(actor=users, role=st.sampled_from(CUSTOM))
    def delete_role(self, actor, role):
        found, who = Role.objects.get(name=role), self.person(actor)
        if who is not None and found.deleted_at is None:
            self.act(actor, "delete", f"/roles/{found.pk}", None, who.everywhere("role:delete"), 204)

    @rule(name=users, joined=st.sets(groups))
    def join_and_leave(self, name, joined):
        user = User.objects.filter(username=name, deleted_at=None).first()
        if user is None:
            return
        with contextlib.suppress(Conflict), transaction.atomic():  # refused where it would end a last owner
            user_groups_set(user=user, groups=Group.objects.filter(name__in=joined))

    @rule(name=groups)
    def delete_group(self, name):
        group = Group.objects.filter(name=name).first()
        if group is None:
            Group.objects.create(name=name)
            return
        try:
            with transaction.atomic():
                group_delete(group=group)
        except Conflict:
            assert Group.objects.filter(name=name).exists()  # it is a last owner

    @rule(actor=users, name=users)
    def make_user(self, actor, name):
        who = self.person(actor)
        if who is not None:
            body = {"username": name, "name": name}
            self.act(actor, "post", "/users", body, who.everywhere("user:create"), 201)

    @rule(actor=users, name=users)
    def delete_user(self, actor, name):
        user, who = User.objects.filter(username=name, deleted_at=None).first(), self.person(actor)
        if user is not None and who is not None and name != "root":
            self.act(actor, "delete", f"/users/{user.pk}", None, who.everywhere("user:delete"), 204)

    @rule(actor=users, name=users, new=users)
    def rename_user(self, actor, name, new):
        user, who = User.objects.filter(username=name, deleted_at=None).first(), self.person(actor)
        if user is not None and who is not None and name != "root":
            allowed = who.everywhere("user:update") and (name == new or who.level({}) == HIGHEST)
            self.act(actor, "patch", f"/users/{user.pk}", {"username": new}, allowed, 200)

    @rule(name=users, active=st.booleans())
    def deactivate(self, name, active):
        user = User.objects.filter(username=name, deleted_at=None).first()
        if user is not None and name != "root":
            with contextlib.suppress(Conflict), transaction.atomic():
                user_update(user=user, changes={"is_active": active})

    # --- things that bindings are about

    @rule(actor=users, kind=st.sampled_from(SCOPED), at=numbers)
    def delete_thing(self, actor, kind, at):
        if at % 3:  # not so often that nothing is left
            return
        found, who = self.pick(live(kind), at), self.person(actor)
        if found is None or who is None:
            return
        path = {
            "project": f"/projects/{found.pk}",
            "agent": f"/projects/{getattr(found, 'project_id', '')}/agents/{found.pk}",
            "session": f"/sessions/{found.pk}",
            "credential": f"/credentials/{found.pk}",
        }[kind]
        allowed = who.sees(kind, found) and who.holds(f"{kind}:delete", scopes_of(kind, found))
        if kind == "agent" and found.project.deleted_at is not None:
            return
        self.act(actor, "delete", path, None, allowed, 204)

    @rule(actor=users)
    def make_credential(self, actor):
        if self.person(actor) is not None:
            self.act(actor, "post", "/credentials", {"name": "c", "provider": "jira"}, True, 201, gains=False)

    # --- how rules act

    def bindings(self):
        return live_bindings()

    def person(self, name):
        user = live_user(name)
        return None if user is None else Person(user)

    def pick(self, rows, at):
        return sorted(rows, key=lambda row: (row.created_at, row.pk))[at % len(rows)] if rows else None

    def binding_body(self, role, scope, at, named):
        """A new binding on one of the scope's objects, deleted ones too."""
        body = {"role_id": role, "scope": scope}
        if scope == "global":
            return body
        thing = self.pick(list(KINDS[scope].objects.all()), at)
        body[f"{scope}_id"] = thing.pk
        if scope == "credential" and named:
            body["project_id"] = PROJECTS[at % 2]
        elif scope in ("agent", "session") and named:
            body["project_id"] = thing.project_id
        return body

    def may_give(self, actor, body):
        who, scope = self.person(actor), body["scope"]
        role = Role.objects.filter(name=body["role_id"], deleted_at=None).first()
        if who is None or role is None:
            return False
        target = target_scopes(RoleBinding(scope=scope, **ids_of(body)))
        if not who.may_give(role, scope, target):
            return False
        if scope != "credential":
            return True
        if not who.has_role({"credential:owner"}, "credential", body["credential_id"]):
            return False
        editors = {"project:owner", "project:editor"}
        project = body.get("project_id")
        return who.level({}) == HIGHEST or (project is not None and who.has_role(editors, "project", project))

    def act(self, name, method, path, body, allowed, done, *, gains=True):
        """One request. `allowed` None: the reference does not foretell it."""
        user = live_user(name)
        if user is None:
            return
        before = self.bindings()
        who = Person(user, bindings=before)
        with transaction.atomic():  # a request is a transaction of its own
            response = Signed(user).call(method, path, body)
            if response.status_code >= 400:
                transaction.set_rollback(True)
        note = (name, method, path, body, response.status_code, response.content)
        assert response.status_code < 500, note
        if allowed is True:
            assert response.status_code in (done, 400, 404, 409), note
        if allowed is False:
            assert response.status_code in (403, 404), note
        if response.status_code != done:
            assert states(self.bindings()) == states(before), note
        elif gains:
            self.nobody_got_more(who, before)

    def nobody_got_more(self, who, before):
        """Every binding that is new or other gives a role that this actor may give there."""
        known = states(before)
        for binding in self.bindings():
            if states([binding]) - known:
                scopes = target_scopes(binding)
                assert who.may_give(binding.role, binding.scope, scopes), (who.username, binding)

    # --- what always holds

    @invariant()
    def grants_follow_from_bindings(self):
        wanted = defaultdict(set)
        names = dict(User.objects.filter(deleted_at=None).values_list("username", "pk"))
        for binding in self.bindings():
            holder = ("user", names.get(binding.user_id)) if binding.user_id else ("group", binding.group_id)
            target = None if binding.scope == "global" else getattr(binding, f"{binding.scope}_id")
            if holder[1] is not None:
                wanted[(*holder, binding.scope, target)] |= meaning(binding.role)
        assert {key: held for key, held in wanted.items() if held} == held_in_database()

    @invariant()
    def an_owner_stays(self):
        able = {name: live_user(name) for name in USERS}
        names = {name for name, user in able.items() if user is not None}
        crews = {group.pk for user in able.values() if user is not None for group in user.groups.all()}
        owners = {
            (binding.scope, binding.project_id if binding.scope == "project" else binding.credential_id)
            for binding in self.bindings()
            if binding.role.name == f"{binding.scope}:owner"
            and (binding.user_id in names or binding.group_id in crews)
        }
        needed = {(kind, row.pk) for kind in ("project", "credential") for row in live(kind)}
        assert needed <= owners

    @invariant()
    def people_see_and_may_do_what_the_reference_says(self):
        if THOROUGH:
            self.ask_everything()
            return
        turn = next(self.turn)
        kinds = list(KINDS)
        self.ask([kinds[turn % len(kinds)]], [ASKED[turn % len(ASKED)]], [USERS[turn % len(USERS)]])

    def ask_everything(self):
        self.ask(list(KINDS), ASKED, USERS)

    def ask(self, kinds, permissions, names):
        """Lists of these kinds for everybody; these permissions on every thing for the people named."""
        bindings = self.bindings()
        rows = {kind: live(kind) for kind in {*kinds, *SCOPED}}
        for user in User.objects.filter(deleted_at=None):
            who = Person(user, bindings=bindings)
            for kind in kinds:
                seen = set(KINDS[kind].objects.visible_to(user).values_list("pk", flat=True))
                assert seen == who.seen(kind, rows[kind]), (user.username, kind)
            if user.username not in names:
                continue
            for permission in permissions:
                assert user.has_perm(permission) == who.everywhere(permission), (user.username, permission)
                for kind in SCOPED:
                    for row in rows[kind]:
                        told = user.has_perm(permission, row)
                        scopes = scopes_of(kind, row)
                        assert told == who.holds(permission, scopes), (user.username, permission, kind, row)


def live_user(name):
    """Who can sign in under this name."""
    return User.objects.filter(username=name, deleted_at=None, is_active=True).first()


def ids_of(body):
    return {
        key: value
        for key, value in body.items()
        if key.endswith("_id") and key not in ("role_id", "group_id")
    }


def states(bindings):
    """What counts of bindings."""
    columns = (
        "pk",
        "role_id",
        "scope",
        "user_id",
        "group_id",
        "project_id",
        "agent_id",
        "session_id",
        "credential_id",
    )
    return {tuple(getattr(binding, column) for column in columns) for binding in bindings}


def held_in_database():
    """(user or group, its id, scope, target) -> permissions, from the guardian tables and GlobalGrant."""
    held = defaultdict(set)
    for user, group, permission in GlobalGrant.objects.values_list("user_id", "group_id", "permission"):
        held[("user", user, "global", None) if user else ("group", group, "global", None)].add(permission)
    for scope in SCOPED:
        for holder, table in zip(("user", "group"), grant_tables(scope), strict=True):
            rows = table.objects.values_list(f"{holder}_id", "content_object_id", "permission__codename")
            for pk, target, permission in rows:
                held[(holder, pk, scope, target)].add(permission)
    return dict(held)


def give_at_first(role, **values):
    return role_binding_create(role=Role.objects.get(name=role), values=values)


def furnish(name, owner):
    """A project with one of everything."""
    project = project_create(actor=owner, values={"name": name})
    user = User.objects.get(username=owner)
    project_settings_create(actor=user, project=project, values={})
    agent = agent_create(actor=owner, project=project, values={"name": "lead"})
    session_create(actor=owner, project=project, spec={"name": "of the agent"}, agent=agent)
    session_create(actor=owner, project=project, spec={"name": "alone"})
    schedule_create(actor=owner, project=project, values={"name": "s", "schedule": "0 0 1 1 *"})
    credential_create(actor=user, values={"name": name, "provider": "github"}, project=project)
    application = {"name": name, "source_repo_url": "u", "source_path": "p", "destination_project": name}
    application_create(values=application)


@pytest.fixture
def quiet():
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(3600)
def test_histories_of_bindings(db, quiet):
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
