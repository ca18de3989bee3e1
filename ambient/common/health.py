"""Can this process serve? Named checks; other modules register theirs.

PostgreSQL is the truth: without it nobody serves. Redis carries hints, so a process that has reached it goes
on without it, and only says so. One that never has is not ready: a wrong REDIS_URL must not replace those
that serve.
"""

from collections.abc import Callable, Mapping

import redis
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from ambient.common import hints

Check = Callable[[], str | None]
_checks: dict[str, Check] = {}
_dispensable: set[str] = set()


def register(name: str, check: Check) -> None:
    """Add a check to `/readyz`: it returns None when well, else one short sentence. It must not wait long."""
    _checks[name] = check


def not_ready() -> dict[str, str]:
    """What is not ready, by name."""
    return {name: problem for name, check in sorted(_checks.items()) if (problem := check())}


def can_serve(problems: Mapping[str, str]) -> bool:
    """Whether this process serves although these are not ready."""
    return problems.keys() <= _dispensable


def database() -> str | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return "does not answer"
    return None


_migrated = False


def migrations() -> str | None:
    """Asked until it is true once: a running process's database does not lose migrations."""
    global _migrated
    if _migrated:
        return None
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error:
        return "cannot be read"
    _migrated = not missing
    return f"{len(missing)} not applied" if missing else None


def redis_server() -> str | None:
    try:
        hints.client().ping()
    except redis.RedisError:
        return "does not answer"
    _dispensable.add("redis")
    return None


register("database", database)
register("migrations", migrations)
register("redis", redis_server)
