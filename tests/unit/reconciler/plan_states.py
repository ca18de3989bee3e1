"""Named wishes, observations and statuses that the tests of the plan start from."""

import datetime

from reconciler.state import Desired, Exit, Limits, Observed, Status
from sessions_app.choices import DesiredState, Phase, Reason

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
LIMITS = Limits()
RUN = Desired(DesiredState.RUNNING, 1)
STOP = Desired(DesiredState.STOPPED, 2)


def ago(seconds: float) -> datetime.datetime:
    return NOW - datetime.timedelta(seconds=seconds)


def status(phase: Phase | None, **changes) -> Status:
    known = {"observed_generation": 1, "attempt": 1, "placed": True, "phase_since": ago(1)}
    return Status(phase=phase, **(known | changes))


def runner(**changes) -> Observed:
    known = {
        "exists": True,
        "generation": 1,
        "attempt": 1,
        "ready": True,
        "endpoint": "http://r",
        "instance": "i",
    }
    return Observed(**(known | changes))


GONE = Observed()
HOST_LOST = Observed(reason=Reason.HOST_RESTARTED)
CRASHED = runner(ready=False, exit=Exit(code=1))
NEW = status(None, observed_generation=0, attempt=0, placed=False)
