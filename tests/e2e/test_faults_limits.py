"""Without Valkey there are no limits, and no request waits for it."""

import pytest

from tests.e2e.system import eventually

pytestmark = pytest.mark.faults

UNCOUNTED = "ambient_limit_uncounted_total"


def test_requests_go_on_uncounted_while_valkey_is_away_or_hangs(stage, healed):
    def answers():
        return [stage.request("GET", "/projects") for _ in range(20)]

    assert all("RateLimit" in answer.headers for answer in answers())
    for how in (lambda: stage.without("valkey"), lambda: stage.frozen(stage.service_pid("valkey"))):
        before = stage.metric(stage.api, UNCOUNTED)
        with how():
            found = answers()
        assert {answer.status_code for answer in found} == {200}
        assert not any("RateLimit" in answer.headers for answer in found)
        assert stage.metric(stage.api, UNCOUNTED) >= before + 20
        eventually(
            lambda: "RateLimit" in stage.request("GET", "/projects").headers, "requests are counted again"
        )
