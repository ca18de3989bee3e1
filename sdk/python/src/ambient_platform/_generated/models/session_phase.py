from typing import Literal

SessionPhase = Literal["Completed", "Creating", "Failed", "Pending", "Running", "Stopped", "Stopping"]

SESSION_PHASE_VALUES: set[SessionPhase] = {
    "Completed",
    "Creating",
    "Failed",
    "Pending",
    "Running",
    "Stopped",
    "Stopping",
}


def check_session_phase(value: str) -> SessionPhase:
    if value in SESSION_PHASE_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SESSION_PHASE_VALUES!r}")
