"""Processes without a port show that they live, also while a server is away."""

import pytest

from tests.integration.reconciler.conftest import eventually

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("command", "variables"),
    [
        pytest.param("worker", {}, id="worker"),
        pytest.param("worker", {"REDIS_URL": NOWHERE}, id="worker-without-a-broker"),
        pytest.param("beat", {}, id="beat"),
        pytest.param("beat", {"REDIS_URL": NOWHERE}, id="beat-without-a-broker"),
        pytest.param("watcher", {}, id="watcher"),
        pytest.param("watcher", {"REDIS_URL": NOWHERE}, id="watcher-without-a-broker"),
    ],
)
def test_it_touches_its_file_again_and_again(processes, tmp_path, command, variables):
    pulse = tmp_path / "pulse"
    processes.start(command, AMBIENT_PULSE_FILE=str(pulse), **variables)
    eventually(pulse.exists, "the first sign of life")
    for number in ("second", "third"):
        before = pulse.stat().st_mtime_ns
        eventually(lambda before=before: pulse.stat().st_mtime_ns > before, f"a {number} sign of life")


@pytest.mark.django_db(transaction=True)
def test_a_second_beat_lives_while_it_waits_for_its_turn(processes, tmp_path):
    pulse = tmp_path / "pulse"
    first = processes.start("beat")
    eventually(lambda: "beat is at work" in processes.log_of(first), "the first at work")
    second = processes.start("beat", AMBIENT_PULSE_FILE=str(pulse))
    eventually(lambda: "another beat is at work" in processes.log_of(second), "the second waiting")
    before = pulse.stat().st_mtime_ns
    eventually(lambda: pulse.stat().st_mtime_ns > before, "another sign of life")
