from typing import Literal

SessionActivity = Literal["idle", "needs_you", "working"]

SESSION_ACTIVITY_VALUES: set[SessionActivity] = {
    "idle",
    "needs_you",
    "working",
}


def check_session_activity(value: str) -> SessionActivity:
    if value in SESSION_ACTIVITY_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SESSION_ACTIVITY_VALUES!r}")
