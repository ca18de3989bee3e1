from typing import Literal

SessionReason = Literal[
    "BudgetReached",
    "ClusterUnreachable",
    "ConfigInvalid",
    "CredentialRejected",
    "Evicted",
    "HostRestarted",
    "ImagePullFailed",
    "Inactivity",
    "NamespaceNotOurs",
    "NodeLost",
    "NotAnswering",
    "ObjectNotOurs",
    "OutOfMemory",
    "Placed",
    "PodLost",
    "QuotaExceeded",
    "Ready",
    "RepositoryRefused",
    "RunnerExited",
    "StartDeadline",
    "Starting",
    "StoppedByUser",
    "Succeeded",
    "Timeout",
    "Unschedulable",
    "Waiting",
    "WorkspaceNotRestored",
    "WorkspaceNotSaved",
]

SESSION_REASON_VALUES: set[SessionReason] = {
    "BudgetReached",
    "ClusterUnreachable",
    "ConfigInvalid",
    "CredentialRejected",
    "Evicted",
    "HostRestarted",
    "ImagePullFailed",
    "Inactivity",
    "NamespaceNotOurs",
    "NodeLost",
    "NotAnswering",
    "ObjectNotOurs",
    "OutOfMemory",
    "Placed",
    "PodLost",
    "QuotaExceeded",
    "Ready",
    "RepositoryRefused",
    "RunnerExited",
    "StartDeadline",
    "Starting",
    "StoppedByUser",
    "Succeeded",
    "Timeout",
    "Unschedulable",
    "Waiting",
    "WorkspaceNotRestored",
    "WorkspaceNotSaved",
}


def check_session_reason(value: str) -> SessionReason:
    if value in SESSION_REASON_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {SESSION_REASON_VALUES!r}")
