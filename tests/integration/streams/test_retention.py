"""Old events: compacted, deleted, purged; and what readers at any cursor get of them."""

import datetime
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from ag_ui_validate.pytest_plugin import assert_valid_agui
from django.utils import timezone

from ambient import env
from projects_app.models import ProjectSettings, User
from sessions_app.models import Run, RunLog, Session, SessionEvent, SessionMessage, SessionStream
from sessions_app.streams.retention import (
    run_compact,
    runs_compact,
    runs_delete_events,
    sessions_purge_streams,
)
from sessions_app.tasks import tidy_events
from tests.integration.streams.conftest import Lab, in_database, make_session
from tests.integration.streams.test_edges import Web, web  # noqa: F401 - a fixture

RAW = 7  # events of one echo run, see tests/fakes/runner.py
SHORT = 5  # compacted: start, message start, content, end, finish


def always() -> bool:
    return True


@pytest_asyncio.fixture
async def three_runs(web: Web) -> AsyncIterator[Web]:  # noqa: F811
    """Three ended runs; the first two are compacted, the last is as it was."""
    for text in ("first", "other", "third"):
        await web.lab.send(text)
    await web.lab.ended(3)
    first, second, _ = await run_ids(web.lab)
    for run in (first, second):
        assert await in_database(run_compact, run_id=run)
    yield web


async def run_ids(lab: Lab) -> list[str]:
    rows = Run.objects.filter(session=lab.session).order_by("number").values_list("pk", flat=True)
    return list(await in_database(lambda: list(rows)))


async def age(run: str, **how: float) -> None:
    past = timezone.now() - datetime.timedelta(**how)
    await in_database(Run.objects.filter(pk=run).update, finished_at=past)


async def read(web: Web, cursor: int | None) -> tuple[list[int], list[dict[str, Any]], list[dict[str, Any]]]:  # noqa: F811
    """(numbers, events, marks) over SSE up to the end of the third run."""
    headers = {} if cursor is None else {"Last-Event-ID": str(cursor)}
    numbers, events, marks = [], [], []
    async with web.sse("agui/events", headers=headers) as stream:
        while not numbers or numbers[-1] < 3 * RAW:
            item = await stream.next()
            assert item is not None
            seq, event = item
            if seq is None:
                marks.append(event)
            else:
                numbers.append(seq)
                events.append(event)
    return numbers, events, marks


def restated(number: int) -> dict[str, Any]:
    first = (number - 1) * RAW + 1
    return {"mark": "restated", "first_seq": first, "last_seq": first + RAW - 1}


FIRST = [1, 2, 3, 4, 7]
SECOND = [8, 9, 10, 11, 14]
THIRD = list(range(15, 22))


@pytest.mark.parametrize(
    ("cursor", "numbers", "marks"),
    [
        pytest.param(None, FIRST + SECOND + THIRD, [], id="no-cursor-no-marks"),
        pytest.param(0, FIRST + SECOND + THIRD, [restated(1), restated(2)], id="from-the-start"),
        pytest.param(3, FIRST + SECOND + THIRD, [restated(1), restated(2)], id="inside-the-first"),
        pytest.param(7, SECOND + THIRD, [restated(2)], id="between"),
        pytest.param(13, SECOND + THIRD, [restated(2)], id="inside-the-second"),
        pytest.param(14, THIRD, [], id="after"),
        pytest.param(17, THIRD[3:], [], id="inside-what-is-raw"),
    ],
)
async def test_a_reader_gets_whole_runs_where_events_are_compacted(
    three_runs: Web, cursor: int | None, numbers: list[int], marks: list[dict[str, Any]]
) -> None:
    got = await read(three_runs, cursor)
    assert (got[0], got[2]) == (numbers, marks)
    texts = [event["delta"] for event in got[1] if event["type"] == "TEXT_MESSAGE_CONTENT"]
    if numbers[: len(FIRST)] == FIRST:
        assert texts[0] == "You said: first"


@pytest.mark.parametrize(
    ("cursor", "numbers", "marks"),
    [
        pytest.param(None, SECOND + THIRD, [], id="no-cursor"),
        pytest.param(
            2,
            SECOND + THIRD,
            [{"mark": "truncated", "first_seq": 3, "last_seq": 7}, restated(2)],
            id="below-retention",
        ),
        pytest.param(7, SECOND + THIRD, [restated(2)], id="at-its-edge"),
    ],
)
async def test_a_reader_below_retention_is_told(
    three_runs: Web, cursor: int | None, numbers: list[int], marks: list[dict[str, Any]]
) -> None:
    first, *_ = await run_ids(three_runs.lab)
    await age(first, days=8)
    await in_database(
        ProjectSettings.objects.create, project_id=three_runs.lab.session.project_id, event_retention_days=7
    )
    assert await in_database(runs_delete_events, always) == 1
    assert await in_database(runs_delete_events, always) == 0
    got = await read(three_runs, cursor)
    assert (got[0], got[2]) == (numbers, marks)
    kept = SessionMessage.objects.filter(session=three_runs.lab.session).count
    assert await in_database(kept) == 6


async def test_a_websocket_gets_the_marks_too(three_runs: Web) -> None:
    path = three_runs.path("agui/ws?after_seq=9")
    async with three_runs.http.ws_connect(path) as socket:
        got = [json.loads((await socket.receive()).data) for _ in range(1 + SHORT + RAW)]
    assert got[0] == restated(2)
    assert [frame["seq"] for frame in got[1:]] == SECOND + THIRD


async def test_a_compacted_agui_run_is_told_again_without_marks(web: Web) -> None:  # noqa: F811
    body = {"runId": "mine", "messages": [{"id": "m", "role": "user", "content": "hello"}]}
    async with web.sse("agui/run", "POST", json=body) as stream:
        before = await stream.rest()
    assert await in_database(run_compact, run_id="mine")
    async with web.sse("agui/run", "POST", json=body) as stream:
        after = await stream.rest()
    assert (len(before), len(after)) == (RAW, SHORT)
    assert after[0][1]["runId"] == "mine"
    assert after[-1][1]["type"] == "RUN_FINISHED"


@pytest.mark.parametrize("compacted", [False, True], ids=["raw", "compacted"])
@pytest.mark.parametrize("cursor", ["0", "3", str(RAW)])
async def test_an_agui_run_is_told_whole_whatever_cursor_comes_with_it(
    web: Web,  # noqa: F811
    cursor: str,
    compacted: bool,
) -> None:
    body = {"runId": "mine", "messages": [{"id": "m", "role": "user", "content": "hello"}]}
    async with web.sse("agui/run", "POST", json=body) as stream:
        await stream.rest()
    if compacted:
        assert await in_database(run_compact, run_id="mine")
    async with web.sse(
        "agui/run", "POST", json=body, headers={"Last-Event-ID": cursor}, params={"after_seq": cursor}
    ) as stream:
        got = [event for _, event in await stream.rest()]
    assert_valid_agui(got)
    assert (got[0]["type"], got[-1]["type"]) == ("RUN_STARTED", "RUN_FINISHED")
    assert "".join(event.get("delta", "") for event in got) == "You said: hello"


async def test_only_runs_that_ended_long_enough_ago_are_compacted_and_once(lab: Lab) -> None:
    await lab.node()
    await lab.send("first")
    await lab.send("other")
    await lab.ended(2)
    old, _ = await run_ids(lab)
    await age(old, seconds=env.COMPACT_AFTER_SECONDS + 60)
    assert await in_database(runs_compact, always) == 1
    assert await in_database(runs_compact, always) == 0
    assert not await in_database(run_compact, run_id=old)
    log = await in_database(RunLog.objects.get)
    assert (log.run, log.first_seq, log.last_seq, len(json.loads(log.events))) == (old, 1, RAW, SHORT)
    assert await in_database(SessionEvent.objects.filter(run=old).count) == 0
    assert len(await lab.events()) == RAW


async def test_a_job_without_time_does_nothing(lab: Lab) -> None:
    await lab.node()
    await lab.send("first")
    await lab.ended()
    (run,) = await run_ids(lab)
    await age(run, days=400)
    assert await in_database(runs_compact, lambda: False) == 0
    assert await in_database(runs_delete_events, lambda: False) == 0


async def test_the_regular_task_does_all_of_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    await lab.node()
    for text in ("first", "other"):
        await lab.send(text)
    await lab.ended(2)
    old, young = await run_ids(lab)
    await age(old, days=3)
    await age(young, days=1)
    gone = await in_database(make_session, lab.session.project)
    past = timezone.now() - datetime.timedelta(days=env.DELETED_KEPT_DAYS + 1)
    await in_database(Session.objects.filter(pk=gone.pk).update, desired_state="deleted", deleted_at=past)
    monkeypatch.setattr(env, "EVENT_RETENTION_DAYS", 2)
    for _ in range(2):
        await in_database(tidy_events)
    assert await in_database(RunLog.objects.get) == await in_database(RunLog.objects.get, run=young)
    assert not await in_database(SessionStream.objects.filter(session_id=gone.pk).exists)
    assert await in_database(SessionStream.objects.filter(session_id=lab.session.pk).exists)
    assert await in_database(sessions_purge_streams, always) == 0


@pytest.mark.parametrize("days", [-1, 36501, "x", 1.5])
def test_retention_outside_its_range_is_refused(client_for: Any, ann: User, project: Any, days: Any) -> None:
    response = client_for(ann).call(
        "post", "/project_settings", {"project_id": project.pk, "event_retention_days": days}
    )
    assert response.status_code == 400
    assert "event_retention_days" in response.json()["reason"]
