"""Every route and method, for every built-in role in every scope, against the table and the reference."""

import contextlib
import copy
import logging
import os
import re

import pytest
from django.db import connection, transaction
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from projects_app.choices import BUILTIN_ROLES, Scope
from projects_app.credentials import outbound
from projects_app.credentials.base import ProviderError, Reason
from projects_app.models import Role, User
from projects_app.services.groups import group_create, user_groups_set
from projects_app.services.role_bindings import role_binding_create
from sessions_app.models import Session
from sessions_app.streams.node import Limits, Node, set_current
from sessions_app.tokens import issue_session_token
from tests.conftest import WireClient
from tests.integration.access.reference import Person, Runner
from tests.integration.access.table import ELSEWHERE, ROWS, expected, listed, open_to_all
from tests.integration.access.world import filled, make_world
from tests.integration.api.test_wire import check_error, fingerprint

REFUSALS = {401: "15", 403: "4", 404: "7"}
EVERYTHING = 500
CALLERS = [(role, scope) for role in BUILTIN_ROLES for scope in Scope.values]
HOMES = {"platform": "global", "gitops": "global"}
"""Scopes that roles are for; the others have it in their name."""
FULL = "FUZZ_EXAMPLES" in os.environ
"""`make fuzz` tries all of it. `make test` does so for each role in the scope that it is for; in its other
scopes, and with narrowed keys, it tries each caller on a fourth of the rows, another one each."""
PARTS = 4


# The table is whole.


def routes(found=None, prefix=""):
    """(method, route) of the whole URL configuration."""
    for entry in get_resolver().url_patterns if found is None else found:
        path = prefix + str(entry.pattern)
        if path in ELSEWHERE:
            continue
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, path)
        elif isinstance(entry, URLPattern):
            yield from ((method, path) for method in methods(entry.callback))


def methods(callback):
    actions = getattr(callback, "actions", None)
    if actions is None:
        view = getattr(callback, "cls", None)
        actions = [name for name in view.http_method_names if hasattr(view, name)] if view else ["get"]
    return {method.upper() for method in actions} - {"HEAD"}


def route_of(row):
    path = below_root(row.path.partition("?")[0].replace("{", "").replace("}", ""))
    return row.method, resolve(path).route


def below_root(path):
    """`//x` is `/x`; everything else is below the API's root."""
    return path[1:] if path.startswith("//") else f"/api/ambient/v1{path}"


HTTP = [row for row in ROWS if row.method != "WS"]
TAKES_TOKEN = [row for row in HTTP if row.rule is not open_to_all]


def test_every_route_has_a_row_and_every_row_a_route():
    assert {route_of(row) for row in HTTP} == set(routes())


# One call.


@pytest.fixture
def streams(monkeypatch):
    """Streams are opened and never begun: only their status counts. Thousands of refusals are not logged.

    Providers of credentials are outside, and away.
    """
    monkeypatch.setattr(outbound, "_once", providers_are_away)
    logging.disable(logging.ERROR)
    set_current(Node(holds=False, limits=Limits(per_user=10_000, per_process=10_000)))
    yield
    set_current(None)
    logging.disable(logging.NOTSET)


def providers_are_away(call, deadline):
    raise ProviderError(Reason.UNREACHABLE)


WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|TRUNCATE|MERGE)\b", re.IGNORECASE)


class Watch:
    """Notes whether a statement was sent that may write; only then the tables need be compared."""

    def __init__(self):
        self.wrote = False

    def __call__(self, execute, sql, params, many, context):
        self.wrote = self.wrote or WRITES.search(str(sql)) is not None
        return execute(sql, params, many, context)


class Trial:
    """All rows for one caller; each call is undone before the next."""

    def __init__(self, world, client, who, *, rows=TAKES_TOKEN, missing=True):
        self.world, self.client, self.who, self.rows, self.missing = world, client, who, rows, missing
        self.before = fingerprint()
        self.wrong = []

    def run(self):
        for row in self.rows:
            bodies = {}
            for place in self.world.places(row, missing=self.missing):
                try:
                    bodies[place.name] = self.call(row, place)
                except AssertionError as exc:
                    self.wrong.append(f"{row} {row.body or ''} [{place.name}]: {str(exc).splitlines()[0]}")
            self.look_the_same(row, bodies)
        assert self.wrong == []

    def call(self, row, place):
        path = below_root(filled(row.path, place))
        if row.lists:
            path += f"{'&' if '?' in path else '?'}size={EVERYTHING}"
        wanted = self.status(row, place)
        watch = Watch()
        with undone() if row.method != "GET" else contextlib.nullcontext():
            with connection.execute_wrapper(watch):
                response = self.send(row.method, path, filled(row.body, place))
            assert response.status_code == wanted, f"{response.status_code}, not {wanted}"
            if wanted not in REFUSALS or row.rule is open_to_all:
                return self.check_list(row, place, response)
            if watch.wrote and not row.late:
                assert fingerprint() == self.before, "the refused call changed something"
            check_error(response, wanted, REFUSALS[wanted])
            return wanted == 404 and response.json()["reason"].replace(place.ids.get(row.on, row.on), "ID")

    def send(self, method, path, body):
        return self.client.generic(method, path, self.client.encoded(body), "application/json")

    def status(self, row, place):
        return expected(row, self.who, place)

    def check_list(self, row, place, response):
        if not row.lists:
            return
        body = response.json()
        ids = [item["id"] for item in body["items"]] if "items" in body else agents_of(body)
        wanted = listed(row, self.who, place)
        assert sorted(ids) == sorted(wanted), f"lists {sorted(ids)}, not {sorted(wanted)}"
        assert body.get("total", len(ids)) == len(ids), f"total {body['total']} of {len(ids)}"

    def look_the_same(self, row, bodies):
        """What is not visible reads like what does not exist."""
        hidden, missing = bodies.get("other"), bodies.get("void", bodies.get("unknown"))
        if row.method == "GET" and hidden and missing and hidden != missing:
            self.wrong.append(f"{row}: {hidden} is not {missing}")


def agents_of(home):
    return [agent["agent_id"] for agent in home["agents"]]


@contextlib.contextmanager
def undone():
    """Take back whatever the body of the `with` has written."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


class Signed(WireClient):
    """Sends every request as the user, whose access is worked out anew each time. Quicker than a key."""

    def __init__(self, user):
        super().__init__()
        self.user = user

    def generic(self, *args, **kwargs):
        self.force_authenticate(copy.copy(self.user))
        return super().generic(*args, **kwargs)


@pytest.mark.parametrize(
    ("role", "scope"), [(None, None), *CALLERS], ids=["nothing", *(f"{r}-on-{s}" for r, s in CALLERS)]
)
def test_role_in_scope(streams, user, bind_role, role, scope):
    world = make_world(user)
    if role is None:
        Trial(world, Signed(user), Person(user)).run()
        return
    world.own["mine"] = world.other["mine"] = bind_role(role, world.target(scope))
    if scope == HOMES.get(role.split(":")[0], role.split(":")[0]):
        Trial(world, Signed(user), Person(user)).run()
    else:
        Trial(world, Signed(user), Person(user), rows=part(CALLERS.index((role, scope))), missing=FULL).run()


def part(number):
    """Every row, or the fourth of them that is this caller's."""
    return TAKES_TOKEN if FULL else TAKES_TOKEN[number % PARTS :: PARTS]


# Other callers.


class Refused(Trial):
    """Who has no valid token: 401 everywhere but on what is open."""

    def status(self, row, place):
        return row.allowed if row.rule is open_to_all else 401

    def check_list(self, row, place, response):
        """Nothing to compare."""

    def look_the_same(self, row, bodies):
        """Nothing to compare."""


def test_nobody(streams, anonymous, user):
    Refused(make_world(user), anonymous, Person(user), rows=HTTP, missing=False).run()


@pytest.mark.parametrize(
    "gone", [{"is_active": False}, {"deleted_at": "2026-01-01T00:00:00Z"}], ids=["deactivated", "deleted"]
)
def test_a_user_that_is_gone(streams, client_for, user, bind_role, gone):
    world = make_world(user)
    bind_role("platform:admin")
    client = client_for(user)
    User.objects.filter(pk=user.pk).update(**gone)
    Refused(world, client, Person(user), rows=TAKES_TOKEN, missing=False).run()


def with_key(client):
    """The key notes its use once a minute: before the calls, not in one that is undone."""
    client.call("get", "/roles")
    return client


def test_superuser(streams, client_for, admin):
    Trial(make_world(admin), with_key(client_for(admin)), Person(admin)).run()


@pytest.mark.parametrize(
    ("number", "holds", "project", "role"),
    [
        pytest.param(0, "platform:admin", "own", None, id="admin-in-one-project"),
        pytest.param(1, "platform:admin", None, "project:viewer", id="admin-as-viewer"),
        pytest.param(2, "platform:admin", None, "project:owner", id="admin-as-owner"),
        pytest.param(3, "platform:admin", "own", "project:editor", id="admin-as-editor-of-one-project"),
        pytest.param(4, "platform:admin", None, "agent:runner", id="admin-as-internal-role"),
        pytest.param(5, "platform:viewer", None, "platform:admin", id="a-key-adds-nothing"),
        pytest.param(6, "platform:admin", None, "credential:owner", id="admin-as-credential-owner"),
    ],
)
@pytest.mark.parametrize("superuser", [False, True], ids=["by-binding", "superuser"])
def test_narrowed_key(streams, client_for, user, bind_role, number, holds, project, role, superuser):
    world = make_world(user)
    user.is_superuser = superuser
    user.save()
    world.own["mine"] = world.other["mine"] = bind_role(holds)
    key_role = Role.objects.get(name=role) if role else None
    key_project = world.own["project"] if project else None
    client = with_key(client_for(user, role=key_role, project=key_project))
    who = Person(user, key_project=key_project and key_project.pk, key_role=key_role)
    Trial(world, client, who, rows=part(number + 2 * superuser), missing=FULL).run()


def test_runner(streams, anonymous, user):
    """A session's own token, against its own session and all others."""
    world = make_world(user)
    session = world.own["session"]
    Session.objects.filter(pk=session.pk).update(phase="Creating", attempt=1)
    session.refresh_from_db()
    anonymous.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_session_token(session).token}")
    Trial(world, anonymous, Runner(session)).run()


def test_member_through_a_group(streams, user):
    """A group's role is its members' role."""
    world = make_world(user)
    group = group_create(name="crew")
    user_groups_set(user=user, groups=[group])
    values = {"scope": "project", "project_id": "own", "group_id": group.pk}
    binding = role_binding_create(role=Role.objects.get(name="project:editor"), values=values)
    world.own["mine"] = world.other["mine"] = binding
    Trial(world, Signed(user), Person(user), missing=FULL).run()
