"""Stopping a platform by signal: the first interrupts what the main thread does, others hurry the stop."""

import signal
from types import FrameType

from ambient.embedded.platform import Platform

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Handles the signals that mean "stop". `asked` tells it also where an interrupt was dropped."""

    def __init__(self, platform: Platform) -> None:
        self.asked = False
        self._platform = platform

    def install(self) -> None:
        """From now on; only in the main thread."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_signal)

    def begin_stop(self) -> None:
        """The stop has begun for another reason: signals only hurry it."""
        self.asked = True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self.asked:
            self.asked = True
            raise KeyboardInterrupt
        if self._platform.supervisor is not None:
            self._platform.supervisor.hurry()
