"""The operations that a session's runner answers, called at random while the runner answers at random.

Whatever it says, people get an answer that the document describes: its 4xx, or a 502.
"""

import asyncio
import os
from typing import Any

import pytest
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from tests.contract.test_fuzz import NOT_OFFERED, schema
from tests.integration.proxies.conftest import ann, lab, people, project

__all__ = ["ann", "lab", "people", "project"]
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_dict(schema.raw_schema).get_all_operations()]
PROXIED = [
    o
    for o in OPERATIONS
    if "502" in o.responses.status_codes and "text/event-stream" not in str(o.definition.raw)
]
GOOD = {
    "/capabilities": {"framework": "x"},
    "/mcp/status": {"servers": []},
    "/repos/status": {"repos": [{"name": "a"}]},
    "/tasks": {"tasks": []},
    "/content/list": {"items": []},
    "/content/git-status": {"branch": "b", "modified": [], "staged": [], "untracked": []},
    "/content/git-list-branches": {"branches": ["main"]},
}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["items", "tasks", "servers", "repos", "branches", "name"]), inner)
    ),
    max_leaves=4,
)
STATUSES = st.sampled_from([200, 204, 302, 400, 401, 404, 405, 409, 413, 422, 429, 500, 501, 503])
BODIES = st.none() | st.binary(max_size=8) | ANY_JSON
"""None: what it really says."""


class AtRandom(dict[str, Any]):
    """The fake runner's answers: one for every route, as the example says."""

    status, body = 200, None

    def get(self, path: str, default: Any = None) -> Any:
        async def answer(request: web.Request) -> web.Response:
            if self.status == 204 or isinstance(self.body, bytes):
                return web.Response(status=self.status, body=None if self.status == 204 else self.body)
            told = GOOD.get(path, {}) if self.body is None else self.body
            return web.json_response(told, status=self.status)

        return answer


@pytest.fixture
def process(settings):
    settings.ROOT_URLCONF = "tests.integration.proxies.urls"
    settings.PROCESS = "api"


@pytest.mark.timeout(1800)
async def test_every_operation_of_a_runner(people, ann):
    answers = people.lab.runner.answers = AtRandom()
    token, there = await people.token(ann), {"id": people.lab.session.pk}

    def check(operation: Any) -> None:
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize="FUZZ_EXAMPLES" not in os.environ,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(
            case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)),
            status=STATUSES,
            body=BODIES,
        )
        def run(case: Any, status: int, body: Any) -> None:
            answers.status, answers.body = status, body
            case.path_parameters = (case.path_parameters or {}) | there
            response = case.call(base_url=people.url, headers={"Authorization": f"Bearer {token}"})
            assert response.status_code not in (500, 503), response.text
            case.validate_response(response, checks=NOT_OFFERED)

        run()

    assert len(PROXIED) > 10
    for operation in PROXIED:
        await asyncio.to_thread(check, operation)
