"""The Celery app: it carries "look now" to the workers, nothing else (docs/reconciling.md)."""

import os

from celery import Celery
from celery.signals import setup_logging, worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ambient.settings")
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")  # they would load every route; migration and tests run them

from ambient import env

QUEUE = "ambient"

app = Celery("ambient", broker=env.REDIS_URL)
app.conf.update(
    task_default_queue=QUEUE,
    task_ignore_result=True,
    task_acks_late=False,  # a lost message costs one poll; the rows are the truth
    task_soft_time_limit=60,
    task_time_limit=90,
    task_store_errors_even_if_ignored=False,
    worker_concurrency=env.WORKER_CONCURRENCY,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "socket_keepalive": True,
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
        "health_check_interval": 5,
        "global_keyprefix": "ambient:",
    },
    broker_pool_limit=4,
    # No `expires`: the worker's clock would decide, and the queue is kept short by its length.
    beat_schedule={
        "work": {"task": "reconciler.tasks.work", "schedule": 2.0},
        "resync": {"task": "reconciler.tasks.request_resync", "schedule": env.RESYNC_SECONDS},
        "tidy events": {"task": "sessions_app.tasks.tidy_events", "schedule": 60.0},
        "tidy snapshots": {"task": "sessions_app.tasks.tidy_snapshots", "schedule": 60.0},
    },
    beat_scheduler="reconciler.beat:HintScheduler",
)
app.autodiscover_tasks(["reconciler", "sessions_app"])


@setup_logging.connect
def _keep_our_logging(**kwargs: object) -> None:
    """Logging is configured by Django's settings; Celery must not replace it."""


@worker_process_init.connect
def _fresh_connections(**kwargs: object) -> None:
    """A forked child must not share the parent's database sockets."""
    from django.db import connections

    connections.close_all()
