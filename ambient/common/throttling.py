"""How often one caller may do one class of things: counted in Valkey, for all processes together.

Each caller and class is one GCRA cell (a token bucket that needs one number): the time at which it would be
full again. Any number of cells is asked and written by one script, so in one round trip and without a race.
Libraries were looked at: `limits` needs a second round trip for what the headers say, `throttled-py` one for
each cell and an older redis-py.

While Valkey is away nothing is refused: the platform outlives a restart of it (docs/faults.md).
"""

import functools
import hashlib
import ipaddress
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
import structlog
from django.conf import settings
from prometheus_client import Counter
from redis.backoff import NoBackoff
from redis.retry import Retry

from ambient.common.exceptions import TooMany
from ambient.rates import NO_LIMIT, Rate

log = structlog.get_logger(__name__)

KEY = "ambient:limit:"
ANSWER_SECONDS = 0.25
AWAY_SECONDS = 1.0
"""After a failure Valkey is left alone for so long, so that a frozen one does not slow every request."""

REFUSED = Counter("ambient_limit_refused_total", "Requests refused by a limit, by its class.", ["limit"])
UNCOUNTED = Counter("ambient_limit_uncounted_total", "Requests let through because Valkey was away.")

# KEYS: cells. ARGV: for each the seconds of one unit and how many fit. Takes one of each, or of none.
# Returns for each: what is left, seconds until it is full, seconds until one more fits (0: it did).
TAKE = """
local t = redis.call('TIME')
local now = (t[1] - 1735689600) + t[2] / 1000000
local full, refused = {}, false
for i, key in ipairs(KEYS) do
    local unit, size = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    full[i] = math.max(tonumber(redis.call('GET', key) or now), now)
    if full[i] + unit - now > unit * size + 0.000001 then refused = true end
end
local found = {}
for i, key in ipairs(KEYS) do
    local unit, size = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local wait = math.max(0, full[i] + unit - now - unit * size)
    if not refused then
        full[i] = full[i] + unit
        redis.call('SET', key, string.format('%.6f', full[i]), 'PX', math.ceil((full[i] - now) * 1000))
        wait = 0
    end
    local left = math.max(0, math.floor((unit * size - (full[i] - now)) / unit + 0.000001))
    found[i] = {left, string.format('%.6f', full[i] - now), string.format('%.6f', wait)}
end
return found
"""


@dataclass(frozen=True)
class Cell:
    """One limit of one caller."""

    limit: str
    rate: Rate
    key: str


@dataclass(frozen=True)
class Allowance:
    """What a cell says after it was asked."""

    cell: Cell
    left: int
    full_in: float
    wait: float

    def headers(self) -> dict[str, str]:
        """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10)."""
        rate = self.cell.rate
        return {
            "RateLimit-Policy": f'"{self.cell.limit}";q={rate.count};w={rate.seconds}',
            "RateLimit": f'"{self.cell.limit}";r={self.left};t={math.ceil(self.full_in)}',
        }


def cell(limit: str, *who: str) -> Cell:
    """The cell of a caller in a class of `settings.LIMITS`. Its key tells nobody's name, not even ours."""
    digest = hashlib.blake2b("\0".join(who).encode(errors="surrogatepass"), digest_size=16).hexdigest()
    return Cell(limit, settings.LIMITS.get(limit, NO_LIMIT), f"{KEY}{limit}:{digest}")


def network(address: str | None) -> str:
    """Whose address it is: of IPv6 the /64 that one customer gets."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def caller_name(user: Any, address: str | None) -> str:
    """Who pays: the person or service account, whatever key or browser they came with; a runner's session;
    for nobody the address."""
    if not getattr(user, "is_authenticated", False):
        return f"address:{network(address)}"
    return f"user:{user.pk}" if user.pk else user.username


@functools.cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


@functools.cache
def _script(url: str) -> Any:
    return _client(url).register_script(TAKE)


_away_until = 0.0


def take(cells: Sequence[Cell]) -> list[Allowance]:
    """One of each cell, if all have one left; raises TooMany. Empty: not limited, or Valkey is away."""
    global _away_until
    limited = [cell for cell in cells if cell.rate.count]
    if not limited:
        return []
    if time.monotonic() < _away_until:
        UNCOUNTED.inc()
        return []
    numbers = [
        number for cell in limited for number in (cell.rate.seconds / cell.rate.count, cell.rate.count)
    ]
    try:
        found = _script(settings.REDIS_URL)(keys=[cell.key for cell in limited], args=numbers)
    except (redis.RedisError, OSError) as exc:
        _away_until = time.monotonic() + AWAY_SECONDS
        UNCOUNTED.inc()
        log.warning("limits are not counted", error=type(exc).__name__)
        return []
    allowed = [
        Allowance(cell, int(left), float(full_in), float(wait))
        for cell, (left, full_in, wait) in zip(limited, found, strict=True)
    ]
    worst = max(allowed, key=lambda each: each.wait)
    if worst.wait > 0:
        REFUSED.labels(worst.cell.limit).inc()
        error = TooMany("Too many requests", retry_after=max(1, math.ceil(worst.wait)))
        error.headers = worst.headers()
        raise error
    return allowed


def spend(limit: str, user: Any, address: str | None) -> dict[str, str]:
    """One request of a caller: headers of its answer, or TooMany."""
    found = take([cell(limit, caller_name(user, address))])
    return found[0].headers() if found else {}


def usual_limit(method: str | None, user: Any) -> str:
    """The class of a request that is nothing special."""
    if not getattr(user, "is_authenticated", False):
        return "anonymous"
    return "read" if method in ("GET", "HEAD", "OPTIONS") else "write"


def forget(cells: Sequence[Cell]) -> None:
    """These cells are full again."""
    try:
        _client(settings.REDIS_URL).delete(*(cell.key for cell in cells))
    except (redis.RedisError, OSError) as exc:
        log.warning("limits were not reset", error=type(exc).__name__)


def refused_token(address: str | None) -> None:
    """A token was not good. Too many of them from one address are told so; a good one always gets through."""
    take([cell("bad-token", network(address))])
