"""`manage.py beat`: the schedule. A second one idles until the first is gone."""

import os
import threading
import time
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.core.management.base import BaseCommand

from ambient import env
from ambient.celery import app
from ambient.common import pulse
from reconciler.celery_parts import PromptBeat
from reconciler.management.process import become, end_at_once_on_signal
from reconciler.watcher import connect

LOCK = 0x616D626265617401  # "ambbeat", 1
LOOK_SECONDS = 2.0
LOST = 75  # EX_TEMPFAIL: the supervisor starts us again

log = structlog.get_logger(__name__)


def take_turn(url: str) -> psycopg.Connection:
    """A connection that holds the lock; waits for the database and for the beat that has it."""
    while True:
        try:
            connection = connect(url, name="ambient-beat")
            try:
                wait_for_turn(connection)
            except psycopg.Error:
                connection.close()
                raise
        except psycopg.Error as exc:
            log.warning("database is away", error=str(exc).strip())
            pulse.touch()
            time.sleep(LOOK_SECONDS)
        else:
            return connection


def wait_for_turn(connection: psycopg.Connection) -> None:
    """Return once this process holds the lock."""
    told = False
    while True:
        pulse.touch()
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
        if row is not None and row[0]:
            return
        if not told:
            log.info("another beat is at work, waiting")
            told = True
        time.sleep(LOOK_SECONDS)


def guard_turn(connection: psycopg.Connection) -> None:
    """End the process when the lock's connection is lost: another beat may have it by then."""
    while True:
        time.sleep(LOOK_SECONDS)
        try:
            connection.execute("SELECT 1")
        except psycopg.Error as exc:
            log.error("lost the lock's connection", error=type(exc).__name__)
            os._exit(LOST)


class Command(BaseCommand):
    help = "Send the regular tasks. Only one of several does it at a time."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        become("beat")
        end_at_once_on_signal()
        app.Beat = app.subclass_with_self(PromptBeat)  # type: ignore[misc]  # a cached property
        with take_turn(settings.DATABASE_DIRECT_URL) as connection:
            threading.Thread(target=guard_turn, args=[connection], name="beat-lock", daemon=True).start()
            log.info("beat is at work")
            app.Beat(loglevel=env.LOG_LEVEL, quiet=True).run()
