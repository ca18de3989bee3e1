"""What follows from a run's events: stored messages, interrupts and the run's end. Pure.

Whoever takes over a run replays its stored events through a new `RunView` first.
"""

import datetime
import decimal
import json
from dataclasses import dataclass, field
from typing import Any

from sessions_app.choices import Delivery, DeliveryReason, InterruptKind, RunState
from sessions_app.streams.closers import TERMINAL, OpenItems
from sessions_app.streams.frames import Event

RESULT_CHARACTERS = 2000
RESULT_MARK = " ... [cut]"
INTERRUPT_LIFE = datetime.timedelta(days=7)
RUNNER_STOPPED = "RunnerStopped"
"""What our runner says when it is told to stop in the middle of a run."""
APPROVALS = frozenset({"tool_call", "confirmation"})


@dataclass(frozen=True)
class NewMessage:
    """A row of the conversation."""

    event_type: str
    payload: str


@dataclass(frozen=True)
class NewInterrupt:
    """Something a person has to decide. `expires_at` None: the platform's own life of it."""

    interrupt_id: str
    kind: InterruptKind
    request: str
    response_schema: str | None
    expires_at: datetime.datetime | None


@dataclass(frozen=True)
class RunEnd:
    """How the run ended, as its row and its message record it."""

    state: RunState
    delivery: Delivery
    reason: DeliveryReason | None = None
    outcome: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    usage: str | None = None
    cost_usd: decimal.Decimal | None = None
    model: str | None = None


@dataclass
class Effects:
    """What a batch brings beside its events."""

    started: bool = False
    messages: list[NewMessage] = field(default_factory=list)
    interrupts: list[NewInterrupt] = field(default_factory=list)
    end: RunEnd | None = None

    def __bool__(self) -> bool:
        return bool(self.started or self.messages or self.interrupts or self.end)


class RunView:
    """One run as seen from its events so far."""

    def __init__(self) -> None:
        self.items = OpenItems()
        self._texts: dict[str, tuple[str, list[str]]] = {}
        self._calls: dict[str, tuple[str, list[str]]] = {}
        self._chunk: tuple[str, str] | None = None

    def feed(self, event: Event, effects: Effects) -> None:
        """Take the next event of the run; what follows from it is added to `effects`."""
        kind = event["type"]
        if not kind.endswith("_CHUNK"):
            self._close_chunk(effects)
        self.items.feed(event)
        match kind:
            case "RUN_STARTED":
                effects.started = True
            case "TEXT_MESSAGE_START":
                self._texts[str(event.get("messageId"))] = (str(event.get("role") or "assistant"), [])
            case "TEXT_MESSAGE_CONTENT":
                self._add(self._texts, str(event.get("messageId")), event)
            case "TEXT_MESSAGE_END":
                self._end_text(str(event.get("messageId")), effects)
            case "TOOL_CALL_START":
                self._calls[str(event.get("toolCallId"))] = (str(event.get("toolCallName") or ""), [])
            case "TOOL_CALL_ARGS":
                self._add(self._calls, str(event.get("toolCallId")), event)
            case "TOOL_CALL_END":
                self._end_call(str(event.get("toolCallId")), effects)
            case "TEXT_MESSAGE_CHUNK" | "TOOL_CALL_CHUNK":
                self._feed_chunk(kind, event, effects)
            case "TOOL_CALL_RESULT":
                effects.messages.append(_tool_result(event))
            case "RUN_FINISHED" | "RUN_ERROR":
                self._end_run(event, effects)

    @staticmethod
    def _add(into: dict[str, tuple[str, list[str]]], key: str, event: Event) -> None:
        delta = event.get("delta")
        if key in into and isinstance(delta, str):
            into[key][1].append(delta)

    def _end_text(self, key: str, effects: Effects) -> None:
        role, parts = self._texts.pop(key, ("user", []))
        text = "".join(parts)
        if text and role != "user":
            effects.messages.append(NewMessage("assistant" if role == "assistant" else "system", text))

    def _end_call(self, key: str, effects: Effects) -> None:
        if key not in self._calls:
            return
        name, parts = self._calls.pop(key)
        payload = {"tool": name, "tool_call_name": name, "tool_call_id": key, "input": "".join(parts)}
        effects.messages.append(NewMessage("tool_use", json.dumps(payload, ensure_ascii=False)))

    def _feed_chunk(self, kind: str, event: Event, effects: Effects) -> None:
        """A chunk opens what it names and closes by what comes next."""
        into, field_name = (
            (self._texts, "messageId") if kind == "TEXT_MESSAGE_CHUNK" else (self._calls, "toolCallId")
        )
        key = event.get(field_name)
        if self._chunk is not None and (self._chunk[0] != kind or key not in (None, self._chunk[1])):
            self._close_chunk(effects)
        if self._chunk is None and isinstance(key, str):
            self._chunk = (kind, key)
            label = event.get("role") or "assistant" if into is self._texts else event.get("toolCallName")
            into[key] = (str(label or ""), [])
        if self._chunk is not None:
            self._add(into, self._chunk[1], event)

    def _close_chunk(self, effects: Effects) -> None:
        if self._chunk is None:
            return
        kind, key = self._chunk
        self._chunk = None
        if kind == "TEXT_MESSAGE_CHUNK":
            self._end_text(key, effects)
        else:
            self._end_call(key, effects)

    def _end_run(self, event: Event, effects: Effects) -> None:
        effects.end = run_end(event)
        if event["type"] == "RUN_ERROR":
            effects.messages.append(NewMessage("error", str(event.get("message") or "The run failed.")))
        outcome = event.get("outcome")
        if effects.end.state == RunState.INTERRUPTED and isinstance(outcome, dict):
            for interrupt in outcome["interrupts"]:
                effects.interrupts.append(_interrupt(interrupt))
                effects.messages.append(NewMessage("system", _interrupt_text(interrupt)))


def _tool_result(event: Event) -> NewMessage:
    content = event.get("content")
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    short = text if len(text) <= RESULT_CHARACTERS else text[:RESULT_CHARACTERS] + RESULT_MARK
    payload = {"tool_call_id": str(event.get("toolCallId")), "content": short, "result": short}
    return NewMessage("tool_result", json.dumps(payload, ensure_ascii=False))


def _interrupt(interrupt: dict[str, Any]) -> NewInterrupt:
    schema = interrupt.get("responseSchema")
    reason = str(interrupt.get("reason") or "")
    return NewInterrupt(
        interrupt_id=str(interrupt["id"])[:255],
        kind=InterruptKind.APPROVAL if reason in APPROVALS else InterruptKind.QUESTION,
        request=json.dumps(interrupt, ensure_ascii=False),
        response_schema=None if schema is None else json.dumps(schema, ensure_ascii=False),
        expires_at=_time(interrupt.get("expiresAt")),
    )


def _interrupt_text(interrupt: dict[str, Any]) -> str:
    value = {"custom_event": "ambient:interrupt", "value": interrupt}
    return json.dumps(value, ensure_ascii=False)


def _time(text: Any) -> datetime.datetime | None:
    """An RFC 3339 time; None when there is none or it cannot be read."""
    if not isinstance(text, str):
        return None
    try:
        value = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        value = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
        return value.astimezone(datetime.UTC)
    except (ValueError, OverflowError):  # the latter: outside the years that can be read back
        return None


def run_end(event: Event) -> RunEnd:
    """The row's columns from RUN_FINISHED or RUN_ERROR."""
    usage = event.get("usage")
    entries = usage if isinstance(usage, list) else []
    usage_text = json.dumps(usage) if isinstance(usage, list) else None
    model = next((str(u["model"]) for u in entries if isinstance(u, dict) and u.get("model")), None)
    if event["type"] == "RUN_ERROR":
        code = str(event.get("code") or DeliveryReason.RUN_ERROR)
        return RunEnd(
            state=RunState.FAILED,
            delivery=Delivery.FAILED,
            reason=_error_reason(code),
            error_code=code,
            error_message=str(event.get("message") or ""),
            usage=usage_text,
            model=model,
        )
    outcome = event.get("outcome")
    kind = outcome.get("type") if isinstance(outcome, dict) else None
    state, delivery, reason = RunState.FINISHED, Delivery.DONE, None
    if kind == "cancelled":
        state, delivery, reason = (
            RunState.CANCELLED,
            Delivery.CANCELLED,
            DeliveryReason.CANCELLED_BY_USER,
        )
    elif kind == "interrupt" and _interrupts_of(outcome):
        state = RunState.INTERRUPTED
    return RunEnd(
        state=state,
        delivery=delivery,
        reason=reason,
        outcome=None if outcome is None else json.dumps(outcome, ensure_ascii=False),
        usage=usage_text,
        cost_usd=_cost(event.get("result")),
        model=model,
    )


def _error_reason(code: str) -> DeliveryReason:
    if code == RUNNER_STOPPED:
        return DeliveryReason.RUNNER_RESTARTED
    return DeliveryReason(code) if code in DeliveryReason.values else DeliveryReason.RUN_ERROR


def _interrupts_of(outcome: Any) -> bool:
    entries = outcome.get("interrupts")
    return (
        isinstance(entries, list)
        and all(isinstance(e, dict) and e.get("id") for e in entries)
        and bool(entries)
    )


def _cost(result: Any) -> decimal.Decimal | None:
    value = result.get("total_cost_usd") if isinstance(result, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        cost = decimal.Decimal(str(value))
    except decimal.InvalidOperation:
        return None
    return cost if cost.is_finite() and 0 <= cost < 10**8 else None


def is_terminal(event: Event) -> bool:
    """Whether nothing can follow the event in its run."""
    return event["type"] in TERMINAL
