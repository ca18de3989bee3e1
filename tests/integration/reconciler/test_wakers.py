"""Watcher, beat, hints and the commands: each may die or be doubled, none is ever waited for."""

import datetime
import http.client
import signal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from prometheus_client.registry import CollectorRegistry

from ambient import env
from ambient.celery import app
from ambient.common import hints
from ambient.common.database import database_now
from ambient.common.shared_metrics import KEY
from reconciler import metrics, tasks
from reconciler.beat import HintScheduler
from reconciler.models import WorkItem
from reconciler.wake import queue_length, wake
from reconciler.workqueue import ask, claim_next, release
from sessions_app.choices import Phase
from sessions_app.models import Session
from tests.integration.reconciler.conftest import eventually

QUEUE_KEY = "ambient:ambient"


@pytest.fixture
def empty_queue():
    hints.client().delete(QUEUE_KEY)
    yield
    hints.client().delete(QUEUE_KEY)


def backends(name: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()",
            [name],
        )
        return [row[0] for row in cursor.fetchall()]


def answers(port: int) -> bool:
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        server.request("GET", "/healthz")
        return server.getresponse().status == 200
    except OSError:
        return False
    finally:
        server.close()


def cut(name: str) -> None:
    for pid in backends(name):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_never_more_hints_than_workers_can_take(empty_queue):
    for _ in range(3):
        assert wake(100)
    assert queue_length() == env.WORKER_CONCURRENCY


def test_beat_sends_nothing_while_the_queue_is_long(empty_queue):
    scheduler = HintScheduler(app=app, lazy=True)
    scheduler.setup_schedule()
    entry = scheduler.schedule["work"]
    for _ in range(env.WORKER_CONCURRENCY + 10):
        scheduler.apply_entry(entry, producer=scheduler.producer)
    assert queue_length() == env.WORKER_CONCURRENCY + 1


def test_a_broker_that_is_away_is_not_waited_for(monkeypatch, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(hints, "client", hints.client.__wrapped__)  # a new one, made as ours is
    assert not wake()


@pytest.mark.django_db(transaction=True)
def test_the_watcher_wakes_for_what_is_due_and_comes_back_after_a_cut(processes, empty_queue):
    watcher = processes.start("watcher")
    eventually(lambda: "listening" in processes.log_of(watcher), "listening")
    ask("session", "a")
    eventually(lambda: queue_length() > 0, "a hint")
    cut("ambient-watcher")
    eventually(lambda: processes.log_of(watcher).count("listening") == 2, "listening again")
    hints.client().delete(QUEUE_KEY)
    ask("session", "b")
    eventually(lambda: queue_length() > 0, "a hint after the cut")
    watcher.terminate()
    assert watcher.wait(timeout=20) == 0


@pytest.mark.django_db(transaction=True)
def test_a_watcher_without_a_broker_goes_on_and_ends_when_told(processes):
    watcher = processes.start("watcher", REDIS_URL="redis://127.0.0.1:1/0")
    eventually(lambda: "listening" in processes.log_of(watcher), "listening")
    ask("session", "a")
    eventually(lambda: "workers were not woken" in processes.log_of(watcher), "a warning")
    watcher.send_signal(signal.SIGINT)
    assert watcher.wait(timeout=20) == 0


@pytest.mark.django_db(transaction=True)
def test_the_second_beat_idles_until_the_first_is_gone(processes, empty_queue):
    first = processes.start("beat")
    eventually(lambda: "beat is at work" in processes.log_of(first), "the first at work")
    second = processes.start("beat")
    eventually(lambda: "another beat is at work" in processes.log_of(second), "the second waiting")
    eventually(lambda: queue_length() > 0, "a hint of beat")
    cut("ambient-beat")
    assert first.wait(timeout=30) == 75  # the supervisor starts it again
    eventually(lambda: "beat is at work" in processes.log_of(second), "the second at work")
    second.terminate()
    assert second.wait(timeout=20) == 0


@pytest.mark.django_db(transaction=True)
def test_a_beat_waits_for_its_database_and_ends_when_told(processes):
    """One that ended each time would be given up by its supervisor after a few seconds without a database."""
    beat = processes.start("beat", DATABASE_DIRECT_URL="postgresql://ambient@127.0.0.1:1/none")
    eventually(lambda: processes.log_of(beat).count("database is away") >= 2, "a second try")
    assert beat.poll() is None
    beat.terminate()
    assert beat.wait(timeout=20) == 0


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_in_a_pass_gives_its_key_to_the_next(processes, project, empty_queue):
    """The key is held by nobody that lives; another worker takes it when the lock has run out."""
    session = Session.objects.create(project=project, name="n", phase=Phase.PENDING, desired_state="stopped")
    dead = claim_next()
    while dead is not None and dead.key != session.pk:
        dead = claim_next()
    assert dead is not None
    nearly_over = database_now() + datetime.timedelta(seconds=1)
    WorkItem.objects.filter(key=session.pk).update(locked_until=nearly_over)
    processes.start("worker")
    processes.start("watcher")
    eventually(
        lambda: (
            session.refresh_from_db()
            or session.phase == Phase.STOPPING
            or WorkItem.objects.get(key=session.pk).last_error
        ),
        "a pass of another worker",
    )
    assert WorkItem.objects.get(key=session.pk).token != dead.token


@pytest.mark.django_db
def test_work_runs_what_is_due_and_ends(project, empty_queue):
    tasks.work()
    assert not WorkItem.objects.filter(kind="project").exists()


@pytest.mark.django_db
def test_the_sweep_is_on_the_queue_once(empty_queue, monkeypatch):
    monkeypatch.setattr(tasks, "work", lambda: None)
    tasks.request_resync()
    tasks.request_resync()
    assert WorkItem.objects.get(kind="resync").version == 1


@pytest.mark.django_db
def test_resync_sessions_makes_unfinished_sessions_due(make_session, empty_queue, capsys):
    kept, finished = make_session(), make_session()
    Session.objects.filter(pk=finished.pk).update(phase="Stopped")
    WorkItem.objects.all().delete()
    call_command("resync_sessions", "--dry-run")
    assert capsys.readouterr().out.split() == [kept.pk]
    assert not WorkItem.objects.exists()
    ask("session", kept.pk)
    WorkItem.objects.update(attempts=9)
    release(claim_next(), error="Boom")
    call_command("resync_sessions", "--project", "team-a")
    assert claim_next().key == kept.pk
    with pytest.raises(CommandError, match="no project"):
        call_command("resync_sessions", "--project", "nobody")


@pytest.mark.django_db
def test_metrics_show_passes_and_the_oldest_due_key(empty_queue):
    hints.client().delete(KEY)
    metrics.count_pass("session", "done", 0.02)
    metrics.count_pass("session", "error", 40.0)
    WorkItem.objects.all().delete()
    ask("session", "a")
    WorkItem.objects.update(due_at="2000-01-01T00:00:00Z")
    registry = CollectorRegistry()
    metrics.register(registry)
    value = registry.get_sample_value
    assert value("ambient_passes_total", {"kind": "session", "outcome": "done"}) == 1
    assert value("ambient_pass_seconds_bucket", {"kind": "session", "le": "0.05"}) == 1
    assert value("ambient_pass_seconds_bucket", {"kind": "session", "le": "+Inf"}) == 2
    assert value("ambient_pass_seconds_sum", {"kind": "session"}) == pytest.approx(40.02)
    assert value("ambient_work_due") == 1
    assert value("ambient_work_oldest_seconds") > 10**8


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("process", "number"), [("api", signal.SIGTERM), ("control-plane", signal.SIGINT)])
def test_a_server_serves_and_ends_cleanly(processes, process, number, unused_tcp_port):
    variable = "AMBIENT_API_PORT" if process == "api" else "AMBIENT_CONTROL_PLANE_PORT"
    server = processes.start("serve", process, **{variable: str(unused_tcp_port)})
    eventually(lambda: answers(unused_tcp_port), "serving")
    server.send_signal(number)
    assert server.wait(timeout=30) == 0
