"""Messages of the SDK as plain dictionaries, so that everything behind this edge is free of the SDK."""

from typing import Any

from claude_agent_sdk import (
    AssistantMessage,
    ContentBlock,
    MirrorErrorMessage,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    TaskNotificationMessage,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)

Frame = dict[str, Any]


def block(item: ContentBlock) -> Frame:
    """One part of a message; kinds that a client cannot show are named only."""
    match item:
        case TextBlock():
            return {"type": "text", "text": item.text}
        case ThinkingBlock():
            return {"type": "thinking", "thinking": item.thinking, "signature": item.signature}
        case ToolUseBlock():
            return {"type": "tool_use", "id": item.id, "name": item.name, "input": item.input}
        case ToolResultBlock():
            return {
                "type": "tool_result",
                "id": item.tool_use_id,
                "content": item.content,
                "is_error": bool(item.is_error),
            }
        case _:
            return {"type": type(item).__name__}


def frame(message: Any) -> Frame | None:
    """What the translation needs of a message; None for what says nothing to clients."""
    match message:
        case StreamEvent():
            return {"kind": "stream", "parent": message.parent_tool_use_id, "event": message.event}
        case AssistantMessage():
            return {
                "kind": "assistant",
                "parent": message.parent_tool_use_id,
                "id": message.message_id or message.uuid,
                "error": message.error,
                "blocks": [block(item) for item in message.content],
            }
        case UserMessage():
            content = message.content if isinstance(message.content, list) else []
            return {
                "kind": "user",
                "parent": message.parent_tool_use_id,
                "blocks": [block(item) for item in content],
            }
        case ResultMessage():
            return {
                "kind": "result",
                "session": message.session_id,
                "is_error": message.is_error,
                "subtype": message.subtype,
                "text": message.result,
                "errors": message.errors,
                "status": message.api_error_status,
                "turns": message.num_turns,
                "duration_ms": message.duration_ms,
                "cost": message.total_cost_usd,
                "models": message.model_usage or {},
            }
        case MirrorErrorMessage():
            return {"kind": "mirror_error", "error": message.error}
        case TaskNotificationMessage():
            return {"kind": "task", "id": message.tool_use_id, "status": message.status}
        case SystemMessage(subtype="init"):
            return {"kind": "init", "session": message.data["session_id"], "data": message.data}
        case SystemMessage(subtype="api_retry"):
            return {"kind": "retry", "data": message.data}
        case _:
            return None
