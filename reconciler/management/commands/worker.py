"""`manage.py worker`: a Celery worker that runs the passes."""

import os
import socket
import warnings
from typing import Any

from celery.signals import worker_shutdown, worker_shutting_down
from django.core.management.base import BaseCommand

from ambient import env
from ambient.celery import app
from reconciler.celery_parts import Pulse, QuietWorker, log_end
from reconciler.management.process import become
from reconciler.stopping import begin_stopping


class Command(BaseCommand):
    help = "Run passes. Any number of workers may run."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        become("worker")
        app.conf.worker_consumer = "reconciler.celery_parts:PatientConsumer"
        app.conf.worker_proc_alive_timeout = 30.0
        app.steps["consumer"].add(Pulse)
        app.Worker = app.subclass_with_self(QuietWorker)  # type: ignore[misc]  # a cached property
        worker_shutting_down.connect(begin_stopping)
        worker_shutdown.connect(log_end)
        # Messages carry no pickle and no key, so running as root is no risk of Celery's.
        warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
        app.worker_main(
            [
                "--quiet",  # no banner: the log says what matters
                "worker",
                "--pool=prefork",
                f"--concurrency={env.WORKER_CONCURRENCY}",
                f"--loglevel={env.LOG_LEVEL}",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
                "-n",
                f"worker-{os.getpid()}@{socket.gethostname()}",
            ]
        )
