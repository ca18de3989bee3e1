"""Closed lists of sessions: phases and who follows whom, wishes, conditions, reasons, states of work."""

from django.db import models

from projects_app.choices import Framework

RUNNER_TYPES = Framework.values
"""What `runner_type` may be."""


class Phase(models.TextChoices):
    """One word of a session's state. A session that was never looked at has none."""

    PENDING = "Pending"
    CREATING = "Creating"
    RUNNING = "Running"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    COMPLETED = "Completed"
    FAILED = "Failed"


FINAL_PHASES = frozenset({Phase.STOPPED, Phase.COMPLETED, Phase.FAILED})
ACTIVE_PHASES = frozenset({Phase.PENDING, Phase.CREATING, Phase.RUNNING})

TRANSITIONS: dict[str | None, frozenset[Phase]] = {
    None: frozenset({Phase.PENDING, Phase.STOPPING}),
    Phase.PENDING: frozenset({Phase.CREATING, Phase.FAILED, Phase.STOPPING, Phase.STOPPED}),
    Phase.CREATING: frozenset({Phase.RUNNING, Phase.PENDING, Phase.COMPLETED, Phase.FAILED, Phase.STOPPING}),
    Phase.RUNNING: frozenset({Phase.PENDING, Phase.COMPLETED, Phase.FAILED, Phase.STOPPING}),
    Phase.STOPPING: frozenset({Phase.STOPPED, Phase.FAILED}),
    Phase.STOPPED: frozenset({Phase.PENDING}),
    Phase.COMPLETED: frozenset({Phase.PENDING}),
    Phase.FAILED: frozenset({Phase.PENDING}),
}
"""Which phase may follow which (docs/reconciling.md). Staying is no change and always allowed."""


class DesiredState(models.TextChoices):
    """What people want of a session. Written by services only."""

    RUNNING = "running"
    STOPPED = "stopped"
    DELETED = "deleted"


class ConditionType(models.TextChoices):
    """Steps of a session's start and end that are reported one by one."""

    ACCEPTED = "Accepted"
    CONFIG_VALID = "ConfigValid"
    PLACED = "Placed"
    CREDENTIALS_RESOLVED = "CredentialsResolved"
    OBJECTS_APPLIED = "ObjectsApplied"
    RUNNER_STARTED = "RunnerStarted"
    RUNNER_READY = "RunnerReady"
    WORKSPACE_READY = "WorkspaceReady"
    FINISHED = "Finished"


class Reason(models.TextChoices):
    """The one word that explains a phase or condition."""

    WAITING = "Waiting"
    PLACED = "Placed"
    STARTING = "Starting"
    READY = "Ready"
    UNSCHEDULABLE = "Unschedulable"
    QUOTA_EXCEEDED = "QuotaExceeded"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    CONFIG_INVALID = "ConfigInvalid"
    REPOSITORY_REFUSED = "RepositoryRefused"
    CREDENTIAL_REJECTED = "CredentialRejected"
    START_DEADLINE = "StartDeadline"
    NOT_ANSWERING = "NotAnswering"
    RUNNER_EXITED = "RunnerExited"
    OUT_OF_MEMORY = "OutOfMemory"
    EVICTED = "Evicted"
    NODE_LOST = "NodeLost"
    POD_LOST = "PodLost"
    HOST_RESTARTED = "HostRestarted"
    NAMESPACE_NOT_OURS = "NamespaceNotOurs"
    OBJECT_NOT_OURS = "ObjectNotOurs"
    WORKSPACE_NOT_RESTORED = "WorkspaceNotRestored"
    WORKSPACE_NOT_SAVED = "WorkspaceNotSaved"
    CLUSTER_UNREACHABLE = "ClusterUnreachable"
    TIMEOUT = "Timeout"
    INACTIVITY = "Inactivity"
    BUDGET_REACHED = "BudgetReached"
    STOPPED_BY_USER = "StoppedByUser"
    SUCCEEDED = "Succeeded"


class Activity(models.TextChoices):
    """What a session is doing for people right now."""

    WORKING = "working"
    NEEDS_YOU = "needs_you"
    IDLE = "idle"


class RunState(models.TextChoices):
    """A run from its wish to its end."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"


class Trigger(models.TextChoices):
    """What asked for a run."""

    MESSAGE = "message"
    AGUI = "agui"
    ANSWER = "answer"
    RETRY = "retry"
    SCHEDULE = "schedule"
    AGENT = "agent"
    DELEGATE = "delegate"


class Delivery(models.TextChoices):
    """Where a user's message is on its way to the agent."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DeliveryReason(models.TextChoices):
    """Why a message or run failed or waits."""

    SESSION_STOPPED = "SessionStopped"
    SESSION_FAILED = "SessionFailed"
    SESSION_DELETED = "SessionDeleted"
    RUN_ERROR = "RunError"
    RUNNER_RESTARTED = "RunnerRestarted"
    STREAM_LOST = "StreamLost"
    RUNNER_REFUSED = "RunnerRefused"
    WAITS_FOR_ANSWER = "WaitsForAnswer"
    CANCELLED_BY_USER = "CancelledByUser"


class InterruptKind(models.TextChoices):
    """What a person is asked for."""

    APPROVAL = "approval"
    QUESTION = "question"


class InterruptState(models.TextChoices):
    """An interrupt from its opening to its end."""

    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
