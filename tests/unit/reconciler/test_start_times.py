"""A start's steps, from what the passes have written down."""

import datetime
import json

import pytest

from reconciler.start_times import start_steps
from sessions_app.models import Session

T0 = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def at(seconds):
    return None if seconds is None else T0 + datetime.timedelta(seconds=seconds)


def conditions(**seconds):
    """Conditions that became true so many seconds after the wish."""
    return json.dumps(
        [
            {"type": name, "status": "True", "last_transition_time": at(s).isoformat().replace("+00:00", "Z")}
            for name, s in seconds.items()
        ]
    )


def steps(*, placed, creating, ready, last_start=None, noted="[]"):
    session = Session(placed_at=at(placed), start_time=at(ready), conditions=noted)
    return start_steps(session, wished_at=T0, last_start=at(last_start), creating_since=at(creating))


@pytest.mark.parametrize(
    ("noted", "wanted"),
    [
        pytest.param(
            conditions(ObjectsApplied=2, RunnerStarted=4),
            {"placed": 1, "applied": 1, "started": 2, "ready": 3},
            id="every-step-noted",
        ),
        pytest.param(
            conditions(ObjectsApplied=-50, RunnerStarted=4),
            {"placed": 1, "applied": 3, "started": 0, "ready": 3},
            id="objects-of-an-earlier-attempt",
        ),
        pytest.param(
            conditions(ObjectsApplied=7, RunnerStarted=7),
            {"placed": 1, "applied": 6, "started": 0, "ready": 0},
            id="all-seen-at-once",
        ),
        pytest.param(
            conditions(ObjectsApplied=5, RunnerStarted=4),
            {"placed": 1, "applied": 4, "started": 0, "ready": 2},
            id="noted-in-another-order",
        ),
        pytest.param("", {"placed": 1, "applied": 6, "started": 0, "ready": 0}, id="nothing-noted"),
        pytest.param("{}", {"placed": 1, "applied": 6, "started": 0, "ready": 0}, id="another-form"),
        pytest.param(
            '[{"type": "RunnerStarted", "status": "True", "last_transition_time": "soon"}, 3]',
            {"placed": 1, "applied": 6, "started": 0, "ready": 0},
            id="times-that-are-none",
        ),
    ],
)
def test_steps_add_up_to_the_whole(noted, wanted):
    found = steps(placed=1, creating=1.5, ready=7, noted=noted)
    assert found == wanted
    assert sum(found.values()) == 7


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(
            {"placed": 1, "creating": 90, "ready": 95, "last_start": 3}, id="a-restart-of-a-lost-runner"
        ),
        pytest.param({"placed": -10, "creating": 2, "ready": 3}, id="a-place-that-was-kept"),
        pytest.param({"placed": None, "creating": 2, "ready": 3}, id="no-place"),
        pytest.param({"placed": 1, "creating": None, "ready": 3}, id="no-phase-before"),
    ],
)
def test_what_is_no_start_is_not_counted(facts):
    assert steps(**facts) is None


def test_a_start_after_a_stop_counts_from_its_own_wish():
    assert steps(placed=1, creating=1, ready=3, last_start=-100)["placed"] == 1
