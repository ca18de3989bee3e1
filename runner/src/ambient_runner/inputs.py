"""What people send to an agent: prompts, answers to questions, decisions on approvals."""

from typing import Any

from ag_ui.core import ResumeEntry, RunAgentInput

from ambient_runner.framework import RunFailed

ANSWER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "string", "title": "Answer"}},
    "required": ["answer"],
}
APPROVAL_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean", "title": "Allow this command"},
        "reason": {"type": "string", "title": "Reason"},
    },
    "required": ["approved"],
}


def newest_prompt(run_input: RunAgentInput) -> str:
    """The text of the newest user message."""
    return newest_message(run_input)[1]


def newest_message(run_input: RunAgentInput) -> tuple[str, str]:
    """Id and text of the newest user message that has a text."""
    for message in reversed(run_input.messages):
        if message.role != "user":
            continue
        if isinstance(message.content, str):
            text = message.content
        else:
            text = "\n".join(part.text for part in message.content if part.type == "text")
        if text.strip():
            return message.id, text.strip()
    raise RunFailed("NoPrompt", "The run has no user message with text and no answers.")


def answer_text(payload: Any) -> str | None:
    """The text of an answer: a plain text, or the first text of an object, `answer` first."""
    if isinstance(payload, dict):
        texts = [payload.get("answer"), *payload.values()]
        payload = next((value for value in texts if isinstance(value, str)), None)
    return payload if isinstance(payload, str) else None


def decision(answer: ResumeEntry) -> tuple[bool | None, str]:
    """What an approval's answer says, and why; None when it says neither yes nor no."""
    payload = answer.payload if isinstance(answer.payload, dict) else {}
    approved, reason = payload.get("approved"), payload.get("reason")
    return (approved if isinstance(approved, bool) else None), (reason if isinstance(reason, str) else "")
