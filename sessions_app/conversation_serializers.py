"""Wire forms of the conversation: messages, runs, interrupts, and what clients send."""

import datetime
import json
from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ambient.common.exceptions import BadRequest, InvalidField, MalformedRequest
from ambient.common.wire import KindField, WireSerializer
from sessions_app.event_history import DEFAULT_LIMIT, MAX_LIMIT, Wanted
from sessions_app.models import SessionMessage
from sessions_app.services.interrupts import NO_PAYLOAD
from sessions_app.services.runs import AguiRun, ResumeEntry
from sessions_app.streams.cursors import number
from sessions_app.streams.message_frames import message_wire

MAX_ID = 128
MAX_CLIENT_ID = 255


@extend_schema_field(OpenApiTypes.ANY)
class JsonValue(serializers.JSONField):
    """Any JSON value."""


class StoredJson(JsonValue):
    """Kept as JSON text, given as the value it is. Like what is unset, a null is left out."""

    def get_attribute(self, instance: Any) -> Any:
        text: Any = super().get_attribute(instance)
        return None if text is None else json.loads(text)


def message_body(message: SessionMessage) -> dict[str, Any]:
    """The wire form of a stored message."""
    return message_wire(
        (
            message.seq,
            message.pk,
            message.session_id,
            message.event_type,
            message.payload,
            message.created_at,
            message.created_by,
            message.client_id,
            message.run,
            message.delivery,
            message.reason,
        )
    )


class SessionMessageSerializer(serializers.Serializer):
    """One message of a session's conversation."""

    id = serializers.CharField()
    session_id = serializers.CharField()
    seq = serializers.IntegerField()
    event_type = serializers.CharField()
    payload = serializers.CharField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField(required=False)
    client_id = serializers.CharField(required=False)
    run_id = serializers.CharField(required=False)
    delivery = serializers.CharField(required=False)
    reason = serializers.CharField(required=False)


class SessionMessageCreateSerializer(serializers.Serializer):
    """A message to the agent; `event_type` is `user`."""

    event_type = serializers.CharField(required=False)
    payload = serializers.CharField()


class SessionMessageEditSerializer(serializers.Serializer):
    """The new text of a queued message."""

    payload = serializers.CharField()


class RunSerializer(WireSerializer):
    """One run of a session."""

    wire_kind, wire_plural = "Run", "runs"
    always = frozenset({"session_id", "number", "trigger", "state"})

    kind = KindField()
    id = serializers.CharField(read_only=True)
    session_id = serializers.CharField(read_only=True)
    number = serializers.IntegerField(read_only=True)
    trigger = serializers.CharField(read_only=True)
    actor = serializers.CharField(required=False)
    message_id = serializers.CharField(required=False)
    state = serializers.CharField(read_only=True)
    resumes = serializers.CharField(required=False)
    created_at = serializers.DateTimeField(read_only=True)
    started_at = serializers.DateTimeField(required=False)
    finished_at = serializers.DateTimeField(required=False)
    first_seq = serializers.IntegerField(required=False)
    last_seq = serializers.IntegerField(required=False)
    outcome = StoredJson(required=False)
    error_code = serializers.CharField(required=False)
    error_message = serializers.CharField(required=False)
    usage = StoredJson(required=False)
    cost_usd = serializers.FloatField(required=False)
    model = serializers.CharField(required=False)


class InterruptSerializer(WireSerializer):
    """Something only a person can decide."""

    wire_kind, wire_plural = "Interrupt", "interrupts"
    always = frozenset({"session_id", "run_id", "interrupt_id", "type", "request", "state", "expires_at"})

    kind = KindField()
    id = serializers.CharField(read_only=True)
    session_id = serializers.CharField(read_only=True)
    run_id = serializers.CharField(source="run", read_only=True)
    interrupt_id = serializers.CharField(read_only=True)
    type = serializers.CharField(source="kind", read_only=True, help_text="approval or question")
    request = StoredJson(read_only=True)
    response_schema = StoredJson(required=False)
    state = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(read_only=True)
    answer = StoredJson(required=False)
    answered_by = serializers.CharField(required=False)
    answered_at = serializers.DateTimeField(required=False)


class InterruptAnswerSerializer(serializers.Serializer):
    """A person's answer. A denial is `resolved` with a payload such as `{"approved": false}`."""

    status = serializers.ChoiceField(["resolved", "cancelled"])
    payload = JsonValue(required=False)


class RunInterruptSerializer(serializers.Serializer):
    """Which run to end; without, the active one."""

    runId = serializers.CharField(required=False)


class RunInterruptResultSerializer(serializers.Serializer):
    """Whether there was a run to end."""

    message = serializers.CharField(read_only=True)
    run_id = serializers.CharField(required=False)


class RunAgentInputSerializer(serializers.Serializer):
    """AG-UI RunAgentInput. The last user message is stored and becomes the run."""

    threadId = serializers.CharField(required=False)
    runId = serializers.CharField(required=False)
    parentRunId = serializers.CharField(required=False)
    protocolVersion = serializers.CharField(required=False)
    messages = serializers.ListField(child=serializers.DictField(), required=False)
    state = JsonValue(required=False)
    tools = serializers.ListField(child=serializers.DictField(), required=False)
    context = serializers.ListField(  # type: ignore[assignment]
        child=serializers.DictField(), required=False
    )
    forwardedProps = JsonValue(required=False)
    resume = serializers.ListField(child=serializers.DictField(), required=False)


def _list_of_objects(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise MalformedRequest(f"Invalid request format: {name} must be an array of objects")
    return value


def _text(body: dict[str, Any], *names: str, limit: int = MAX_ID) -> str | None:
    """A short text under the first name that is there."""
    for name in names:
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise MalformedRequest(f"Invalid request format: {name} must be a string")
        if not value or len(value) > limit:
            raise InvalidField(f"{name} must have 1 to {limit} characters")
        return value
    return None


def message_text(message: dict[str, Any]) -> str:
    """The text of an AG-UI user message; parts that are not text cannot be taken."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = []
        for part in content:
            if (
                not isinstance(part, dict)
                or part.get("type") != "text"
                or not isinstance(part.get("text"), str)
            ):
                raise InvalidField("messages: only text can be sent to this agent")
            texts.append(part["text"])
        return "\n".join(texts)
    raise InvalidField("messages: content must be a text or an array of parts")


def parse_run_input(body: dict[str, Any], session_id: str) -> AguiRun:
    """What the platform acts on in a RunAgentInput; the rest is passed on to the agent."""
    thread = _text(body, "threadId", "thread_id", limit=MAX_CLIENT_ID)
    if thread not in (None, session_id):
        raise InvalidField(f"threadId must be the session's id, {session_id}")
    messages = _list_of_objects(body, "messages")
    resume = [_resume_entry(entry) for entry in _list_of_objects(body, "resume")]
    last = messages[-1] if messages and messages[-1].get("role") == "user" else None
    extra = {name: body[name] for name in ("state", "forwardedProps") if body.get(name) is not None}
    for name in ("tools", "context"):
        if body.get(name) is not None:
            extra[name] = _list_of_objects(body, name)
    parent = _text(body, "parentRunId", "parent_run_id")
    if parent is not None:
        extra["parentRunId"] = parent
    return AguiRun(
        run_id=_text(body, "runId", "run_id"),
        text=None if last is None else message_text(last),
        client_id=None if last is None else _text(last, "id", limit=MAX_CLIENT_ID),
        extra=extra,
        resume=resume,
    )


def _resume_entry(entry: dict[str, Any]) -> ResumeEntry:
    interrupt_id = _text(entry, "interruptId", "interrupt_id", limit=MAX_CLIENT_ID)
    if interrupt_id is None:
        raise InvalidField("resume: interruptId is missing")
    status = entry.get("status")
    if status not in ("resolved", "cancelled"):
        raise InvalidField("resume: status must be resolved or cancelled")
    return ResumeEntry(interrupt_id, status, entry.get("payload", NO_PAYLOAD))


def _moment(params: Any, name: str) -> datetime.datetime | None:
    text = params.get(name)
    if not text:
        return None
    try:
        value = datetime.datetime.fromisoformat(text)
    except ValueError as exc:
        raise BadRequest(f"{name} must be a time as RFC 3339 has it") from exc
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)


def parse_history(params: Any) -> Wanted:
    """The query of an event history; BadRequest for what cannot be read."""
    limit = params.get("limit") or str(DEFAULT_LIMIT)
    if not (limit.isascii() and limit.isdigit() and len(limit) < 10):
        raise BadRequest("limit must be a number")
    return Wanted(
        after_seq=number(params.get("after_seq")) or 0,
        event_type=params.get("event_type") or None,
        start_time=_moment(params, "start_time"),
        end_time=_moment(params, "end_time"),
        limit=min(max(int(limit), 1), MAX_LIMIT),
    )


class StoredEventSerializer(serializers.Serializer):
    """One stored AG-UI event."""

    seq = serializers.IntegerField(read_only=True)
    run_id = serializers.CharField(read_only=True)
    type = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    event = serializers.DictField(read_only=True, help_text="The event as it was sent.")


class StoredEventListSerializer(serializers.Serializer):
    """Stored events in order."""

    kind = serializers.CharField(read_only=True)
    page = serializers.IntegerField(read_only=True)
    size = serializers.IntegerField(read_only=True)
    total = serializers.IntegerField(
        read_only=True, help_text="At least so many; exact when next_after_seq is absent."
    )
    items = StoredEventSerializer(many=True, read_only=True)
    next_after_seq = serializers.IntegerField(
        required=False, help_text="There may be more: ask again with this after_seq."
    )


def text_field(body: Mapping[str, Any], name: str, default: str | None = None) -> str | None:
    """A string of a body; another type is a malformed request."""
    value = body.get(name, default)
    if value is not None and not isinstance(value, str):
        raise MalformedRequest(f"Invalid request format: {name} must be a string")
    return value
