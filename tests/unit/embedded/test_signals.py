"""What the first and the later signals do to a platform that runs or starts."""

import signal
import subprocess
import sys

import pytest

from ambient.embedded.home import CHECKOUT
from ambient.embedded.signals import STOP_SIGNALS, StopRequest

IN_A_FINALISER = """
import os, signal, time
from reconciler.management.process import end_at_once_on_signal

class Finalised:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):  # the handler runs between two of its instructions
            pass

end_at_once_on_signal()
Finalised()
time.sleep(100)
"""


class Platform:
    """Counts what it is asked."""

    def __init__(self):
        self.supervisor = self
        self.hurried = 0

    def hurry(self):
        self.hurried += 1


@pytest.fixture
def handlers():
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOP_SIGNALS, ids=lambda number: number.name)
def test_the_first_signal_interrupts_and_the_next_hurries(handlers, number):
    platform = Platform()
    stop = StopRequest(platform)
    stop.install()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    assert (stop.asked, platform.hurried) == (True, 0)
    signal.raise_signal(number)
    assert platform.hurried == 1


def test_a_signal_during_a_stop_only_hurries(handlers):
    platform = Platform()
    stop = StopRequest(platform)
    stop.install()
    stop.begin_stop()
    signal.raise_signal(signal.SIGTERM)
    assert platform.hurried == 1
    platform.supervisor = None
    signal.raise_signal(signal.SIGTERM)


def test_a_process_ends_wherever_its_signal_meets_it():
    done = subprocess.run(
        [sys.executable, "-c", IN_A_FINALISER], cwd=CHECKOUT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
