"""A fault at one statement of a call, and the whole database as one value to compare before and after."""

import contextlib
import functools
from collections.abc import Iterator

from django.db import OperationalError, connection


class Injected(OperationalError):
    """The fault. It has no deadlock as its cause, so nothing tries again."""


class Statements:
    """Wrapper of the connection: keeps what is executed, and fails once, before or after the named one."""

    def __init__(self, fail_at: int = 0, *, after: bool = False):
        self.fail_at, self.after = fail_at, after
        self.texts: list[str] = []

    def __call__(self, execute, sql, params, many, context):
        self.texts.append(str(sql))
        fails = len(self.texts) == self.fail_at
        if fails and not self.after:
            raise Injected("before")
        result = execute(sql, params, many, context)
        if fails:
            raise Injected("after")
        return result

    @property
    def place(self) -> str:
        """What failed, for the message of an assertion."""
        if not self.fail_at:
            return "at the commit"
        return f"{'after' if self.after else 'before'} statement {self.fail_at}: {self.texts[-1][:200]}"


def is_faulted(call, statements: Statements) -> bool:
    """Call it with the fault; whether the fault came out of it. Anything else that it raises is raised."""
    try:
        with connection.execute_wrapper(statements):
            call()
    except Injected:
        return True
    return False


@contextlib.contextmanager
def failing_commit(monkeypatch) -> Iterator[None]:
    """No transaction is committed in here."""

    def fail():
        raise Injected("commit")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "_commit", fail)
        yield


@functools.cache
def _everything() -> str:
    rows = "SELECT '{0}', ARRAY(SELECT t::text FROM \"{0}\" t ORDER BY 1)"
    return " UNION ALL ".join(rows.format(name) for name in sorted(connection.introspection.table_names()))


def snapshot() -> dict[str, list[str]]:
    """Every row of every table: histories, grants, kept counts and work items as much as the rest."""
    with connection.cursor() as cursor:
        cursor.execute(_everything())
        return dict(cursor.fetchall())


def changed_since(before: dict[str, list[str]]) -> dict[str, tuple[list[str], list[str]]]:
    """Table -> rows that are gone, rows that are new. Empty when nothing has changed."""
    now = snapshot()
    return {
        name: (sorted(set(before[name]) - set(now[name])), sorted(set(now[name]) - set(before[name])))
        for name in before
        if before[name] != now[name]
    }
