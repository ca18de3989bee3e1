"""Parts of Celery that we want otherwise: waiting for a lost broker, words at the end, beat's signals."""

from typing import Any

import structlog
from celery import bootsteps
from celery.apps.beat import Beat
from celery.apps.worker import Worker, install_worker_term_handler  # type: ignore[attr-defined]
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown

from ambient.common import pulse

LONGEST_WAIT_SECONDS = 2.0
log = structlog.get_logger(__name__)


def ensure_connected(connection: Any, *, callback: Any = None) -> Any:
    """Connect to the broker, trying for ever, at most 2 s between tries.

    Celery's own wait grows to half a minute, and a returned broker would idle.
    """

    def on_error(exc: Exception, interval: float) -> None:
        pulse.touch()
        log.warning("broker is away", error=type(exc).__name__, next_try_seconds=interval)

    connection._ensure_connection(
        on_error,
        None,
        interval_start=0.5,
        interval_step=0.5,
        interval_max=LONGEST_WAIT_SECONDS,
        callback=callback,
    )
    return connection


class PatientConsumer(Consumer):
    """Celery's consumer with the capped wait."""

    def ensure_connected(self, conn: Any) -> Any:
        ensure_connected(conn, callback=maybe_shutdown)
        self.first_connection_attempt = False
        return conn


class Pulse(bootsteps.StartStopStep):
    """The worker's sign of life, as long as its main loop turns. A lost broker starts the step anew."""

    def start(self, consumer: Any) -> None:
        consumer.timer.call_repeatedly(pulse.EVERY_SECONDS, pulse.touch)


class QuietWorker(Worker):
    """Celery's worker without the lines that it prints past the log at SIGTERM."""

    def install_platform_tweaks(self, worker: Any) -> None:
        super().install_platform_tweaks(worker)
        install_worker_term_handler(worker, verbose=False)


class PromptBeat(Beat):
    """Celery's beat, which keeps the handlers of its signals: there is no schedule to save."""

    def install_sync_handler(self, service: Any) -> None:
        """Leave SIGTERM and SIGINT as they are."""


def log_end(**kwargs: Any) -> None:
    """Told by Celery's `worker_shutdown`, outside the signal handler, where logging is not safe."""
    log.info("worker has stopped")
