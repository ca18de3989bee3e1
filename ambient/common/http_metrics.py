"""Requests as the ASGI server sees them, by route and never by path."""

import time
from collections.abc import MutableMapping
from typing import Any

from prometheus_client import Counter, Histogram

ROUTE = "ambient.route"
"""Where the request's middleware leaves the matched route in the scope."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS = Counter(
    "ambient_http_requests_total",
    "Requests answered by this process, by class of status; 500, a fault of our own, by itself.",
    ["method", "route", "status"],
)
SECONDS = Histogram(
    "ambient_http_request_seconds",
    "Time until the answer began; how long a stream then lasts does not count.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def _status(code: int) -> str:
    """The class, but 500 by itself: 501 to 504 are answers that a caller can do something about."""
    return "500" if code == 500 else f"{code // 100}xx"


def measured(scope: MutableMapping[str, Any], send: Any) -> Any:
    """A `send` that counts the request when its answer begins."""
    began = time.perf_counter()

    async def counting(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = f"/{scope[ROUTE]}" if ROUTE in scope else "unmatched"
            REQUESTS.labels(method, route, _status(message["status"])).inc()
            SECONDS.labels(method, route).observe(time.perf_counter() - began)
        await send(message)

    return counting
