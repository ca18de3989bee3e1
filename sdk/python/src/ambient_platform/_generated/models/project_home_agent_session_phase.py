from typing import Literal

ProjectHomeAgentSessionPhase = Literal[
    "Completed", "Creating", "Failed", "Pending", "Running", "Stopped", "Stopping"
]

PROJECT_HOME_AGENT_SESSION_PHASE_VALUES: set[ProjectHomeAgentSessionPhase] = {
    "Completed",
    "Creating",
    "Failed",
    "Pending",
    "Running",
    "Stopped",
    "Stopping",
}


def check_project_home_agent_session_phase(value: str) -> ProjectHomeAgentSessionPhase:
    if value in PROJECT_HOME_AGENT_SESSION_PHASE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {PROJECT_HOME_AGENT_SESSION_PHASE_VALUES!r}"
    )
