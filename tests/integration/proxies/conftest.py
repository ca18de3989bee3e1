"""A running session with a scripted runner, and a signed-in client of a server that is both processes."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from ambient import env
from projects_app.models import User
from projects_app.services.api_keys import api_key_create
from tests.integration.streams.conftest import Lab, ann, in_database, lab, project
from tests.integration.streams.server import serving

__all__ = ["ann", "lab", "project"]


def told(body: Any, status: int = 200) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A script: always this JSON."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=204) if status == 204 else web.json_response(body, status=status)

    return answer


class People:
    """Calls of signed-in people to the lab's session."""

    def __init__(self, lab: Lab, http: aiohttp.ClientSession, url: str) -> None:
        self.lab = lab
        self.http = http
        self.url = url
        self.tokens: dict[str, str] = {}

    async def token(self, user: User) -> str:
        if user.username not in self.tokens:
            _, self.tokens[user.username] = await in_database(api_key_create, user=user)
        return self.tokens[user.username]

    async def call(
        self,
        method: str,
        suffix: str,
        data: Any = None,
        *,
        user: User,
        session: str | None = None,
        **more: Any,
    ) -> "Answer":
        """One request below the session's path."""
        headers = {"Authorization": f"Bearer {await self.token(user)}"} | more.pop("headers", {})
        url = f"{self.url}/sessions/{session or self.lab.session.pk}/{suffix}"
        async with self.http.request(method, url, data=data, headers=headers, **more) as response:
            return Answer(response.status, dict(response.headers), await response.read())


class Answer:
    """One answer, read to its end."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        return orjson.loads(self.body)


@pytest.fixture(params=["in-the-control-plane", "through-the-control-plane"])
def process(request, settings) -> str:
    """Which process the person's request reaches."""
    settings.ROOT_URLCONF = "tests.integration.proxies.urls"
    settings.PROCESS = "control-plane" if request.param == "in-the-control-plane" else "api"
    return request.param


@contextlib.asynccontextmanager
async def people_of(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[People]:
    node = await lab.node(holds=False)
    async with serving(node) as url, aiohttp.ClientSession() as http:
        monkeypatch.setattr(env, "CONTROL_PLANE_URL", url.removesuffix("/api/ambient/v1"))
        yield People(lab, http, url)


@pytest_asyncio.fixture
async def people(process: str, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[People]:
    async with people_of(lab, monkeypatch) as found:
        yield found
