"""What the demo agent keeps on disk, so that an answer still finds its question after a restart."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

LONGEST_MESSAGE = 16 * 1024
MOST_MESSAGES = 400
MOST_SETTLED = 200


@dataclass
class OpenQuestion:
    """One interrupt and what became of it.

    open -> taken -> done, or open -> dropped (abandoned, or the conversation went on without an answer).
    `taken` is stored before an approved command starts, so a restart never runs it again.
    """

    id: str
    run: str
    kind: Literal["question", "approval"]
    text: str
    tool_call_id: str | None = None
    status: Literal["open", "taken", "done", "dropped"] = "open"
    result: str | None = None


@dataclass
class Memory:
    """The file `.ambient/demo.json` of a workspace."""

    path: Path
    questions: dict[str, OpenQuestion] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def load(cls, workspace: Path) -> "Memory":
        """Read it; no file is an empty memory."""
        path = workspace / ".ambient" / "demo.json"
        try:
            data = json.loads(path.read_text())
        except FileNotFoundError:
            return cls(path)
        questions = {item["id"]: OpenQuestion(**item) for item in data["questions"]}
        return cls(path, questions, data["messages"])

    def save(self) -> None:
        """Write it so that a crash leaves the old or the new file, never half of one."""
        settled = [item for item in self.questions.values() if item.status != "open"][:-MOST_SETTLED]
        for item in settled:
            del self.questions[item.id]
        data = {"questions": [asdict(item) for item in self.questions.values()], "messages": self.messages}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        parts = self.path.with_suffix(".new")
        with parts.open("w") as file:
            json.dump(data, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(parts, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def open_questions(self) -> list[OpenQuestion]:
        """Interrupts without an answer."""
        return [item for item in self.questions.values() if item.status == "open"]

    def drop_open(self) -> None:
        """The conversation went on: the platform, which knows what is open, sent something else."""
        for item in self.open_questions():
            item.status = "dropped"

    def remember(self, messages: list[dict[str, Any]]) -> None:
        """Add messages to the conversation; a known id is replaced in its place."""
        places = {message["id"]: place for place, message in enumerate(self.messages)}
        for message in map(_bounded, messages):
            if message["id"] in places:
                self.messages[places[message["id"]]] = message
            else:
                places[message["id"]] = len(self.messages)
                self.messages.append(message)
        del self.messages[:-MOST_MESSAGES]


def _bounded(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    if isinstance(content, str) and len(content) > LONGEST_MESSAGE:
        return message | {"content": f"{content[:LONGEST_MESSAGE]}\n[cut]"}
    return message
