"""Tokens of the session's credentials for Git, asked for at the platform whenever Git needs one.

Git finds `git_helper.py` by its environment, for the credentials' own hosts alone. The helper asks here, by a
socket that only this user can open. Nothing is kept: no token on disk, in an environment or a command line.
"""

import asyncio
import logging
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ambient_runner import git_helper
from ambient_runner.entries import EntriesRefused, EntriesUnavailable
from ambient_runner.redaction import Redactor

if TYPE_CHECKING:
    from ambient_platform import AsyncAmbientClient

    Call = Callable[[Callable[[AsyncAmbientClient], Awaitable[Any]]], Awaitable[Any]]

PUBLIC = {"github": "https://github.com", "gitlab": "https://gitlab.com"}
SAME_HOST = {"api.github.com": "github.com", "www.github.com": "github.com"}
USERNAMES = {"github": "x-access-token", "gitlab": "oauth2"}
"""Beside a token; GitHub and GitLab ask for these with the tokens of apps, and take any with others."""
QUESTION_SECONDS = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GitHost:
    """Where a credential is for, as Git names it."""

    provider: str
    protocol: str
    host: str

    @classmethod
    def of(cls, provider: str, url: str | None) -> "GitHost | None":
        """The host of a credential with this `url`; None for one that is not for Git."""
        if provider not in PUBLIC:
            return None
        try:
            parts = urlsplit(url or PUBLIC[provider])
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
        name = SAME_HOST.get(parts.hostname, parts.hostname)
        return cls(provider, parts.scheme, (f"[{name}]" if ":" in name else name) + port)


def parsed(question: bytes) -> dict[str, str]:
    """Git's question: lines of `key=value`."""
    lines = question.decode(errors="replace").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def environment(hosts: list[GitHost], socket: Path, present: Mapping[str, str]) -> dict[str, str]:
    """Variables by which Git's programs find the helper, beside what they are told already.

    Other helpers are left out for these hosts: one that stores would write the token to a disk.
    """
    helper = f"!{shlex.join([sys.executable, '-I', git_helper.__file__, str(socket)])}"
    pairs = [
        (f"credential.{host.protocol}://{host.host}.helper", value)
        for host in hosts
        for value in ("", helper)
    ]
    count = present.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isascii() and count.isdigit() else 0
    found = {"GIT_CONFIG_COUNT": str(first + len(pairs))}
    for number, (key, value) in enumerate(pairs, first):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found


class GitCredentials:
    """Answers Git's questions while the runner lives."""

    def __init__(
        self, credentials: Mapping[str, str], urls: Mapping[str, str], call: "Call", redactor: Redactor
    ) -> None:
        """`credentials`: provider to id; `urls`: of those that are not at their provider's public host."""
        hosts = [GitHost.of(provider, urls.get(provider)) for provider in sorted(credentials)]
        self._ids = {host: credentials[host.provider] for host in hosts if host is not None}
        self._call = call
        self._redactor = redactor
        self._folder: Path | None = None
        self._server: asyncio.Server | None = None

    async def start(self) -> dict[str, str]:
        """Begin to answer; returns what Git's programs need in their environment."""
        if not self._ids:
            return {}
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="ambient-git-"))  # mode 0700
            socket = self._folder / "socket"
            self._server = await asyncio.start_unix_server(self._answer, socket)
        except OSError as exc:  # such as a folder for temporary files with too long a name
            log.warning("Git gets no credentials: %s", exc)
            return {}
        return environment(list(self._ids), socket, os.environ)

    def close(self) -> None:
        """Answer nobody any more."""
        if self._server is not None:
            self._server.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(QUESTION_SECONDS):
                question = await reader.read(git_helper.LONGEST)
                while part := await reader.read(git_helper.LONGEST):
                    question = (question + part)[: git_helper.LONGEST]
            for name, value in (await self._found(parsed(question))).items():
                writer.write(f"{name}={value}\n".encode())
            await writer.drain()
        except (OSError, TimeoutError):
            log.info("Git did not wait for its answer")
        finally:
            writer.close()

    async def _found(self, question: Mapping[str, str]) -> dict[str, str]:
        """What Git is told: a user and a token, or nothing."""
        asked = (question.get("protocol"), question.get("host"))
        host = next((each for each in self._ids if (each.protocol, each.host) == asked), None)
        if host is None:
            return {}
        try:
            answer = await self._call(lambda api: api.credentials.token(self._ids[host]))
        except (EntriesRefused, EntriesUnavailable) as exc:
            log.warning("no %s token for Git: %s", host.provider, exc)
            return {}
        token = str(answer.token)
        self._redactor.add([token])
        url = answer.url if isinstance(answer.url, str) else None
        if GitHost.of(host.provider, url) != host or not token.isprintable():
            log.warning("the %s credential is for another host by now", host.provider)
            return {}
        ends = {}
        if isinstance(answer.expires_at, datetime):
            ends["password_expiry_utc"] = str(int(answer.expires_at.timestamp()))
        return {"username": USERNAMES[host.provider], "password": token, **ends}
