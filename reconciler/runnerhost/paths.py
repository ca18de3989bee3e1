"""Where a home keeps what belongs to its runners."""

import hashlib
import socket
from dataclasses import dataclass
from pathlib import Path

LONGEST_SOCKET_PATH = 107


@dataclass(frozen=True)
class HostPaths:
    """The files of one home."""

    home: Path

    @property
    def lock(self) -> Path:
        return self.home / "runner-host.lock"

    @property
    def socket(self) -> Path:
        return self.home / "runner-host.sock"

    @property
    def address(self) -> Path:
        """Port and secret, where the socket's path would be too long."""
        return self.home / "runner-host.json"

    @property
    def uses_tcp(self) -> bool:
        return len(str(self.socket).encode()) > LONGEST_SOCKET_PATH

    @property
    def sessions(self) -> Path:
        return self.home / "sessions"

    def session(self, pk: str) -> Path:
        """A session's folder. Refuses an id that would leave the place of sessions."""
        if not pk.isalnum():
            raise ValueError("a session id has letters and digits only")
        return self.sessions / pk

    @property
    def mark(self) -> str:
        """What every process of this home's runners carries in its environment."""
        return hashlib.sha256(str(self.home).encode()).hexdigest()[:16]

    @property
    def host_id(self) -> str:
        """Which host a session's row names: the machine and the home, the same after a restart."""
        return f"{socket.gethostname()}:{self.home}"
