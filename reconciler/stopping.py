"""Whether this worker is shutting down. Shared with forked pool processes, which get no signal of it."""

import multiprocessing

_event = multiprocessing.Event()


def stopping() -> bool:
    """No new pass should be begun."""
    return _event.is_set()


def begin_stopping(*args: object, **kwargs: object) -> None:
    """Told by Celery's `worker_shutting_down` in the parent process."""
    _event.set()
