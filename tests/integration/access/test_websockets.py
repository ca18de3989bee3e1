"""The websocket routes and what may be done over them, for every built-in role in every scope."""

import asyncio

import aiohttp
import pytest
from django.urls import URLResolver
from django.urls.resolvers import RegexPattern

from projects_app.choices import BUILTIN_ROLES, Scope
from projects_app.models import Role, User
from projects_app.services.api_keys import api_key_create
from projects_app.services.role_bindings import role_binding_create
from sessions_app.consumers import OPS
from sessions_app.models import Session
from sessions_app.routing import websocket_urlpatterns
from sessions_app.streams.node import Node
from sessions_app.tokens import issue_session_token
from tests.factories import UserFactory
from tests.integration.access.reference import Person, Runner, scopes_of
from tests.integration.access.table import FRAMES, ROWS, expected
from tests.integration.access.world import filled, make_world
from tests.integration.streams.conftest import SHORT, in_database
from tests.integration.streams.server import serving

SOCKETS = [row for row in ROWS if row.method == "WS"]
REFUSED = 403  # unknown and forbidden look the same, and the handshake has no other answer


def test_every_websocket_route_has_a_row_and_every_row_a_route():
    resolver = URLResolver(RegexPattern(r"^/"), websocket_urlpatterns)
    found = {resolver.resolve(f"/api/ambient/v1{row.path}").route.removeprefix("^/") for row in SOCKETS}
    assert found == {str(entry.pattern) for entry in websocket_urlpatterns}


def test_every_frame_has_a_row():
    assert {op: permissions for op, (_, permissions) in FRAMES.items()} == {
        op: permissions for op, (permissions, _) in OPS.items()
    }


class Door:
    """Opens the sockets of one caller and compares what happens with the table."""

    def __init__(self, url, token, who, world):
        self.url, self.headers = url, {"Authorization": f"Bearer {token}"} if token else {}
        self.who, self.world = who, world

    async def try_all(self):
        async with aiohttp.ClientSession(headers=self.headers) as http:
            for row in SOCKETS:
                for place in self.world.places(row):
                    wanted = 404 if self.who is None else await in_database(expected, row, self.who, place)
                    note = (self.who and self.who.username, str(row), place.name)
                    if wanted == row.allowed:
                        async with http.ws_connect(self.url + filled(row.path, place)) as socket:
                            await self.try_frames(socket, place, note)
                    else:
                        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                            await http.ws_connect(self.url + filled(row.path, place))
                        assert refused.value.status == REFUSED, note

    async def try_frames(self, socket, place, note):
        scopes = scopes_of("session", place.objects["session"])
        for op, (body, permissions) in FRAMES.items():
            await socket.send_json({"op": op, "ref": op} | filled(body, place))
            async with asyncio.timeout(20):
                answer = await socket.receive_json()
                while answer.get("ref") != op:  # events come in between
                    answer = await socket.receive_json()
            permitted = any(self.who.holds(permission, scopes) for permission in permissions)
            refused = answer.get("error", {}).get("code") == REFUSED
            assert refused != permitted, (*note, op, answer)


def callers(world, scope):
    """A user with a key for each role in this scope, and the reference for each."""
    found = []
    for number, name in enumerate(BUILTIN_ROLES):
        user = UserFactory(username=f"caller-{number}")
        values = {"scope": scope, "user_id": user.username}
        if scope != Scope.GLOBAL:
            values[f"{scope}_id"] = world.target(scope).pk
        role_binding_create(role=Role.objects.get(name=name), values=values)
        found.append((api_key_create(user=user)[1], Person(user)))
    return found


@pytest.mark.parametrize("scope", Scope.values)
async def test_roles_at_the_door(transactional_db, scope):
    def prepare():
        world = make_world(UserFactory(username="alice"))
        return world, callers(world, scope)

    world, found = await in_database(prepare)
    await open_to(world, found)


async def test_others_at_the_door(transactional_db):
    """Nobody, somebody without a role, who was deactivated, and a runner."""

    def prepare():
        alice = UserFactory(username="alice")
        world = make_world(alice)
        gone = UserFactory(username="gone")
        values = {"scope": "global", "user_id": "gone"}
        role_binding_create(role=Role.objects.get(name="platform:admin"), values=values)
        found = [
            (None, None),
            (api_key_create(user=alice)[1], Person(alice)),
            (api_key_create(user=gone)[1], None),
        ]
        User.objects.filter(pk=gone.pk).update(is_active=False)
        session = world.own["session"]
        Session.objects.filter(pk=session.pk).update(phase="Creating", attempt=1)
        session.refresh_from_db()
        return world, [*found, (issue_session_token(session).token, Runner(session))]

    world, found = await in_database(prepare)
    await open_to(world, found)


async def open_to(world, found):
    """Serve, and let every caller try."""
    node = Node(holds=False, timing=SHORT)
    await node.start()
    try:
        async with serving(node) as url:
            for token, who in found:
                await Door(url, token, who, world).try_all()
    finally:
        await node.kill()
