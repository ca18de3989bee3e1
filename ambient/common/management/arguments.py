"""Arguments of commands that are checked by the parsers of settings (`ambient.setting_types`)."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def checked(parse: Callable[[str], T]) -> Callable[[str], T]:
    """A parser as the `type` of an argument: its words reach the user, which those of a ValueError do not."""

    def typed(raw: str) -> T:
        try:
            return parse(raw)
        except ValueError as exc:
            raise ArgumentTypeError(str(exc)) from exc

    return typed
