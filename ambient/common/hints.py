"""Hints between processes over Redis: "look at session S". Losing one costs at most a poll of two seconds."""

import functools

import redis
import structlog
from django.conf import settings
from django.db import transaction

log = structlog.get_logger(__name__)

WORK = "ambient:streams:work"  # a session has something for the holder of its stream: its id
HEADS = "ambient:streams:heads"  # events were stored: "<session id> <seq>"
MESSAGES = "ambient:streams:messages"  # messages were stored: "<session id> <seq>"
ACCESS = "ambient:access"  # grants changed: the id of the subject, or "*"


@functools.cache
def client() -> redis.Redis:
    """The process's own client; short time-outs, since a hint is never worth waiting for."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5)


def publish(channel: str, payload: str) -> None:
    """Send a hint now. A broker that is away is logged and no error: the poll finds the work."""
    try:
        client().publish(channel, payload)
    except redis.RedisError as exc:
        log.warning("hint was not sent", channel=channel, error=type(exc).__name__)


def publish_on_commit(channel: str, payload: str) -> None:
    """Send a hint once the current transaction is committed."""
    transaction.on_commit(functools.partial(publish, channel, payload))


def parse(payload: str) -> tuple[str, int]:
    """(session, sequence number) of a hint; the number is 0 where it says only "look again"."""
    session, _, seq = payload.partition(" ")
    return session, int(seq) if seq.isdigit() else 0
