"""Rates as settings have them."""

import pytest

from ambient.rates import NO_LIMIT, Rate, rate


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        pytest.param("600/minute", Rate(600, 60), id="per-minute"),
        pytest.param(" 1/second ", Rate(1, 1), id="per-second"),
        pytest.param("9999999/hour", Rate(9_999_999, 3600), id="per-hour"),
        pytest.param("0", NO_LIMIT, id="none"),
    ],
)
def test_right(raw, value):
    assert rate(raw) == value
    assert rate(str(value)) == value


@pytest.mark.parametrize(
    "raw",
    ["", "10", "0/minute", "-1/minute", "1.5/minute", "10/day", "10/minutes", "٣/minute", "99999999/hour"],
)
def test_wrong(raw):
    with pytest.raises(ValueError, match="COUNT/minute"):
        rate(raw)
