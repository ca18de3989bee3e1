"""AG-UI events as lines that people read in a terminal; text is joined until its message ends."""

from collections.abc import Callable, Mapping
from typing import Any

RESULT_LENGTH = 100


class Transcript:
    """Turns events into lines as they come."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._text: dict[str, str] = {}
        self._arguments: dict[str, str] = {}

    def add(self, seq: int, event: Mapping[str, Any]) -> None:
        """The next event. What begun before the first one seen is left out."""
        match event["type"]:
            case "TEXT_MESSAGE_CONTENT":
                key = event.get("messageId", "")
                self._text[key] = self._text.get(key, "") + event["delta"]
            case "TEXT_MESSAGE_END":
                for line in self._text.pop(event.get("messageId", ""), "").strip().splitlines():
                    self.say(f"  agent      {line}")
            case "TOOL_CALL_START":
                self._arguments[event["toolCallId"]] = f"{event['toolCallName']} "
            case "TOOL_CALL_ARGS" if event["toolCallId"] in self._arguments:
                self._arguments[event["toolCallId"]] += event["delta"]
            case "TOOL_CALL_END" if event["toolCallId"] in self._arguments:
                self.say(f"  tool       {self._arguments.pop(event['toolCallId'])}")
            case "TOOL_CALL_RESULT":
                first, *rest = str(event["content"]).splitlines() or [""]
                more = f" (+{len(rest)} lines)" if rest else ""
                self.say(f"  result     {first[:RESULT_LENGTH]}{more}")
            case "STEP_STARTED":
                self.say(f"  step       {event['stepName']}")
            case "RUN_STARTED" | "RUN_FINISHED" | "RUN_ERROR":
                outcome = (event.get("outcome") or {}).get("type", "")
                words = f"{event['type']} {outcome}{event.get('message', '')}"
                self.say(f"  event {seq:<4} {words}".rstrip())
