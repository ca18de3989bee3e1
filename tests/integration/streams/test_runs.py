"""From a message to stored events: one runner, one or more holders."""

import asyncio
from typing import Any

import pytest

from reconciler.models import WorkItem
from sessions_app.models import Run, Session, SessionMessage
from tests.fakes.runner import FakeRun
from tests.integration.streams.conftest import Lab, eventually, in_database


async def messages(lab: Lab) -> list[tuple[str, str, str | None]]:
    """(type, payload, delivery) in order."""
    rows = SessionMessage.objects.filter(session=lab.session).order_by("seq")
    return list(await in_database(lambda: list(rows.values_list("event_type", "payload", "delivery"))))


async def run_rows(lab: Lab) -> list[Run]:
    return list(await in_database(lambda: list(Run.objects.filter(session=lab.session).order_by("number"))))


async def test_a_message_becomes_a_run_and_its_answer_a_message(lab: Lab) -> None:
    await lab.node()
    await lab.send("hello")
    events = await lab.ended()
    assert [e["type"] for e in events][0] == "RUN_STARTED"
    assert [e["type"] for e in events][-1] == "RUN_FINISHED"
    assert await messages(lab) == [
        ("user", "hello", "done"),
        ("assistant", "You said: hello", None),
    ]
    (run,) = await run_rows(lab)
    assert (run.state, run.first_seq, run.last_seq) == ("finished", 1, len(events))
    assert lab.runner.posts[0]["messages"][-1]["content"] == "hello"


async def test_messages_run_one_after_another_with_the_history_before_them(lab: Lab) -> None:
    await lab.send("one")
    await lab.send("two")
    await lab.node()
    await lab.ended(2)
    assert [post["messages"][-1]["content"] for post in lab.runner.posts] == ["one", "two"]
    assert [m["content"] for m in lab.runner.posts[1]["messages"]] == ["one", "You said: one", "two"]


async def test_a_broken_connection_is_taken_up_where_it_broke(lab: Lab) -> None:
    go_on = asyncio.Event()

    async def script(run: FakeRun) -> None:
        run.start()
        run.say("first", "a")
        await go_on.wait()
        run.say("second", "b")
        run.finish()

    lab.runner.script = script
    await lab.node()
    await lab.send("hello")

    async def stored() -> Any:
        return len(await lab.events()) >= 4

    await eventually(stored, "the first part is stored")
    lab.runner.drop_connections()
    go_on.set()
    await lab.ended()
    assert [m[1] for m in await messages(lab)] == ["hello", "first", "second"]
    assert lab.runner.attached
    assert len(lab.runner.posts) == 1


@pytest.mark.parametrize("seen_by_new", [0, 5], ids=["before-any-event", "in-the-middle"])
async def test_a_killed_holder_is_replaced_and_nothing_is_doubled(lab: Lab, seen_by_new: int) -> None:
    go_on = asyncio.Event()

    async def script(run: FakeRun) -> None:
        if seen_by_new:
            run.start()
            run.emit("TEXT_MESSAGE_START", messageId="m", role="assistant")
            for _ in range(seen_by_new):
                run.emit("TEXT_MESSAGE_CONTENT", messageId="m", delta="x")
        await go_on.wait()
        if not seen_by_new:
            run.start()
            run.emit("TEXT_MESSAGE_START", messageId="m", role="assistant")
        run.emit("TEXT_MESSAGE_CONTENT", messageId="m", delta="y")
        run.emit("TEXT_MESSAGE_END", messageId="m")
        run.finish()

    lab.runner.script = script
    first = await lab.node()
    await lab.send("hello")

    async def reached() -> Any:
        return lab.runner.posts and len(await lab.events()) >= (seen_by_new + 2 if seen_by_new else 0)

    await eventually(reached, "the run is on its way")
    await first.kill()
    await lab.node()

    async def attached() -> Any:
        return lab.runner.attached

    await eventually(attached, "the other holder attaches")
    go_on.set()
    await lab.ended()
    assert [m[1] for m in await messages(lab)] == ["hello", "x" * seen_by_new + "y"]
    assert len(lab.runner.posts) == 1


async def test_a_draining_holder_hands_its_run_over(lab: Lab) -> None:
    go_on = asyncio.Event()

    async def script(run: FakeRun) -> None:
        run.start()
        await go_on.wait()
        run.say("done")
        run.finish()

    lab.runner.script = script
    first = await lab.node()
    await lab.send("hello")

    async def started() -> Any:
        return await lab.events()

    await eventually(started, "the run starts")
    second = await lab.node()
    await first.stop()

    async def taken() -> Any:
        return second.holder and lab.session.pk in second.holder.held

    await eventually(taken, "the second takes over")
    go_on.set()
    await lab.ended()
    assert len(lab.runner.posts) == 1


async def test_a_new_runner_in_place_of_the_old_ends_the_run_visibly(lab: Lab) -> None:
    async def script(run: FakeRun) -> None:
        run.start()
        run.emit("TEXT_MESSAGE_START", messageId="m", role="assistant")
        run.emit("TOOL_CALL_START", toolCallId="t", toolCallName="bash")
        run.emit("TOOL_CALL_ARGS", toolCallId="t", delta='{"command": "sl')
        await asyncio.Event().wait()

    lab.runner.script = script
    await lab.node()
    await lab.send("hello")

    async def started() -> Any:
        return len(await lab.events()) >= 4

    await eventually(started, "the run starts")
    lab.runner.instance = "instance-2"
    lab.runner.drop_connections()
    events = await lab.ended()
    assert events[-1]["code"] == "RunnerRestarted"
    (run,) = await run_rows(lab)
    assert (run.state, run.error_code) == ("failed", "RunnerRestarted")
    assert (await messages(lab))[0] == ("user", "hello", "failed")


async def test_a_killed_runner_ends_the_run_visibly(lab: Lab) -> None:
    async def script(run: FakeRun) -> None:
        run.start()
        await asyncio.Event().wait()

    lab.runner.script = script
    await lab.node()
    await lab.send("hello")

    async def started() -> Any:
        return await lab.events()

    await eventually(started, "the run starts")
    await lab.runner.stop()
    events = await lab.ended()
    assert events[-1]["code"] == "StreamLost"


@pytest.mark.parametrize("in_a_run", [True, False], ids=["in-a-run", "before-a-run"])
async def test_a_runner_that_is_lost_is_looked_at_by_the_reconciler(lab: Lab, in_a_run: bool) -> None:
    async def script(run: FakeRun) -> None:
        run.start()
        await asyncio.Event().wait()

    async def is_due() -> Any:
        return await in_database(WorkItem.objects.filter(kind="session", key=lab.session.pk).exists)

    lab.runner.script = script
    await lab.node()
    if in_a_run:
        await lab.send("hello")
        await eventually(lab.events, "the run starts")
    await in_database(WorkItem.objects.all().delete)
    await lab.runner.stop()
    if not in_a_run:
        await lab.send("hello")
    await eventually(is_due, "a pass of the session")


async def test_a_refused_post_is_a_stored_start_and_error(lab: Lab) -> None:
    lab.runner.refuse_post = (422, "BadRunInput")
    await lab.node()
    await lab.send("hello")
    events = await lab.ended()
    assert [e["type"] for e in events] == ["RUN_STARTED", "RUN_ERROR"]
    assert events[-1]["code"] == "RunnerRefused"


@pytest.mark.parametrize(
    ("desired_state", "reason"), [("stopped", "SessionStopped"), ("running", "RunnerRestarted")]
)
async def test_a_message_whose_runner_was_stopped_says_why(lab: Lab, desired_state: str, reason: str) -> None:
    async def script(run: FakeRun) -> None:
        run.start()
        await in_database(Session.objects.filter(pk=lab.session.pk).update, desired_state=desired_state)
        run.emit("RUN_ERROR", code="RunnerStopped", message="The runner was stopped.")

    lab.runner.script = script
    await lab.node()
    await lab.send("hello")
    await lab.ended()
    message = await in_database(SessionMessage.objects.get, session=lab.session, event_type="user")
    assert (message.delivery, message.reason) == ("failed", reason)


async def test_a_plain_agent_without_numbers_runs_but_is_never_posted_twice(lab: Lab) -> None:
    lab.runner.numbered = False
    node = await lab.node()
    await lab.send("hello")
    await lab.ended()

    async def script(run: FakeRun) -> None:
        run.start()
        await asyncio.Event().wait()

    lab.runner.script = script
    await lab.send("again")

    async def started() -> Any:
        return len([e for e in await lab.events() if e["type"] == "RUN_STARTED"]) == 2

    await eventually(started, "the second run starts")
    await node.kill()
    await lab.node()
    events = await lab.ended(2)
    assert events[-1]["code"] == "StreamLost"
    assert len(lab.runner.posts) == 2


async def test_garbage_of_a_runner_is_stored_as_a_mark(lab: Lab) -> None:
    async def script(run: FakeRun) -> None:
        run.start()
        run.emit_raw(b"this is no JSON")
        run.emit_raw(b'{"no": "type"}')
        run.emit("TEXT_MESSAGE_START", messageId="m", role="assistant")
        run.emit_raw(b'{"type":"TEXT_MESSAGE_CONTENT","messageId":"m","delta":"a\\u0000b\\ud800c"}')
        run.emit("TEXT_MESSAGE_END", messageId="m")
        run.emit("CUSTOM", name="big:one", value="x" * 1_500_000)
        run.finish()

    lab.runner.script = script
    await lab.node()
    await lab.send("hello")
    events = await lab.ended()
    assert [e.get("name") for e in events if e["type"] == "CUSTOM"] == [
        "ambient:dropped",
        "ambient:dropped",
        "big:one",
    ]
    assert (await messages(lab))[1][1] == "a\ufffdb\ufffdc"
    assert events[-2]["metadata"]["ambient:cut"] is True


async def test_what_is_stored_is_acknowledged(lab: Lab) -> None:
    finish = asyncio.Event()

    async def script(run: FakeRun) -> None:
        run.start()
        run.say("text")
        await finish.wait()
        run.finish()

    lab.runner.script = script
    await lab.node()
    await lab.send("hello")

    async def acknowledged() -> Any:
        return lab.runner.acks and lab.runner.acks[-1][1] == 4

    await eventually(acknowledged, "four events are acknowledged")
    finish.set()
    await lab.ended()


async def test_an_exit_is_sent_after_a_success_with_an_empty_queue(lab: Lab) -> None:
    from sessions_app.models import Session

    rows = Session.objects.filter(pk=lab.session.pk)
    await in_database(lambda: rows.update(stop_on_run_finished=True))
    await lab.send("one")
    await lab.send("two")
    await lab.node()
    await lab.ended(2)

    async def left() -> Any:
        return lab.runner.exits

    exits = await eventually(left, "the runner is told to exit")
    assert exits == [lab.runner.posts[1]["runId"]]
