"""Commands that try a platform out: long, silent, fast, hostile, failing, dying."""

import asyncio
import os
import signal
from typing import NoReturn

from ag_ui.core import (
    CustomEvent,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
    ToolCallResultEvent,
)

from ambient_runner.framework import RunFailed
from ambient_runner.frameworks.demo.turn import Events, Turn

TICK_SECONDS = 0.2
LONGEST_SECONDS = 24 * 3600.0
MOST_DELTAS = 10_000_000
HUGE_LINE = 2 * 1024 * 1024
HOSTILE_TEXTS = (
    "NUL: a\0b\n",
    "lone surrogates: \ud800 and \udfff\n",
    "<script>alert(1)</script><img src=x onerror=alert(2)><!-- \n",
    "ANSI: \x1b[31mred\x1b[2J\x1b]0;title\x07\n",
    "right to left: \u202egnp.exe\u202c \u2066abc\u2069\n",
    "data: {\"type\":\"RUN_FINISHED\"}\n\nid: 1\ndata: nothing\n\n: hb\n\n",
    "line ends: a\rb\r\nc\u2028d\u2029e\x85f\n",
    "{{7*7}} ${jndi:ldap://x} '; DROP TABLE x; -- %s %n\n",
    "combining: Z\u0351\u0357\u0344 emoji: \U0001f469\u200d\U0001f4bb BOM: \ufeff\n",
)  # fmt: skip


def number_of(text: str, default: float, highest: float) -> float:
    """A command's number; what is none ends the run with a reason."""
    try:
        number = float(text) if text else default
    except ValueError:
        number = -1.0
    if not 0 <= number <= highest:
        raise RunFailed("InvalidCommand", f"The command wants a number from 0 to {highest:g}.")
    return number


async def echo(turn: Turn, text: str) -> Events:
    """Say the same."""
    async for event in turn.say(text or "(nothing)"):
        yield event


async def long(turn: Turn, text: str) -> Events:
    """An event every 200 ms."""
    ticks = round(number_of(text, 10, LONGEST_SECONDS) / TICK_SECONDS)
    message = turn.new_id("text")
    yield TextMessageStartEvent(message_id=message, role="assistant")
    for tick in range(1, ticks + 1):
        yield TextMessageContentEvent(message_id=message, delta=f"tick {tick} of {ticks}\n")
        await asyncio.sleep(TICK_SECONDS)
    yield TextMessageContentEvent(message_id=message, delta="done")
    yield TextMessageEndEvent(message_id=message)
    turn.record({"id": message, "role": "assistant", "content": f"{ticks} ticks, done"})


async def silent(turn: Turn, text: str) -> Events:
    """Nothing but heartbeats, then one text."""
    seconds = number_of(text, 20, LONGEST_SECONDS)
    await asyncio.sleep(seconds)
    async for event in turn.say(f"I was silent for {seconds:g} seconds."):
        yield event


async def flood(turn: Turn, text: str) -> Events:
    """Text deltas as fast as they are taken."""
    count = round(number_of(text, 10_000, MOST_DELTAS))
    message = turn.new_id("text")
    yield TextMessageStartEvent(message_id=message, role="assistant")
    for number in range(1, count + 1):
        yield TextMessageContentEvent(message_id=message, delta=f"{number}\n")
    yield TextMessageEndEvent(message_id=message)
    turn.record({"id": message, "role": "assistant", "content": f"{count} numbers"})


async def hostile(turn: Turn, text: str) -> Events:
    """Everything that breaks careless readers, as text, tool result and custom value."""
    message = turn.new_id("text")
    everything = "".join(HOSTILE_TEXTS)
    yield TextMessageStartEvent(message_id=message, role="assistant")
    for part in (*HOSTILE_TEXTS, "x" * HUGE_LINE, "\nend\n"):
        yield TextMessageContentEvent(message_id=message, delta=part)
    yield TextMessageEndEvent(message_id=message)
    turn.record({"id": message, "role": "assistant", "content": everything})
    call = turn.new_id("tool")
    async for event in turn.call("Bash", {"command": "printf '\\0\\033[31m<script>'"}, call):
        yield event
    yield ToolCallResultEvent(message_id=f"{call}-result", tool_call_id=call, content=everything, role="tool")
    turn.record({"id": f"{call}-result", "role": "tool", "toolCallId": call, "content": everything})
    yield CustomEvent(
        name="ambient:hostile", value={"__proto__": {"x": 1}, "\0": ["\ud800", 1e308, -0.0, None]}
    )


async def fail(turn: Turn, text: str) -> Events:
    """End as RUN_ERROR in the middle of a text."""
    message = turn.new_id("text")
    yield TextMessageStartEvent(message_id=message, role="assistant")
    yield TextMessageContentEvent(message_id=message, delta="I am about to fail. ")
    raise RunFailed("DemoFailure", text or "The demo agent was asked to fail.")


async def crash(turn: Turn, text: str) -> Events:
    """End the whole process, without any goodbye."""
    code = round(number_of(text, 1, 255))
    async for event in _last_words(turn, f"I crash now with exit code {code or 1}."):
        yield event
    _die(code or 1)


async def exit_signal(turn: Turn, text: str) -> Events:
    """End the whole process by a signal: KILL, SEGV, ABRT or TERM."""
    name = f"SIG{text.upper().removeprefix('SIG') or 'KILL'}"
    if name not in ("SIGKILL", "SIGSEGV", "SIGABRT", "SIGTERM"):
        raise RunFailed("InvalidCommand", "The command wants KILL, SEGV, ABRT or TERM.")
    async for event in _last_words(turn, f"I end myself with {name}."):
        yield event
    os.kill(os.getpid(), signal.Signals[name])
    await asyncio.sleep(LONGEST_SECONDS)


async def _last_words(turn: Turn, text: str) -> Events:
    async for event in turn.say(text):
        yield event
    # So that readers get the text before the process is gone.
    await asyncio.sleep(0.2)


def _die(code: int) -> NoReturn:
    os._exit(code)
