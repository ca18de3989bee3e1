"""PostgreSQL and Valkey together: started for a home, and found again by commands in another terminal."""

import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from ambient.embedded.errors import EmbeddedError
from ambient.embedded.home import Home, HomeLock, write_private
from ambient.embedded.postgres import SOCKET_NAME, PostgresServer
from ambient.embedded.valkey import ValkeyServer

LOCK = "services"
FILE = "services.json"


@dataclass
class Services:
    """Where the database and the Redis protocol server are, embedded or given; `stop` ends ours."""

    database_url: str
    redis_url: str
    home: Home
    direct_url: str = ""
    postgres: PostgresServer | None = None
    valkey: ValkeyServer | None = None
    _lock: HomeLock | None = field(default=None, repr=False)

    def environment(self) -> dict[str, str]:
        """The variables that make the platform use these services."""
        return {
            "AMBIENT_HOME": str(self.home),
            "DATABASE_URL": self.database_url,
            "DATABASE_DIRECT_URL": self.direct_url or self.database_url,
            "REDIS_URL": self.redis_url,
        }

    def stop(self) -> None:
        """End what was started here; a second call does nothing."""
        try:
            if self._lock is not None:
                (self.home.path / FILE).unlink(missing_ok=True)
        finally:
            try:
                if self.valkey is not None:
                    self.valkey.stop()
            finally:
                if self.postgres is not None:
                    self.postgres.stop()
                if self._lock is not None:
                    self._lock.release()
                    self._lock = None


def start_services(home: Home, *, throwaway: bool = False, env: Mapping[str, str] | None = None) -> Services:
    """Start what DATABASE_URL and REDIS_URL do not already name, and write `services.json`."""
    env = os.environ if env is None else env
    services = Services(
        database_url=env.get("DATABASE_URL", ""),
        redis_url=env.get("REDIS_URL", ""),
        home=home,
        direct_url=env.get("DATABASE_DIRECT_URL", "") if env.get("DATABASE_URL") else "",
    )
    if services.database_url and services.redis_url:
        return services
    if sys.platform != "linux":
        raise EmbeddedError("the embedded servers run on Linux only: set DATABASE_URL and REDIS_URL")
    services._lock = home.lock(LOCK, what="an embedded PostgreSQL or Valkey")
    served: dict[str, str] = {}
    try:
        if not services.redis_url:
            services.valkey = ValkeyServer(home)
            services.valkey.start()
            served["redis_url"] = services.redis_url = services.valkey.url
        if not services.database_url:
            services.postgres = PostgresServer(home, throwaway=throwaway)
            services.postgres.start()
            served["database_url"] = services.database_url = services.postgres.url
        write_private(home.path / FILE, json.dumps(served) + "\n")
    except BaseException:
        services.stop()
        raise
    return services


def running_services(home: Home) -> dict[str, str] | None:
    """`database_url` and `redis_url` as far as they are served for this home now, or None."""
    if home.holder(LOCK) is None:
        return None
    try:
        served = {str(name): str(url) for name, url in json.loads((home.path / FILE).read_text()).items()}
    except FileNotFoundError:  # starting or stopping
        return None
    return served if all(_listens(url) for url in served.values()) else None


def _listens(url: str) -> bool:
    """Whether something accepts connections at a URL of ours."""
    parts = urlsplit(url)
    folder = parse_qs(parts.query).get("host", [""])[0]
    address: str | tuple[str, int]
    if folder:
        kind, address = socket.AF_UNIX, f"{folder}/{SOCKET_NAME}"
    else:
        kind, address = socket.AF_INET, (parts.hostname or "", parts.port or 0)
    with socket.socket(kind) as probe:
        probe.settimeout(2)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True
