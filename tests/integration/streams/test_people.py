"""Questions, approvals, interrupts, edits: what people do to runs."""

import asyncio
from typing import Any

import pytest

from ambient.common.exceptions import Conflict, NotFound
from projects_app.models import User
from projects_app.services.api_keys import api_key_create
from sessions_app.choices import DesiredState, Phase
from sessions_app.models import Interrupt, Run, Session, SessionMessage
from sessions_app.services.interrupts import interrupt_answer, interrupts_expire
from sessions_app.services.runs import run_interrupt_request
from sessions_app.services.sending import message_cancel, message_edit, message_retry, message_send
from tests.fakes.runner import FakeRun
from tests.integration.streams.conftest import SHORT, Lab, eventually, in_database
from tests.integration.streams.test_edges import Web, web  # noqa: F401 - a fixture

TEXT = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}


def asks(*interrupts: dict[str, Any]) -> Any:
    """A script whose first run asks; a resumed one says what it was told."""

    async def script(run: FakeRun) -> None:
        run.start()
        if "resume" in run.input:
            run.say(repr([(r["status"], r.get("payload")) for r in run.input["resume"]]))
            run.finish()
        elif run.text == "ask":
            run.finish(outcome={"type": "interrupt", "interrupts": list(interrupts)})
        else:
            run.say(run.text)
            run.finish()

    return script


QUESTION = {"id": "q1", "reason": "input_required", "message": "Which?", "responseSchema": TEXT}
APPROVAL = {"id": "a1", "reason": "tool_call", "toolCallId": "t", "message": "May I?"}


async def asked(lab: Lab, *interrupts: dict[str, Any]) -> None:
    lab.runner.script = asks(*interrupts)
    await lab.node()
    await lab.send("ask")
    await lab.ended()


async def last_text(lab: Lab) -> str:
    rows = SessionMessage.objects.filter(session=lab.session, event_type="assistant").order_by("-seq")
    return str(await in_database(lambda: rows.values_list("payload", flat=True).first()))


async def answer(lab: Lab, interrupt_id: str, actor: str = "ann", **fields: Any) -> Interrupt:
    return await in_database(
        interrupt_answer,
        session=lab.session,
        interrupt_id=interrupt_id,
        actor=actor,
        **{"status": "resolved"} | fields,
    )


async def test_an_answer_after_the_holder_died_goes_on_with_the_run(lab: Lab) -> None:
    await asked(lab, APPROVAL)
    await lab.nodes[0].kill()
    await answer(lab, "a1", payload={"approved": True})
    await lab.node()
    await lab.ended(2)
    assert await last_text(lab) == "[('resolved', {'approved': True})]"
    assert lab.runner.posts[1]["parentRunId"] == lab.runner.posts[0]["runId"]


async def test_the_run_goes_on_only_when_everything_is_answered(lab: Lab) -> None:
    await asked(lab, APPROVAL, QUESTION)
    await answer(lab, "a1", payload={"approved": False})
    assert await in_database(Run.objects.filter(resumes__isnull=False).count) == 0
    await answer(lab, "q1", status="cancelled")
    await lab.ended(2)
    assert await last_text(lab) == "[('resolved', {'approved': False}), ('cancelled', None)]"


async def test_who_answers_second_hears_who_was_first(lab: Lab) -> None:
    await asked(lab, APPROVAL, QUESTION)
    await answer(lab, "a1", payload=1)
    await answer(lab, "a1", payload=1)
    with pytest.raises(Conflict, match="answered by ann"):
        await answer(lab, "a1", actor="bob", payload=1)
    changed = await answer(lab, "a1", payload=2)
    assert '"payload": 2' in (changed.answer or "")
    await answer(lab, "q1", payload={"answer": "x"})
    await lab.ended(2)
    with pytest.raises(Conflict, match="first answer"):
        await answer(lab, "a1", payload=3)
    with pytest.raises(NotFound):
        await answer(lab, "nothing")


async def test_two_answers_at_once_are_one_resumed_run(lab: Lab) -> None:
    await asked(lab, APPROVAL)
    results = await asyncio.gather(
        *(answer(lab, "a1", actor=f"user{n}", payload=n) for n in range(6)), return_exceptions=True
    )
    assert sum(not isinstance(result, BaseException) for result in results) == 1
    await lab.ended(2)
    assert await in_database(Run.objects.filter(resumes__isnull=False).count) == 1


async def test_a_plain_message_answers_the_one_question(lab: Lab) -> None:
    await asked(lab, QUESTION)
    message = await lab.send("the red one")
    await lab.ended(2)
    assert await last_text(lab) == "[('resolved', {'answer': 'the red one'})]"
    stored = await in_database(lambda: SessionMessage.objects.get(pk=message.pk))
    assert stored.delivery == "done"


async def test_a_plain_message_waits_for_an_approval(lab: Lab) -> None:
    await asked(lab, APPROVAL)
    message = await lab.send("hurry")
    assert (message.delivery, message.reason) == ("queued", "WaitsForAnswer")
    await answer(lab, "a1", payload={"approved": True})
    await lab.ended(3)
    assert [p["messages"][-1]["content"] for p in lab.runner.posts if "resume" not in p] == ["ask", "hurry"]
    assert await last_text(lab) == "hurry"


async def test_an_answer_to_a_stopped_session_is_a_wish_to_start(lab: Lab) -> None:
    await asked(lab, APPROVAL)
    rows = Session.objects.filter(pk=lab.session.pk)
    await in_database(lambda: rows.update(phase=Phase.STOPPED, desired_state=DesiredState.STOPPED))
    await answer(lab, "a1", payload={"approved": True})
    session = await in_database(rows.get)
    assert (session.phase, session.desired_state) == (Phase.PENDING, DesiredState.RUNNING)


async def test_what_nobody_answers_expires_and_the_run_goes_on(lab: Lab) -> None:
    await asked(lab, APPROVAL | {"expiresAt": "2001-01-01T00:00:00Z"})
    await lab.ended(2)
    assert await last_text(lab) == "[('cancelled', None)]"
    assert await in_database(interrupts_expire) == 0
    with pytest.raises(Conflict, match="expired"):
        await answer(lab, "a1")


async def test_an_agui_run_has_to_answer_what_is_open(web: Web) -> None:  # noqa: F811
    lab = web.lab
    lab.runner.script = asks(APPROVAL, QUESTION)
    await lab.send("ask")
    await lab.ended()
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "next"}]}
    async with web.http.post(web.path("agui/run"), json=body) as response:
        assert response.status == 409
        assert "a1, q1" in (await response.json())["reason"]
    entry = {"interruptId": "a1", "status": "resolved", "payload": 1}
    async with web.http.post(web.path("agui/run"), json={"resume": [entry]}) as response:
        assert response.status == 409
        assert "q1" in (await response.json())["reason"]
    full = {"resume": [entry, {"interruptId": "q1", "status": "cancelled"}], "runId": "resumed"}
    for _ in range(2):
        async with web.sse("agui/run", "POST", json=full) as events:
            got = [event for _, event in await events.rest()]
        assert got[0]["runId"] == "resumed"
        assert got[-1]["type"] == "RUN_FINISHED"
    async with web.sse("agui/run", "POST", json={"resume": full["resume"]}) as events:
        assert (await events.rest())[0][1]["runId"] == "resumed"


async def test_an_answer_that_does_not_fit_is_refused_and_may_be_given_again(web: Web) -> None:  # noqa: F811
    lab = web.lab
    lab.runner.script = asks(QUESTION)
    await lab.send("ask")
    await lab.ended()
    path = web.path("interrupts/q1/answer")
    for body in ({"status": "resolved"}, {"status": "resolved", "payload": {"answer": 5}}):
        async with web.http.post(path, json=body) as response:
            assert response.status == 400
            assert "payload" in (await response.json())["reason"]
    entry = {"interruptId": "q1", "status": "resolved", "payload": "Blue"}
    async with web.http.post(web.path("agui/run"), json={"resume": [entry]}) as response:
        assert response.status == 400
    async with web.http.post(path, json={"status": "resolved", "payload": {"answer": "Blue"}}) as response:
        assert response.status == 200
    await lab.ended(2)
    assert await last_text(lab) == "[('resolved', {'answer': 'Blue'})]"


async def test_interrupts_and_runs_are_listed_and_answered_over_http(web: Web) -> None:  # noqa: F811
    lab = web.lab
    lab.runner.script = asks(APPROVAL)
    await lab.send("ask")
    await lab.ended()
    async with web.http.get(web.path("interrupts")) as response:
        listed = await response.json()
    assert (listed["total"], listed["items"][0]["state"], listed["items"][0]["type"]) == (
        1,
        "open",
        "approval",
    )
    path = web.path(f"interrupts/{listed['items'][0]['id']}/answer")
    async with web.http.post(path, json={"status": "resolved", "payload": {"approved": True}}) as response:
        assert response.status == 200
        assert (await response.json())["answered_by"] == "ann"
    await lab.ended(2)
    async with web.http.get(web.path("runs")) as response:
        runs = await response.json()
    assert [run["state"] for run in runs["items"]] == ["finished", "interrupted"]


async def test_an_interrupt_reaches_the_agent_through_the_holder(lab: Lab) -> None:
    async def script(run: FakeRun) -> None:
        run.start()
        await run.interrupted.wait()
        run.finish(outcome={"type": "cancelled"})

    lab.runner.script = script
    await lab.node()
    await lab.send("long")

    async def started() -> Any:
        return await lab.events()

    await eventually(started, "the run starts")
    run = await in_database(run_interrupt_request, session=lab.session)
    await lab.ended()
    assert lab.runner.interrupts == [run.pk]
    assert await in_database(lambda: Run.objects.get(pk=run.pk).state) == "cancelled"
    assert await in_database(run_interrupt_request, session=lab.session) is None


async def test_an_agent_that_ignores_its_interrupt_is_ended_and_restarted(lab: Lab) -> None:
    async def script(run: FakeRun) -> None:
        run.start()
        run.emit("TEXT_MESSAGE_START", messageId="m", role="assistant")
        await asyncio.Event().wait()

    lab.runner.script = script
    lab.runner.ignore_interrupts = True
    await lab.node(timing=SHORT)
    await lab.send("long")

    async def started() -> Any:
        return await lab.events()

    await eventually(started, "the run starts")
    await lab.send("next")
    await in_database(run_interrupt_request, session=lab.session)
    events = await lab.ended()
    assert events[-1]["outcome"] == {"type": "cancelled"}

    async def restarted() -> Any:
        session = await in_database(lambda: Session.objects.get(pk=lab.session.pk))
        return session.phase == Phase.PENDING and session.generation == 2

    await eventually(restarted, "a new runner is asked for")
    assert len(lab.runner.posts) == 1


async def test_a_queued_message_can_be_edited_and_taken_back(lab: Lab) -> None:
    first, second = await lab.send("one"), await lab.send("two")
    await in_database(message_edit, session=lab.session, message_id=first.pk, text="ONE")
    await in_database(message_cancel, session=lab.session, message_id=second.pk)
    await lab.node()
    await lab.ended()
    assert [post["messages"][-1]["content"] for post in lab.runner.posts] == ["ONE"]
    for late in (
        in_database(message_edit, session=lab.session, message_id=first.pk, text="x"),
        in_database(message_cancel, session=lab.session, message_id=first.pk),
    ):
        with pytest.raises(Conflict):
            await late


async def test_a_failed_message_is_sent_again_as_a_new_run(lab: Lab) -> None:
    lab.runner.refuse_post = (500, "Broken")
    await lab.node()
    message = await lab.send("again")
    await lab.ended()
    lab.runner.refuse_post = None
    await in_database(message_retry, session=lab.session, message_id=message.pk, actor="ann")
    await lab.ended(2)
    assert await last_text(lab) == "You said: again"
    with pytest.raises(Conflict):
        await in_database(message_retry, session=lab.session, message_id=message.pk, actor="ann")


async def test_the_same_message_twice_is_one(lab: Lab) -> None:
    both = await asyncio.gather(*(lab.send("once", client_id="key") for _ in range(5)))
    assert len({message.pk for message in both}) == 1
    assert await in_database(Run.objects.filter(session=lab.session).count) == 1
    with pytest.raises(Conflict, match="another message"):
        await lab.send("something else", client_id="key")
    with pytest.raises(Conflict, match="another message"):
        await in_database(message_send, session=lab.session, actor="bob", text="once", client_id="key")


async def test_messages_with_one_key_are_one_and_none_is_lost_behind_another(web: Web, project: Any) -> None:  # noqa: F811
    bob = await in_database(User.objects.create_superuser, "bob", "a long password")
    _, token = await in_database(api_key_create, user=bob)
    bobs = {"Authorization": f"Bearer {token}"}

    async def post(text: str, **headers: str) -> tuple[int, Any]:
        key = {"Idempotency-Key": "1"} | headers
        async with web.http.post(web.path("messages"), json={"payload": text}, headers=key) as answer:
            return answer.status, await answer.json()

    first = await asyncio.gather(*(post("from ann") for _ in range(4)))
    assert {status for status, _ in first} == {201}
    assert len({body["id"] for _, body in first}) == 1
    assert (await post("another text"))[0] == 409
    status, body = await post("from bob", **bobs)
    assert (status, body["payload"]) == (201, "from bob")
    stored = SessionMessage.objects.filter(session=web.lab.session, event_type="user").order_by("seq")
    assert await in_database(lambda: list(stored.values_list("payload", flat=True))) == [
        "from ann",
        "from bob",
    ]


async def test_a_message_to_a_deleted_session_is_refused(lab: Lab) -> None:
    rows = Session.objects.filter(pk=lab.session.pk)
    await in_database(lambda: rows.update(desired_state=DesiredState.DELETED))
    with pytest.raises(Conflict):
        await lab.send("hello")


async def test_a_hint_at_the_moment_of_the_end_does_not_keep_the_holder(lab: Lab) -> None:
    node = await lab.node()
    await lab.send("one")
    await lab.ended()  # now the holder waits for a hint or its next poll
    assert node.holder is not None
    node.holder.hint(lab.session.pk)
    async with asyncio.timeout(30):
        await node.kill()
