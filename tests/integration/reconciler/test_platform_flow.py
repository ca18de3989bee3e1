"""Sessions from the wish to the end, with real processes: worker, watcher or beat, runner host, runner."""

import os
import signal

import pytest

from ambient.common.marks import marked_pids
from reconciler.models import WorkItem
from reconciler.runnerhost.paths import HostPaths
from sessions_app.choices import Phase, Reason
from sessions_app.models import Session
from sessions_app.services.sessions import session_delete, session_start, session_stop
from tests.integration.reconciler.conftest import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def phase_is(session: Session, *phases: Phase):
    def check() -> Session | None:
        session.refresh_from_db()
        return session if session.phase in phases else None

    return check


def wait_phase(session: Session, *phases: Phase) -> Session:
    eventually(phase_is(session, *phases), f"phase {phases}")
    return session


@pytest.fixture
def runners(processes):
    """Marked processes of the test's home."""
    return lambda: marked_pids(HostPaths(processes.home).mark)


@pytest.fixture
def platform(processes):
    processes.start("runner_host")
    processes.start("worker")
    return processes


@pytest.mark.parametrize("waker", ["watcher", "beat"])
def test_one_waker_is_enough_from_start_to_stop(platform, make_session, runners, waker):
    platform.start(waker)
    session = make_session()
    wait_phase(session, Phase.RUNNING)
    assert session.runner_endpoint.startswith("http://127.0.0.1:")
    assert session.runner_instance
    assert session.placed_at
    assert session.attempt == 1
    assert len(runners()) == 1

    session_stop(session=session)
    wait_phase(session, Phase.STOPPED)
    assert (session.reason, session.placed_at, session.runner_endpoint) == (
        Reason.STOPPED_BY_USER,
        None,
        None,
    )
    assert runners() == []

    session_start(session=session)
    wait_phase(session, Phase.RUNNING)
    assert session.attempt == 2


def test_a_killed_runner_is_restarted_and_a_deleted_session_leaves_nothing(platform, make_session, runners):
    platform.start("watcher")
    session = make_session()
    wait_phase(session, Phase.RUNNING)
    [pid] = runners()
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: session.refresh_from_db() or session.restarts == 1, "a counted restart")
    wait_phase(session, Phase.RUNNING)
    assert session.attempt == 2
    assert len(runners()) == 1
    folder = HostPaths(platform.home).session(session.pk)
    assert (folder / "workspace").is_dir()

    session_delete(session=session)
    eventually(lambda: not folder.exists() and not runners(), "nothing left")
    eventually(lambda: not WorkItem.objects.filter(kind="session", key=session.pk).exists(), "no work left")
    session.refresh_from_db()
    assert session.phase == Phase.STOPPED


def test_a_killed_host_takes_its_runners_along_and_they_come_back(platform, make_session, runners):
    platform.start("watcher")
    host = platform.running[0]
    session = make_session()
    wait_phase(session, Phase.RUNNING)
    [old] = runners()
    host.kill()
    host.wait()
    eventually(lambda: old not in runners(), "the runner died with its host")
    platform.start("runner_host")
    eventually(lambda: session.refresh_from_db() or session.attempt >= 2, "a new attempt")
    wait_phase(session, Phase.RUNNING)
    assert session.restarts == 0
    assert len(runners()) == 1


def test_every_process_ends_cleanly_on_both_signals(platform, make_session):
    platform.start("watcher")
    platform.start("beat")
    wait_phase(make_session(), Phase.RUNNING)
    for number, process in enumerate(platform.running):
        process.send_signal(signal.SIGTERM if number % 2 else signal.SIGINT)
    codes = {process.args[2]: process.wait(timeout=30) for process in platform.running}
    assert codes == {"runner_host": 0, "worker": 0, "watcher": 0, "beat": 0}
