"""What the runner itself must remember of a session: a list of records in the entry store, folded to a state.

A record is stored before what it speaks of can be seen or done by anybody, so a restart never does it twice.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ambient_runner.entries import EntryStore

KEY = "ambient/journal"
MOST_MESSAGES = 400
LONGEST_MESSAGE = 16 * 1024

Record = dict[str, Any]


@dataclass(frozen=True)
class Decision:
    """What a person answered: go on (perhaps with answers to questions), or not and why."""

    allow: bool
    reason: str = ""
    answers: dict[str, str] | None = None


@dataclass
class Asked:
    """A tool call that waits for a person. open -> decided, or open -> dropped."""

    id: str
    run: str
    call: str
    tool: str
    input: dict[str, Any]
    subagent: str | None = None
    status: Literal["open", "decided", "dropped"] = "open"
    finished: bool = False
    """The call has its result: nothing of it is in doubt."""


@dataclass
class State:
    """The records folded."""

    session: str | None = None
    plan: list[dict[str, str]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    asked: dict[str, Asked] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Fold one more record in. Unknown parts are of a newer runner and are left alone."""
        self.session = record.get("session", self.session)
        self.plan = record.get("plan", self.plan)
        for item in record.get("asked", []):
            self.asked[item["id"]] = Asked(**item)
        for name, status in record.get("settled", {}).items():
            self.asked[name].status = status
        for name in record.get("finished", []):
            self.asked[name].finished = True
        self._remember(record.get("messages", []))

    def open(self) -> list[Asked]:
        """What has no answer."""
        return [item for item in self.asked.values() if item.status == "open"]

    def in_doubt(self) -> list[Asked]:
        """Calls that were asked for and have no result."""
        return [item for item in self.asked.values() if not item.finished]

    def _remember(self, messages: Iterable[dict[str, Any]]) -> None:
        places = {message["id"]: place for place, message in enumerate(self.messages)}
        for message in messages:
            if message["id"] in places:
                self.messages[places[message["id"]]] = message
            else:
                places[message["id"]] = len(self.messages)
                self.messages.append(message)
        del self.messages[:-MOST_MESSAGES]


class Journal:
    """The state, and the records that are not stored yet."""

    def __init__(self, entries: EntryStore) -> None:
        self._entries = entries
        self._unsaved: list[Record] = []
        self.state = State()

    async def load(self) -> None:
        """Read what earlier runners wrote."""
        state = State()
        for text in await self._entries.load(KEY):
            state.take(json.loads(text))
        self.state = state

    def note(self, **record: Any) -> None:
        """Take a record into the state; it is stored with the next save."""
        self.state.take(record)
        self._unsaved.append(record)

    async def save(self) -> None:
        """Store what was noted. Raises EntriesUnavailable and keeps it for the next time."""
        if self._unsaved:
            count = len(self._unsaved)
            await self._entries.append(KEY, [json.dumps(record) for record in self._unsaved[:count]])
            del self._unsaved[:count]


def asked_record(items: Sequence[Asked]) -> list[dict[str, Any]]:
    """The stored form of new questions."""
    return [asdict(item) for item in items]


def bounded(message: dict[str, Any]) -> dict[str, Any]:
    """A message short enough to be kept."""
    content = message.get("content")
    if isinstance(content, str) and len(content) > LONGEST_MESSAGE:
        return message | {"content": f"{content[:LONGEST_MESSAGE]}\n[cut]"}
    return message
