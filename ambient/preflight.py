"""`python -m ambient.preflight`: can the platform start with these settings? Says no in one line.

A program of its own, since settings are read once, from the environment of the process.
"""

import os
import sys

from django.core.exceptions import ImproperlyConfigured

WRONG_SETTING = 78  # EX_CONFIG
CONNECT_SECONDS = 5


class WrongSetting(Exception):
    """A setting that cannot be used; the message begins with its name."""


def check() -> None:
    """Read every setting, and ask the servers that were given."""
    try:
        from ambient import env
    except ImproperlyConfigured as exc:
        raise WrongSetting(str(exc)) from exc
    if os.environ.get("DATABASE_URL"):
        ask_database("DATABASE_URL", env.DATABASE_URL)
        if env.DATABASE_DIRECT_URL != env.DATABASE_URL:
            ask_database("DATABASE_DIRECT_URL", env.DATABASE_DIRECT_URL)
    if os.environ.get("REDIS_URL"):
        ask_redis("REDIS_URL", env.REDIS_URL)


def ask_database(name: str, url: str) -> None:
    """Sign in to PostgreSQL."""
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=CONNECT_SECONDS).close()
    except psycopg.Error as exc:
        raise WrongSetting(f"{name}: {_first_line(exc)}") from exc


def ask_redis(name: str, url: str) -> None:
    """Sign in to the Redis protocol server."""
    import redis

    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=CONNECT_SECONDS
        ) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as exc:
        raise WrongSetting(f"{name}: {_first_line(exc)}") from exc


def _first_line(exc: Exception) -> str:
    return (str(exc).strip() or type(exc).__name__).splitlines()[0]


def main() -> int:
    """Exit code 78 and one line on standard error for a setting that cannot be used."""
    try:
        check()
    except WrongSetting as exc:
        sys.stderr.write(f"{exc}\n")
        return WRONG_SETTING
    return 0


if __name__ == "__main__":
    sys.exit(main())
