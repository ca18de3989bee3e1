"""The ASGI application of both servers: HTTP, websockets, and the process's streams."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ambient.settings")

from django.core.asgi import get_asgi_application  # noqa: E402

django_application = get_asgi_application()  # loads the apps, so it comes before what uses models

import structlog  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from ambient.common import health  # noqa: E402
from ambient.common.body_limit import BodyLimit  # noqa: E402
from ambient.common.http_metrics import measured  # noqa: E402
from ambient.common.pooling import keep_checked  # noqa: E402
from ambient.common.tasks import end  # noqa: E402
from ambient.websocket_auth import WebsocketAuth  # noqa: E402
from sessions_app.routing import websocket_urlpatterns  # noqa: E402
from sessions_app.streams.node import Node, set_current  # noqa: E402
from sessions_app.streams.transports import note_transport  # noqa: E402

log = structlog.get_logger(__name__)
_ = get_resolver().url_patterns  # every route is loaded before the first request, not during it
App = Callable[[Any, Any, Any], Awaitable[None]]


class Http:
    """Django, measured, with the client's connection noted for the checks of stalled watchers."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope = dict(scope)
        note_transport(scope, send)
        await self.app(scope, receive, measured(scope, send))


class Unknown:
    """Refuses websockets of unknown paths as it refuses those that one may not see."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        except ValueError as exc:
            if "No route found" not in str(exc):
                raise
            await receive()
            await send({"type": "websocket.close", "code": 4404})


class Lifespan:
    """Starts the process's streams with the server and stops them with it."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        node: Node | None = None
        pool_check: asyncio.Task[None] | None = None
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                node = Node(holds=settings.PROCESS == "control-plane")
                await node.start()
                pool_check = asyncio.create_task(keep_checked(), name="pool check")
                set_current(node)
                health.register("streams", node.readiness)
                drain_on_signal(node)
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await end(pool_check)
                if node is not None:
                    await node.stop()
                    set_current(None)
                await send({"type": "lifespan.shutdown.complete"})
                return


def drain_on_signal(node: Node) -> None:
    """A server waits for open streams before it ends the lifespan, so the signal tells them already."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def drain(signum: int, frame: Any, before: Any = before) -> None:
            loop.call_soon_threadsafe(node.begin_drain)
            if callable(before):
                before(signum, frame)

        try:
            signal.signal(number, drain)
        except ValueError:  # not the main thread: whoever runs the server there stops it itself
            log.debug("signals are left alone")


application = ProtocolTypeRouter(
    {
        "http": Http(BodyLimit(django_application)),
        "websocket": Unknown(WebsocketAuth(URLRouter(websocket_urlpatterns))),
        "lifespan": Lifespan(),
    }
)
