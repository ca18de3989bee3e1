"""Nothing secret leaves by the log."""

import pytest

from ambient.common.logging import HIDDEN, redact


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        pytest.param({"token": "abc"}, {"token": HIDDEN}, id="value-under-a-secret-name"),
        pytest.param({"Authorization": "Bearer x"}, {"Authorization": HIDDEN}, id="header"),
        pytest.param({"runner_secret": "x"}, {"runner_secret": HIDDEN}, id="secret-in-a-longer-name"),
        pytest.param(
            {"event": "got Bearer abcdefgh123"}, {"event": f"got Bearer {HIDDEN}"}, id="bearer-in-a-text"
        ),
        pytest.param({"event": "key amb_abcdefgh12345"}, {"event": f"key {HIDDEN}"}, id="api-key-in-a-text"),
        pytest.param(
            {"url": "postgresql://u:pw@host/db"},
            {"url": f"postgresql://u:{HIDDEN}@host/db"},
            id="password-in-a-url",
        ),
        pytest.param(
            {"event": "session started", "n": 3}, {"event": "session started", "n": 3}, id="plain-text"
        ),
    ],
)
def test_redaction(event, shown) -> None:
    assert redact(None, "info", dict(event)) == shown
