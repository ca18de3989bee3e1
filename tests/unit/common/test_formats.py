"""How ages and short texts are shown."""

import datetime

import pytest

from ambient.common.formats import age, duration, shortened

NOW = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0, "0s", id="none"),
        pytest.param(-5, "0s", id="a-clock-that-is-behind"),
        pytest.param(59.9, "59s", id="seconds"),
        pytest.param(60, "1m", id="a-minute"),
        pytest.param(3_725, "1h 2m", id="two-units-at-most"),
        pytest.param(3_605, "1h", id="no-unit-is-left-out-between"),
        pytest.param(273_600, "3d 4h", id="days"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_age():
    assert age(NOW - datetime.timedelta(hours=2), NOW) == "2h"
    assert age(None, NOW) == ""


@pytest.mark.parametrize(
    ("text", "length", "shown"),
    [(None, 5, ""), ("a\n  b", 5, "a b"), ("abcdef", 5, "abcd…"), ("abcde", 5, "abcde")],
)
def test_shortened(text, length, shown):
    assert shortened(text, length) == shown
