"""Lines out of the bytes of a child, and how they look on a terminal."""

import sys
from collections.abc import Iterable, Iterator
from typing import TextIO

MAX_LINE = 64 * 1024
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


class LineSplitter:
    """Cuts bytes into lines; one that grows too long is handed on in pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[str]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace").rstrip("\r")
        while len(self._rest) > MAX_LINE:
            piece, self._rest = self._rest[:MAX_LINE], self._rest[MAX_LINE:]
            yield piece.decode(errors="replace")

    def end(self) -> Iterator[str]:
        """What is left when no more will come."""
        rest, self._rest = self._rest, b""
        if rest:
            yield rest.decode(errors="replace")


class TerminalOutput:
    """Prints lines behind aligned names, coloured on a terminal."""

    def __init__(self, names: Iterable[str], stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._names = list(names)
        self._width = max((len(name) for name in self._names), default=0)
        self._coloured = self._stream.isatty()

    def __call__(self, name: str, line: str) -> None:
        label = f"{name:<{self._width}} |"
        if self._coloured:
            colour = COLOURS[self._names.index(name) % len(COLOURS)] if name in self._names else 37
            label = f"\x1b[{colour}m{label}\x1b[0m"
        self._stream.write(f"{label} {line}\n")
        self._stream.flush()
