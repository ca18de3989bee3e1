"""What the runner host saw becomes due work. One thread has the database connection."""

import threading

import structlog
from django.db import DatabaseError, close_old_connections, connections

from reconciler.wake import wake
from reconciler.workqueue import seen

RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Sightings:
    """Takes session ids from the event loop and writes them down."""

    def __init__(self) -> None:
        self._pending: dict[str, str] = {}
        self._condition = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="sightings", daemon=True)

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()

    def add(self, session: str, project: str) -> None:
        """Something about the session has changed. Returns at once."""
        with self._condition:
            self._pending[session] = project
            self._condition.notify()

    def close(self) -> None:
        """Stop; what is pending may be lost, the sweep finds it."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        try:
            while True:
                with self._condition:
                    self._condition.wait_for(lambda: self._pending or self._closed)
                    if self._closed:
                        return
                    batch, self._pending = self._pending, {}
                self._write(batch)
        finally:
            connections.close_all()

    def _write(self, batch: dict[str, str]) -> None:
        left = dict(batch)
        try:
            close_old_connections()
            for session, project in batch.items():
                seen("session", session, project)
                del left[session]
        except DatabaseError as exc:
            log.warning("sightings wait for the database", error=type(exc).__name__, sessions=len(left))
            connections.close_all()
            with self._condition:
                self._pending = left | self._pending
                self._condition.wait_for(lambda: self._closed, timeout=RETRY_SECONDS)
            return
        wake()
