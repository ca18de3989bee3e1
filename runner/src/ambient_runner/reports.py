"""What a runner tells the platform besides events: only what events cannot say."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


def rfc3339(moment: datetime) -> str:
    """A time as the platform writes it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Condition:
    """One named fact about this runner."""

    type: str
    status: bool
    reason: str
    message: str
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    def as_json(self) -> dict[str, str]:
        """The condition in the platform's spelling."""
        return {
            "type": self.type,
            "status": "True" if self.status else "False",
            "reason": self.reason,
            "message": self.message,
            "last_transition_time": rfc3339(self.since),
        }


@dataclass(frozen=True)
class Report:
    """Fields of the session's status; those left None are not sent."""

    sdk_session_id: str | None = None
    reconciled_repos: list[dict[str, Any]] | None = None
    reconciled_workflow: dict[str, Any] | None = None
    conditions: list[Condition] | None = None

    def fields(self) -> dict[str, str]:
        """The body of the status request: structured fields are JSON texts."""
        found: dict[str, str] = {}
        if self.sdk_session_id is not None:
            found["sdk_session_id"] = self.sdk_session_id
        if self.reconciled_repos is not None:
            found["reconciled_repos"] = json.dumps(self.reconciled_repos)
        if self.reconciled_workflow is not None:
            found["reconciled_workflow"] = json.dumps(self.reconciled_workflow)
        if self.conditions is not None:
            found["conditions"] = json.dumps([condition.as_json() for condition in self.conditions])
        return found
