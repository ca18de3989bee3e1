"""The asynchronous side of the hints (`ambient.common.hints`): publishing without waiting, and listening."""

import asyncio
import contextlib
from collections.abc import Callable

import redis.asyncio as redis
import structlog
from django.conf import settings

from ambient.common import hints
from ambient.common.tasks import end

log = structlog.get_logger(__name__)

SEND_SECONDS = 0.5
RECONNECT_SECONDS = 1.0
OnHint = Callable[[str, str], None]


class Link:
    """One publisher and one subscriber a process. With Redis away hints are dropped, polls do the work."""

    def __init__(self, on_hint: OnHint) -> None:
        self._on_hint = on_hint
        self._newest: dict[tuple[str, str], str] = {}
        self._wanted = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.redis = redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=SEND_SECONDS, socket_timeout=SEND_SECONDS
        )

    async def start(self) -> None:
        """Begin publishing and listening; returns at once."""
        self._tasks = [
            asyncio.create_task(self._publish(), name="hints out"),
            asyncio.create_task(self._listen(), name="hints in"),
        ]

    async def stop(self) -> None:
        """End both; what was not sent yet is sent first."""
        with contextlib.suppress(redis.RedisError, TimeoutError, OSError):
            async with asyncio.timeout(SEND_SECONDS):
                await self._send()
        await end(*self._tasks)
        with contextlib.suppress(redis.RedisError, OSError):
            await self.redis.aclose()

    def say(self, channel: str, session: str, seq: int | None = None) -> None:
        """Send a hint soon; several of one session become the newest one."""
        self._newest[channel, session] = session if seq is None else f"{session} {seq}"
        self._wanted.set()

    async def _send(self) -> None:
        newest, self._newest = self._newest, {}
        if not newest:
            return
        async with self.redis.pipeline(transaction=False) as pipe:
            for (channel, _), payload in newest.items():
                pipe.publish(channel, payload)
            await pipe.execute()

    async def _publish(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._send()
            except (redis.RedisError, OSError, TimeoutError) as exc:
                log.warning("hints were not sent", error=type(exc).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        channels = (hints.WORK, hints.HEADS, hints.MESSAGES, hints.ACCESS)
        while True:
            try:
                async with self.redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(*channels)
                    self._on_hint(hints.ACCESS, "*")  # whatever was missed while nobody listened
                    while True:
                        message = await pubsub.get_message(timeout=5.0)
                        if message is not None:
                            self._on_hint(message["channel"].decode(), message["data"].decode())
            except (redis.RedisError, OSError, TimeoutError) as exc:
                log.warning("hints are not heard", error=type(exc).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)
