"""What a person is asked for, and what an answer means. Pure."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ag_ui.core import Interrupt, ResumeEntry

from ambient_runner.framework import RunFailed
from ambient_runner.frameworks.claude.journal import Asked, Decision
from ambient_runner.inputs import APPROVAL_SCHEMA, answer_text, decision
from ambient_runner.reports import rfc3339

QUESTION_TOOL = "AskUserQuestion"
LONGEST_MESSAGE = 2000
NOT_ANSWERED = "The person left this without an answer."
DENIED = "The person denied this call, it was not run"


def interrupt_id(call: str) -> str:
    """The interrupt of a tool call."""
    return f"ask-{call}"


def interrupt(item: Asked, now: datetime, life: timedelta) -> Interrupt:
    """The interrupt as clients see it."""
    expires_at = rfc3339(now + life)
    owner = {} if item.subagent is None else {"subagent_run_id": item.subagent}
    if item.tool == QUESTION_TOOL:
        asked = questions(item.input)
        return Interrupt(
            id=item.id,
            reason="input_required",
            message="\n".join(question["question"] for question in asked)[:LONGEST_MESSAGE],
            tool_call_id=item.call,
            response_schema=answer_schema(asked),
            expires_at=expires_at,
            metadata={"questions": asked},
            **owner,
        )
    return Interrupt(
        id=item.id,
        reason="tool_call",
        message=approval_text(item),
        tool_call_id=item.call,
        response_schema=APPROVAL_SCHEMA,
        expires_at=expires_at,
        metadata={"tool": item.tool, "input": item.input},
        **owner,
    )


def approval_text(item: Asked) -> str:
    """One question that a person can decide on."""
    command = item.input.get("command")
    if item.tool == "Bash" and isinstance(command, str):
        return f"May I run this command? {command}"[:LONGEST_MESSAGE]
    return f"May I use {item.tool}? {json.dumps(item.input, ensure_ascii=False)}"[:LONGEST_MESSAGE]


def questions(tool_input: dict[str, Any]) -> list[dict[str, Any]]:
    """The questions of a call, each with its options as texts."""
    found = []
    for question in tool_input.get("questions") or []:
        if isinstance(question, dict) and isinstance(question.get("question"), str):
            options = [option for option in question.get("options") or [] if isinstance(option, dict)]
            found.append(
                {
                    "question": question["question"],
                    "header": str(question.get("header") or "Answer"),
                    "options": options,
                    "multiSelect": question.get("multiSelect") is True,
                }
            )
    return found


def answer_schema(asked: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One field a question: `answer` for a single one, else q1, q2 ... Options are offered, not enforced."""
    fields: dict[str, Any] = {}
    for name, question in zip(field_names(len(asked)), asked, strict=True):
        labels = [str(option.get("label", "")) for option in question["options"]]
        text: dict[str, Any] = {"type": "string", **({"examples": labels} if labels else {})}
        about = {"title": question["header"], "description": question["question"]}
        fields[name] = about | ({"type": "array", "items": text} if question["multiSelect"] else text)
    return {"type": "object", "properties": fields, "required": list(fields)}


def field_names(count: int) -> list[str]:
    """Names of the answers to so many questions."""
    return ["answer"] if count == 1 else [f"q{number}" for number in range(1, count + 1)]


def decide(item: Asked, answer: ResumeEntry) -> Decision:
    """What an answer means for its call. Raises RunFailed when it means nothing."""
    if answer.status == "cancelled":
        return Decision(allow=False, reason=NOT_ANSWERED)
    if item.tool == QUESTION_TOOL:
        return Decision(allow=True, answers=_answers(item, answer.payload))
    approved, reason = decision(answer)
    if approved is None:
        raise RunFailed("InvalidAnswer", f"The answer to {item.id} does not say approved true or false.")
    if approved:
        return Decision(allow=True)
    return Decision(allow=False, reason=f"{DENIED}: {reason}" if reason else f"{DENIED}.")


def _answers(item: Asked, payload: Any) -> dict[str, str]:
    asked = questions(item.input)
    names = field_names(len(asked))
    given = payload if isinstance(payload, dict) else {}
    found: dict[str, str] = {}
    for name, question in zip(names, asked, strict=True):
        text = _text(given.get(name))
        if text is None and len(asked) == 1:
            text = answer_text(payload)
        if text is None:
            raise RunFailed("InvalidAnswer", f"The answer to {item.id} has no text for {name}.")
        found[question["question"]] = text
    return found


def _text(value: Any) -> str | None:
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    return value if isinstance(value, str) else None


def told(item: Asked, decided: Decision) -> str:
    """A decision in words, for an agent that cannot be given it any other way."""
    call = f"{item.tool} {json.dumps(item.input, ensure_ascii=False)[:LONGEST_MESSAGE]}"
    if decided.answers is not None:
        pairs = "; ".join(f"{question}: {text}" for question, text in decided.answers.items())
        return f"The person answered your question. {pairs}"
    if decided.allow:
        return (
            f"The person approved this call, which was not run yet: {call}. "
            "Make exactly this call again now; it will run without another question."
        )
    return f"This call was not run: {call}. {decided.reason}"


def lost(item: Asked) -> str:
    """What the agent has to know of a call that never got its result."""
    call = f"{item.tool} {json.dumps(item.input, ensure_ascii=False)[:LONGEST_MESSAGE]}"
    if item.status == "decided":
        return (
            f"This call was decided and may have started before the agent's process was ended: {call}. "
            "Its result is not known. Look at its effects before you repeat it."
        )
    return f"This call was not run, because the conversation went on without an answer to it: {call}."
