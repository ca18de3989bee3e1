"""What a runner said last, as one sentence that a person can read in a status: pure."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

LONGEST = 300
MESSAGES = 20  # how far back an error is looked for
TRACEBACK = "Traceback (most recent call last):"
ERRORS = ("error", "critical", "fatal", "exception")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd\s]+")
_CUT_MESSAGE = re.compile(r'"(?:event|message)"\s*:\s*"((?:[^"\\]|\\.)*)')

Hide = Callable[[str], str]
Said = tuple[str, bool]  # a message, and whether it tells of an error


def last_words(log: bytes, hide: Hide) -> str:
    """The last error among the last messages of a log, else the last message, else nothing.

    `hide` takes out secrets. It is asked before anything is cut, so that no part of a secret is left.
    """
    lines = hide(log.decode(errors="replace")).split("\n")
    said = [(text, error) for text, error in _messages(lines, hide) if text][-MESSAGES:]
    errors = [text for text, error in said if error]
    text = errors[-1] if errors else said[-1][0] if said else ""
    if text and text[-1] not in ".!?…":
        text = f"{text}."
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def _messages(lines: list[str], hide: Hide) -> Iterator[Said]:
    """The log's messages in order; of a traceback only the line that names the exception."""
    in_traceback = False
    for line in lines:
        if line.startswith(TRACEBACK):
            in_traceback = True
        elif in_traceback and (not line.strip() or line[0].isspace()):
            continue
        elif in_traceback:
            in_traceback = False
            yield _plain(line), True
        elif line.lstrip().startswith("{"):
            yield _of_json(line, hide)
        else:
            yield _plain(line), False


def _of_json(line: str, hide: Hide) -> Said:
    """The message of a structured line, with its exception; nothing when it has none."""
    try:
        entry: Any = json.loads(line)
    except ValueError:  # cut off when the runner died, or only looks like JSON
        if not line.lstrip().startswith('{"'):
            return _plain(line), False
        cut = _CUT_MESSAGE.search(line)
        return _plain(hide(_unescaped(cut.group(1)))) if cut else "", False
    except RecursionError:
        return "", False
    texts = [entry.get("event") or entry.get("message"), entry.get("exception")]
    message, exception = (_plain(hide(text)) if isinstance(text, str) else "" for text in texts)
    if exception:
        exception = _plain(hide(texts[1]).strip().rsplit("\n", 1)[-1])
    error = bool(exception) or str(entry.get("level", "")).lower() in ERRORS
    return ": ".join(text for text in (message, exception) if text), error


def _unescaped(inside: str) -> str:
    """The text of a JSON string that may end in the middle of an escape."""
    try:
        return str(json.loads(f'"{inside}"', strict=False))
    except ValueError:
        return inside


def _plain(text: str) -> str:
    """One line without colours, control characters and doubled spaces."""
    return _UNPRINTABLE.sub(" ", _COLOURS.sub("", text)).strip()
