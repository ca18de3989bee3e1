"""A fake of Anthropic's Messages API: no network, no key, no chance.

The prompt says what the model does, so that one server fits every test and keeps no state between requests:
the answer follows from the conversation in the request alone. `python tests/fakes/anthropic_api.py --port 0`
prints its address and serves until it is ended; tests start `FakeApi` in a thread.
"""

import argparse
import json
import re
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Block = dict[str, Any]
Turn = list[Block]
REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
WANTED = re.compile(r"AskUserQuestion to ask me exactly this: (.+?\?)")
AGAIN = re.compile(r"not run yet: (\w+) (\{.*\})\. Make exactly this call again", re.DOTALL)
OWN_WORDS = ("Continue from where you left off.", "[Request interrupted by user")  # of the program
COMMAND = re.compile(r"do ([a-z]+)(?:: *(.*))?\Z", re.DOTALL)
USAGE = {"input_tokens": 120, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 10}


@dataclass
class Conversation:
    """What a request says: the newest prompt, and the tool results that came after it."""

    prompt: str
    turns: int
    results: list[str]
    earlier: list[str]

    @classmethod
    def of(cls, messages: list[dict[str, Any]]) -> "Conversation":
        prompt, turns, results, earlier = "", 0, [], []
        for message in messages:
            if message["role"] == "assistant":
                turns += 1
            elif message["role"] == "user":
                found, answers = _said(message["content"])
                results += answers
                if found:
                    earlier += [prompt] if prompt else []
                    prompt, turns, results = found, 0, []
        return cls(prompt, turns, results, earlier)

    @property
    def last(self) -> str:
        return self.results[-1] if self.results else ""


def _said(content: Any) -> tuple[str, list[str]]:
    """The person's text and the tool results of one user message."""
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    texts = [REMINDER.sub("", block["text"]).strip() for block in blocks if block["type"] == "text"]
    results = [_text(block.get("content")) for block in blocks if block["type"] == "tool_result"]
    said = [text for text in texts if text and not text.startswith(OWN_WORDS)]
    # Messages that got no answer stand before the newest in one message.
    return (said[-1] if said else ""), results


def _text(content: Any) -> str:
    if isinstance(content, str):
        return REMINDER.sub("", content).strip()
    return "\n".join(block.get("text", "") for block in content or [] if isinstance(block, dict))


def say(text: str) -> Block:
    return {"type": "text", "text": text}


def use(tool: str, **arguments: Any) -> Block:
    return {"type": "tool_use", "name": tool, "input": arguments}


def think(text: str) -> Block:
    return {"type": "thinking", "thinking": text, "signature": "c2lnbmF0dXJl"}


# A behaviour gives the turns of one prompt; a turn may be made from what the tools answered so far.
Behaviour = Callable[[str, Conversation], list[Turn]]


def bash(text: str, seen: Conversation) -> list[Turn]:
    """One command, then what came of it."""
    return [
        [say("I run a command."), use("Bash", command=text, description="Run it")],
        [say(f"Result: {seen.last}")],
    ]


def twice(text: str, seen: Conversation) -> list[Turn]:
    """The same command two times, one after the other."""
    call = use("Bash", command=text, description="Run it")
    return [[call], [dict(call)], [say(f"Results: {seen.results}")]]


def parallel(text: str, seen: Conversation) -> list[Turn]:
    """Two commands in one turn."""
    first, second = text.split(" && ")
    calls = [use("Bash", command=command, description="Run it") for command in (first, second)]
    return [calls, [say(f"Results: {seen.results}")]]


def thinking(text: str, seen: Conversation) -> list[Turn]:
    """A thought, then a text."""
    return [[think(f"They said {text!r}. I answer."), say(f"I thought about {text}.")]]


def plan(text: str, seen: Conversation) -> list[Turn]:
    """A plan that is worked off."""
    titles = ("Look", "Write")

    def todos(done: int) -> list[dict[str, str]]:
        states = ["completed"] * done + ["in_progress"] + ["pending"] * len(titles)
        return [
            {"content": title, "status": state, "activeForm": f"{title}ing"}
            for title, state in zip(titles, states, strict=False)
        ]

    return [*[[use("TodoWrite", todos=todos(done))] for done in range(3)], [say("The plan is done.")]]


def agent(text: str, seen: Conversation) -> list[Turn]:
    """A sub-agent that gets the rest of the text as its prompt."""
    call = use("Agent", description="Help me", prompt=text, subagent_type="general-purpose")
    return [[say("I ask a helper."), call], [say(f"The helper said: {seen.last}")]]


def ask(text: str, seen: Conversation) -> list[Turn]:
    """A question with two choices."""
    options = [{"label": label, "description": f"Take {label}"} for label in ("Red", "Blue")]
    question = {"question": text, "header": "Choice", "options": options, "multiSelect": False}
    return [[use("AskUserQuestion", questions=[question])], [say(f"You answered: {seen.last}")]]


def slow(text: str, seen: Conversation) -> list[Turn]:
    """A text of many words, with a pause before each."""
    return [[{"type": "text", "text": "tick " * int(text or 50), "pause": 0.1}]]


def recall(text: str, seen: Conversation) -> list[Turn]:
    """Says what was asked before: proof that the conversation was resumed."""
    return [[say(f"Before, you said: {seen.earlier}")]]


def report(text: str, seen: Conversation) -> list[Turn]:
    """The demo's work: look, write a report, commit it."""
    body = "# Report\n\nWhat was asked: a report.\n\nWhat was found: a small sample repository.\n"
    commit = "git add -f REPORT.md && git commit --quiet -m Report && git rev-parse --short HEAD"
    steps = ("Look at the repository", "Write the report", "Commit it")

    def todos(current: int) -> Block:
        states = [
            "completed" if n < current else "in_progress" if n == current else "pending" for n in range(3)
        ]
        rows = zip(steps, states, strict=True)
        return use("TodoWrite", todos=[{"content": s, "status": t, "activeForm": s} for s, t in rows])

    return [
        [think("First I look around, then I write."), say("I will look and write a report."), todos(0)],
        [use("Bash", command="ls -la && git log --oneline -3", description="Look around")],
        [todos(1)],
        [use("Bash", command=f"printf %s {shlex.quote(body)} > REPORT.md", description="Write the report")],
        [todos(2)],
        [use("Bash", command=commit, description="Commit the report")],
        [todos(3)],
        [say(f"The report is in REPORT.md, committed as {' '.join(seen.results[-2:-1])}.")],
    ]


BEHAVIOURS: dict[str, Behaviour] = {
    "bash": bash,
    "twice": twice,
    "parallel": parallel,
    "think": thinking,
    "plan": plan,
    "agent": agent,
    "ask": ask,
    "slow": slow,
    "report": report,
    "recall": recall,
}


def answer(messages: list[dict[str, Any]]) -> Turn:
    """The model's next turn."""
    seen = Conversation.of(messages)
    found = COMMAND.match(seen.prompt)
    behaviour = BEHAVIOURS.get(found[1]) if found else None
    if found and behaviour:
        turns = behaviour((found[2] or "").strip(), seen)
    elif told := AGAIN.search(seen.prompt):
        turns = [[use(told[1], **json.loads(told[2]))], [say(f"Made again: {seen.last}")]]
    elif question := WANTED.search(seen.prompt):
        turns = ask(question[1], seen)
    elif "REPORT.md" in seen.prompt:
        turns = report(seen.prompt, seen)
    else:
        turns = [[say(f"You said: {seen.prompt}")]]
    return turns[seen.turns] if seen.turns < len(turns) else [say("Done.")]


def sse_of(turn: Turn, model: str, number: int) -> Iterator[tuple[str, dict[str, Any], float]]:
    """The turn as the events of the API, with the pause before each."""
    message = {
        "id": f"msg_{number:06}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
    }
    start = message | {"stop_reason": None, "stop_sequence": None, "usage": USAGE | {"output_tokens": 1}}
    yield "message_start", {"message": start}, 0
    for index, block in enumerate(turn):
        empty, deltas = _pieces(block, f"toolu_{number:06}_{index}")
        yield "content_block_start", {"index": index, "content_block": empty}, 0
        for delta in deltas:
            yield "content_block_delta", {"index": index, "delta": delta}, block.get("pause", 0)
        yield "content_block_stop", {"index": index}, 0
    reason = "tool_use" if any(block["type"] == "tool_use" for block in turn) else "end_turn"
    delta = {"stop_reason": reason, "stop_sequence": None}
    yield "message_delta", {"delta": delta, "usage": USAGE | {"output_tokens": 25}}, 0
    yield "message_stop", {}, 0


def _pieces(block: Block, tool_id: str) -> tuple[Block, list[dict[str, Any]]]:
    match block["type"]:
        case "text":
            words = re.findall(r"\S+\s*|\s+", block["text"])
            return {"type": "text", "text": ""}, [{"type": "text_delta", "text": word} for word in words]
        case "thinking":
            thoughts = [
                {"type": "thinking_delta", "thinking": part}
                for part in re.findall(r".{1,12}", block["thinking"])
            ]
            signature = {"type": "signature_delta", "signature": block["signature"]}
            return {"type": "thinking", "thinking": "", "signature": ""}, [*thoughts, signature]
        case _:
            text = json.dumps(block["input"])
            parts = [text[at : at + 20] for at in range(0, len(text), 20)]
            empty = {"type": "tool_use", "id": tool_id, "name": block["name"], "input": {}}
            return empty, [{"type": "input_json_delta", "partial_json": part} for part in parts]


class FakeApi(ThreadingHTTPServer):
    """The server. `failures` holds HTTP status codes that answer the next requests."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Requests)
        self.requests: list[dict[str, Any]] = []
        self.failures: list[int] = []
        self._numbers = iter(range(1, 1_000_000))
        self._prefix = int(time.time()) % 100_000 * 1_000_000
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def number(self) -> int:
        """For ids that no request had before, also not one to an earlier fake."""
        with self._lock:
            return self._prefix + next(self._numbers)


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeApi

    def do_GET(self) -> None:
        self._json(200, {})

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "count_tokens" in self.path:
            self._json(200, {"input_tokens": 100})
            return
        self.server.requests.append(body | {"key": self.headers.get("x-api-key")})
        if self.server.failures:
            status = self.server.failures.pop(0)
            kind = {401: "authentication_error", 529: "overloaded_error"}.get(status, "api_error")
            self._json(status, {"type": "error", "error": {"type": kind, "message": f"fake {status}"}})
            return
        self._stream(body)

    def _stream(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for kind, data, pause in sse_of(answer(body["messages"]), body["model"], self.server.number()):
                time.sleep(pause)
                text = f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n"
                self.wfile.write(text.encode())
                self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            return  # the agent was interrupted

    def _json(self, status: int, data: dict[str, Any]) -> None:
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def main() -> None:
    """Serve until ended; the first line of output is the address."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    server = FakeApi(parser.parse_args().port)
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
