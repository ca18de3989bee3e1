"""Requests are counted by route, as the ASGI server sees them."""

import pytest
from asgiref.testing import ApplicationCommunicator
from prometheus_client import REGISTRY

from ambient.asgi import Http, django_application
from ambient.common.http_metrics import measured


async def ask(path: str, method: str = "GET") -> int:
    """The status of one request to the application as the servers run it."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
    }
    client = ApplicationCommunicator(Http(django_application), scope)
    await client.send_input({"type": "http.request", "body": b"", "more_body": False})
    status = (await client.receive_output(timeout=20))["status"]
    while (await client.receive_output(timeout=20)).get("more_body"):
        continue
    await client.wait()
    return int(status)


def counted(**labels: str) -> float:
    return REGISTRY.get_sample_value("ambient_http_requests_total", labels) or 0.0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "path", "status", "labels"),
    [
        pytest.param("GET", "/healthz", 200, ("GET", "/healthz", "2xx"), id="a-plain-view"),
        pytest.param("POST", "/healthz", 405, ("POST", "/healthz", "4xx"), id="a-refusal"),
        pytest.param("GET", "/api/ambient", 200, ("GET", "/api/ambient", "2xx"), id="a-view-of-the-api"),
        pytest.param("GET", "/nothing/here", 404, ("GET", "unmatched", "4xx"), id="no-route"),
        pytest.param("BREW", "/healthz", 405, ("other", "/healthz", "4xx"), id="methods-are-a-closed-list"),
    ],
)
async def test_a_request_is_counted_by_route_and_class_of_status(method, path, status, labels):
    names = dict(zip(("method", "route", "status"), labels, strict=True))
    before = counted(**names)
    assert await ask(path, method) == status
    assert counted(**names) == before + 1
    seconds = {"method": labels[0], "route": labels[1]}
    assert REGISTRY.get_sample_value("ambient_http_request_seconds_count", seconds) >= 1


@pytest.mark.parametrize(
    ("code", "label"),
    [(200, "2xx"), (304, "3xx"), (429, "4xx"), (500, "500"), (501, "5xx"), (502, "5xx"), (503, "5xx")],
)
async def test_a_fault_of_our_own_is_told_from_an_answer(code, label):
    async def send(message):
        assert message["status"] == code

    names = {"method": "GET", "route": "unmatched", "status": label}
    before = counted(**names)
    counting = measured({"type": "http", "method": "GET"}, send)
    await counting({"type": "http.response.start", "status": code})
    assert counted(**names) == before + 1


@pytest.mark.django_db(transaction=True)
async def test_ids_never_become_labels():
    for number in range(3):
        assert await ask(f"/api/ambient/v1/sessions/made-up-{number}") == 401
    routes = {
        sample.labels["route"]
        for family in REGISTRY.collect()
        if family.name == "ambient_http_requests"
        for sample in family.samples
    }
    assert not [route for route in routes if "made-up" in route]
    assert [route for route in routes if route.startswith("/api/ambient/v1/sessions/")]
