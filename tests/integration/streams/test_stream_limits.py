"""The limit of opening streams: server-sent events and websockets alike, and bad tokens on websockets."""

import aiohttp
import pytest

from ambient.common import throttling
from ambient.rates import Rate
from projects_app.models import User
from tests.integration.streams.conftest import Lab
from tests.integration.streams.test_watchers import client


async def test_opening_streams_has_a_limit_of_its_own(lab: Lab, ann: User, settings) -> None:
    settings.LIMITS = settings.LIMITS | {"stream": Rate(2, 3600)}
    async with client(lab, ann) as web:
        for _ in range(2):
            async with web.sse("agui/events"):
                pass
        for path in ("agui/events", "messages"):
            headers = {"Accept": "text/event-stream"}
            async with web.http.get(web.path(path), headers=headers) as response:
                assert response.status == 429
                assert (await response.json())["reason"] == "Too many requests"
                assert response.headers["RateLimit-Policy"] == '"stream";q=2;w=3600'
                assert 1 <= int(response.headers["Retry-After"]) <= 1800
        async with web.http.ws_connect(web.path("agui/ws")) as ws:
            error = (await ws.receive_json(timeout=20))["error"]
            assert error["code"] == 429
            assert error["retry_after"] > 1
            await ws.receive(timeout=20)
            assert ws.close_code == 4429
        async with web.http.get(web.path("messages")) as response:
            assert response.status == 200  # no stream


async def test_bad_tokens_on_websockets_count_too(lab: Lab, ann: User, settings) -> None:
    settings.LIMITS = settings.LIMITS | {"bad-token": Rate(2, 3600)}
    throttling.forget([throttling.cell("bad-token", "127.0.0.1")])
    async with client(lab, ann) as web, aiohttp.ClientSession() as stranger:
        wrong = {"Authorization": f"Bearer amb_{'x' * 43}"}
        for _ in range(2):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await stranger.ws_connect(web.path("agui/ws"), headers=wrong)
            assert refused.value.status == 403
        async with stranger.get(web.path("messages"), headers=wrong) as response:
            assert response.status == 429
        async with web.http.ws_connect(web.path("agui/ws")):
            pass  # a good one gets through
    throttling.forget([throttling.cell("bad-token", "127.0.0.1")])
