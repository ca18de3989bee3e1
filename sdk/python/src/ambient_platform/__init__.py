"""Client of the Ambient platform: sessions of AI agents, watched live."""

from ambient_platform.aio import AsyncAmbientClient
from ambient_platform.client import AmbientClient, Interrupt
from ambient_platform.errors import AmbientError, APIError, ConnectionFailed, UnexpectedAnswer
from ambient_platform.streams import EventStream, StreamEvent

__all__ = [
    "APIError",
    "AmbientClient",
    "AmbientError",
    "AsyncAmbientClient",
    "ConnectionFailed",
    "EventStream",
    "Interrupt",
    "StreamEvent",
    "UnexpectedAnswer",
]
