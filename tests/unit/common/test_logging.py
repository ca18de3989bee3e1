"""Nothing secret leaves by the log, and an answer has the level that it deserves."""

import logging

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.log import log_response

from ambient.common.logging import HIDDEN, describe_answer, redact


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
            {"event": "< Cookie: sessionid=abcdefgh123; a=1"},
            {"event": f"< Cookie: sessionid={HIDDEN}; a=1"},
            id="browser-session",
        ),
        pytest.param(
            {"event": "ambient, bearer.ambs_abc:d-ef:123"},
            {"event": f"ambient, bearer.{HIDDEN}"},
            id="subprotocol",
        ),
        pytest.param({"event": "x ambs_abcdef:1vP:sig"}, {"event": f"x {HIDDEN}"}, id="session-token"),
        pytest.param(
            {"event": "x eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"}, {"event": f"x {HIDDEN}"}, id="jwt"
        ),
        pytest.param(
            {"url": "postgresql://u:pw@host/db"},
            {"url": f"postgresql://u:{HIDDEN}@host/db"},
            id="password-in-a-url",
        ),
        pytest.param(
            {"event": "session started", "n": 3}, {"event": "session started", "n": 3}, id="plain-text"
        ),
        pytest.param(
            {"event": "a\nb", "path": "/x\0\x1b[2J\x9b\u2028y"},
            {"event": "a\\nb", "path": "/x\\x00\\x1b[2J\\x9b\\u2028y"},
            id="control-characters-are-shown-not-sent",
        ),
        pytest.param({"path": "/ä/日本/\U0001f600"}, {"path": "/ä/日本/\U0001f600"}, id="letters-stay"),
        pytest.param(
            {"exception": "Traceback:\n  x"},
            {"exception": "Traceback:\n  x"},
            id="a-traceback-keeps-its-lines",
        ),
    ],
)
def test_redaction(event, shown) -> None:
    assert redact(None, "info", dict(event)) == shown


GET = RequestFactory().get("/api/things?token=x")
LONG = RequestFactory().post("/" + "x" * 1000)


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        pytest.param(
            {"event": "Not Found: /api/things", "request": GET, "status_code": 404},
            {"event": "Not Found", "method": "GET", "path": "/api/things", "status": 404},
            id="an-answer-says-everything-once-and-no-query",
        ),
        pytest.param(
            {"event": "Forbidden (no cookie): /x", "request": LONG, "status_code": 403},
            {"event": "Forbidden (no cookie)", "method": "POST", "path": "/" + "x" * 199, "status": 403},
            id="a-long-path-is-cut",
        ),
        pytest.param(
            {"event": "Wrong host", "request": GET, "status_code": 400, "exc_info": (None, None, None)},
            {"event": "Wrong host", "method": "GET", "path": "/api/things", "status": 400},
            id="no-traceback-for-the-callers-fault",
        ),
        pytest.param(
            {"event": "Error: /api/things", "request": GET, "status_code": 500, "exc_info": True},
            {"event": "Error", "method": "GET", "path": "/api/things", "status": 500, "exc_info": True},
            id="ours-keeps-its-traceback",
        ),
        pytest.param(
            {"event": "at: /tmp", "request": "r1"},
            {"event": "at: /tmp", "request": "r1"},
            id="other-lines-stay",
        ),
    ],
)
def test_lines_about_an_answer(event, shown) -> None:
    assert describe_answer(None, "warning", dict(event)) == shown


@pytest.mark.parametrize(
    ("code", "level"),
    [(404, "WARNING"), (500, "ERROR"), (501, "WARNING"), (502, "WARNING"), (503, "WARNING")],
)
def test_only_a_fault_of_our_own_is_an_error(caplog, code, level) -> None:
    answer = HttpResponse(status=code)
    log_response("%s: %s", answer.reason_phrase, GET.path, response=answer, request=GET)
    assert [record.levelname for record in caplog.records] == [level]


def test_an_answer_is_not_logged_where_warnings_are_not(caplog) -> None:
    with caplog.at_level(logging.ERROR, "django.request"):
        log_response("No", response=HttpResponse(status=503), request=GET)
        log_response("Oh", response=HttpResponse(status=500), request=GET)
    assert [record.getMessage() for record in caplog.records] == ["Oh"]
