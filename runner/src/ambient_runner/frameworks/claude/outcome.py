"""How a run ended, what it used and what it cost. Pure."""

from dataclasses import dataclass, field
from typing import Any

from ag_ui.core import RunErrorEvent, RunFinishedEvent, TokenUsage

CODES = {401: "CredentialRejected", 403: "CredentialRejected", 404: "ModelUnknown", 429: "RateLimited"}
COUNTS = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "reasoning_tokens": "thinkingTokens",
    "cached_input_tokens": "cacheReadInputTokens",
    "cache_write_input_tokens": "cacheCreationInputTokens",
}
LONGEST_MESSAGE = 2000


@dataclass
class Meter:
    """The program counts from its own start; a run is the difference to its last report."""

    cost: float = 0.0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def spent(self, frame: dict[str, Any]) -> tuple[list[TokenUsage], float]:
        """Tokens by model and US dollars since the last report."""
        usage = []
        for model, total in sorted(frame["models"].items()):
            before = self.counts.get(model, {})
            now = {name: int(total.get(key) or 0) for name, key in COUNTS.items()}
            self.counts[model] = now
            since = {name: max(0, count - before.get(name, 0)) for name, count in now.items()}
            if any(since.values()):
                since["total_tokens"] = since["input_tokens"] + since["output_tokens"]
                usage.append(TokenUsage(provider="anthropic", model=model, **since))
        total_cost = float(frame["cost"] or 0)
        cost, self.cost = max(0.0, total_cost - self.cost), total_cost
        return usage, round(cost, 8)


def ended(
    frame: dict[str, Any], meter: Meter, thread_id: str, run_id: str
) -> RunFinishedEvent | RunErrorEvent:
    """The run's last event. `is_error` counts, not the subtype: failed requests come as a success."""
    usage, cost = meter.spent(frame)
    if frame["is_error"]:
        said = (
            frame["text"] or "; ".join(frame["errors"] or []) or f"The agent ended with {frame['subtype']}."
        )
        return RunErrorEvent(message=said[:LONGEST_MESSAGE], code=error_code(frame), usage=usage or None)
    result = {
        "total_cost_usd": cost,
        "num_turns": frame["turns"],
        "duration_ms": frame["duration_ms"],
        "sdk_session_id": frame["session"],
    }
    return RunFinishedEvent(thread_id=thread_id, run_id=run_id, result=result, usage=usage or None)


def error_code(frame: dict[str, Any]) -> str:
    """One word for what went wrong."""
    status = frame["status"]
    if status is None:
        return "NotLoggedIn" if "Not logged in" in (frame["text"] or "") else "AgentError"
    return CODES.get(status, "ModelUnavailable" if status >= 500 else "ModelRefused")
