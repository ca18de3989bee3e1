"""The audit of `make chaos` finds each kind of fault, and nothing in a record without one."""

from dataclasses import replace

import pytest

from tests.chaos.audit import judge
from tests.chaos.record import Event, Message, Record, Run, Seen

EVENTS = (
    Event(1, "r1", "RUN_STARTED"),
    Event(2, "r1", "TEXT_MESSAGE_CONTENT", "1\n"),
    Event(3, "r1", "TEXT_MESSAGE_CONTENT", "2\n"),
    Event(4, "r1", "RUN_FINISHED"),
    Event(5, "r2", "RUN_STARTED"),
    Event(6, "r2", "RUN_ERROR"),
)
ALL_SEEN = tuple((event.seq, event.type) for event in EVENTS)
GOOD = Record(
    session="s",
    head=6,
    message_head=3,
    active_run=None,
    phase="Stopped",
    placed=False,
    sent=("m-1", "m-2"),
    events=EVENTS,
    runs=(Run("r1", 1, "finished", "u1"), Run("r2", 2, "failed", "u2")),
    messages=(
        Message("u1", 1, "user", "m-1", "/flood 2", "done", None, "r1"),
        Message("a1", 2, "assistant", text="1\n2\n", run="r1"),
        Message("u2", 3, "user", "m-2", "/echo x", "failed", "RunnerRestarted", "r2"),
    ),
    seen=(Seen("sse", ALL_SEEN),),
)


def with_events(*events):
    """The same record with another log, which every watcher has seen."""
    seen = tuple((event.seq, event.type) for event in events)
    return replace(GOOD, events=events, seen=(Seen("sse", seen),))


def with_message(number, **fields):
    messages = list(GOOD.messages)
    messages[number] = replace(messages[number], **fields)
    return replace(GOOD, messages=tuple(messages))


def words(record, left=(), counted=None):
    """Kinds of findings."""
    found = judge([record], left, counted or {}).kinds()
    return {word for word, lines in found.items() if lines}


def test_nothing_is_found_where_nothing_is_wrong():
    verdict = judge([GOOD], [], {"sessions of p": (1, 1)})
    assert verdict.good
    assert str(verdict) == "0 lost, 0 doubled, 0 stuck, 0 left over, 0 miscounted"


@pytest.mark.parametrize(
    ("record", "kinds"),
    [
        pytest.param(with_events(*EVENTS[:2], *EVENTS[3:]), {"lost", "doubled"}, id="event-gone"),
        pytest.param(
            with_events(*EVENTS[:3], Event(3, "r1", "TEXT_MESSAGE_CONTENT", "2\n"), *EVENTS[3:]),
            {"doubled"},
            id="number-twice",
        ),
        pytest.param(
            replace(with_events(*EVENTS[:2], Event(3, "r1", "CUSTOM"), *EVENTS[3:]), head=6),
            {"lost"},
            id="words-gone",
        ),
        pytest.param(
            with_events(*EVENTS[:2], Event(3, "r1", "TEXT_MESSAGE_CONTENT", "2\n2\n"), *EVENTS[3:]),
            {"doubled"},
            id="words-twice",
        ),
        pytest.param(
            with_events(
                EVENTS[0], replace(EVENTS[1], delta="2\n"), replace(EVENTS[2], delta="1\n"), *EVENTS[3:]
            ),
            {"doubled"},
            id="words-in-another-order",
        ),
        pytest.param(
            with_events(*EVENTS[:3], replace(EVENTS[4], seq=4), replace(EVENTS[3], seq=5), EVENTS[5]),
            {"doubled"},
            id="runs-mixed",
        ),
        pytest.param(
            with_events(*EVENTS[:5], Event(6, "r2", "CUSTOM")), {"doubled"}, id="run-without-an-end"
        ),
        pytest.param(replace(GOOD, seen=(Seen("sse", ALL_SEEN[:-1]),)), {"lost"}, id="watcher-lacks-one"),
        pytest.param(
            replace(GOOD, seen=(Seen("sse", (*ALL_SEEN, ALL_SEEN[-1])),)), {"doubled"}, id="watcher-got-two"
        ),
        pytest.param(
            replace(GOOD, seen=(Seen("sse", ALL_SEEN, "403"),)), {"lost"}, id="watcher-was-turned-away"
        ),
        pytest.param(replace(GOOD, sent=(*GOOD.sent, "m-3")), {"lost"}, id="acknowledged-message-gone"),
        pytest.param(
            replace(GOOD, runs=(*GOOD.runs, Run("r3", 3, "finished", "u1"))), {"doubled"}, id="answered-twice"
        ),
        pytest.param(with_message(2, delivery="queued"), {"stuck"}, id="message-not-answered"),
        pytest.param(with_message(2, reason=None), {"stuck"}, id="failed-without-a-reason"),
        pytest.param(
            replace(GOOD, runs=(GOOD.runs[0], replace(GOOD.runs[1], state="running"))),
            {"stuck"},
            id="run-without-end",
        ),
        pytest.param(replace(GOOD, active_run="r2"), {"stuck"}, id="stream-still-busy"),
        pytest.param(replace(GOOD, alive=False), {"stuck"}, id="no-last-word"),
        pytest.param(replace(GOOD, phase="Stopping"), {"stuck"}, id="does-not-stop"),
        pytest.param(replace(GOOD, placed=True), {"stuck"}, id="keeps-its-place"),
        pytest.param(replace(GOOD, message_head=4), {"miscounted"}, id="message-counter"),
        pytest.param(replace(GOOD, head=5), {"miscounted"}, id="stream-head"),
        pytest.param(
            replace(GOOD, runs=(GOOD.runs[0], replace(GOOD.runs[1], number=3))),
            {"miscounted"},
            id="run-number",
        ),
    ],
)
def test_each_fault_is_found(record, kinds):
    assert words(record) == kinds


def test_what_is_left_and_wrong_counters_of_the_platform_are_found():
    assert words(GOOD, left=["runner 7"]) == {"left over"}
    assert words(GOOD, counted={"sessions of p": (2, 1)}) == {"miscounted"}
