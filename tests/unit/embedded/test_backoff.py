"""When a crashed process starts again."""

import pytest

from ambient.embedded.backoff import Backoff


@pytest.mark.parametrize(
    ("times", "delays"),
    [
        pytest.param([0], [0.5], id="first-crash-waits-half-a-second"),
        pytest.param([0, 1, 2, 3], [0.5, 1.0, 2.0, 4.0], id="each-crash-doubles-the-wait"),
        pytest.param([0, 1, 2, 3, 59], [0.5, 1.0, 2.0, 4.0, None], id="fifth-within-a-minute-gives-up"),
        pytest.param([0, 1, 2, 3, 61], [0.5, 1.0, 2.0, 4.0, 8.0], id="fifth-after-a-minute-goes-on"),
        pytest.param(
            [0, 20, 40, 60.5, 80.5, 100.5],
            [0.5, 1.0, 2.0, 4.0, 8.0, 8.0],
            id="wait-never-exceeds-eight-seconds",
        ),
        pytest.param([0, 1, 62, 63], [0.5, 1.0, 0.5, 1.0], id="calm-minute-clears-the-record"),
    ],
)
def test_backoff(times, delays):
    backoff = Backoff()
    assert [backoff.crashed(now) for now in times] == delays
