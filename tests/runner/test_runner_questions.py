"""Interrupts and their answers, also over a restart of the process."""

import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from runner_process import wait_for
from test_runner_demo import last, results, said


def answer(name, payload=None, status="resolved"):
    return {"interruptId": name, "status": status} | ({} if payload is None else {"payload": payload})


def interrupts(events):
    return last(events)["outcome"]["interrupts"]


@pytest.fixture(params=[pytest.param(False, id="same-process"), pytest.param(True, id="after-a-kill")])
def answering(request, launch):
    """A prompt's run, and the runner that gets its answer."""
    first = launch()

    def ask(prompt):
        events = first.events_of(prompt)
        if not request.param:
            return first, events
        first.kill()
        return launch(), events

    return ask


def test_a_question_is_put_as_the_protocol_has_it(runner):
    events = runner.events_of("/ask Which colour?")
    assert [event["type"] for event in events[-3:]] == ["STATE_SNAPSHOT", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]
    (interrupt,) = interrupts(events)
    assert (interrupt["reason"], interrupt["message"]) == ("input_required", "Which colour?")
    assert interrupt["responseSchema"]["required"] == ["answer"]
    assert interrupt["expiresAt"].endswith("Z")


@pytest.mark.parametrize(
    "payload", [pytest.param("blue", id="text"), pytest.param({"answer": "blue"}, id="object")]
)
def test_an_answer_is_used(answering, payload):
    runner, events = answering("/ask Which colour?")
    resumed = runner.events_of(None, "run-2", resume=[answer("run-1-q1", payload)])
    assert_valid_agui(resumed, max_warnings=0)
    assert "with: blue" in said(resumed)


def test_an_abandoned_question_is_said(answering):
    runner, events = answering("/ask")
    resumed = runner.events_of(None, "run-2", resume=[answer("run-1-q1", status="cancelled")])
    assert "without an answer" in said(resumed)


@pytest.mark.parametrize(
    ("reply", "runs", "words"),
    [
        pytest.param(
            answer("run-1-a1", {"approved": True}), 1, "ran the command once: exit code 0", id="approved"
        ),
        pytest.param(
            answer("run-1-a1", {"approved": False, "reason": "too risky"}), 0, "too risky", id="denied"
        ),
        pytest.param(answer("run-1-a1", status="cancelled"), 0, "abandoned", id="abandoned"),
    ],
)
def test_a_decision_is_carried_out_exactly_once(answering, reply, runs, words):
    runner, events = answering("/approve echo done >> ../count.txt")
    (interrupt,) = interrupts(events)
    assert interrupt["reason"] == "tool_call"
    assert not results(events)
    count = runner.workspace / "repos" / "count.txt"
    for run in ("run-2", "run-3"):
        if run == "run-3" and reply["status"] == "cancelled":
            continue  # an abandoned question is gone
        resumed = runner.events_of(None, run, resume=[reply])
        assert_valid_agui(resumed, max_warnings=0)
        assert [call for call, _ in results(resumed)] == [interrupt["toolCallId"]]
        assert not [
            event
            for event in resumed
            if event["type"].startswith("TOOL_CALL_") and "RESULT" not in event["type"]
        ]
        assert (words if run == "run-2" else "not run it again") in said(resumed)
    assert (count.read_text().count("done") if count.exists() else 0) == runs


def test_a_command_cut_off_by_a_kill_is_not_run_again(launch):
    first = launch()
    events = first.events_of("/approve echo done >> ../count.txt; sleep 300")
    count = first.workspace / "repos" / "count.txt"
    reply = [answer("run-1-a1", {"approved": True})]
    with first.run(None, "run-2", resume=reply):
        wait_for(count.exists, "the command began")
        first.kill()
    resumed = launch().events_of(None, "run-3", resume=reply)
    assert results(resumed)[0][0] == interrupts(events)[0]["toolCallId"]
    assert "not run it again" in said(resumed)
    assert count.read_text() == "done\n"


def test_several_need_all_answers(answering):
    runner, events = answering("/several echo hi")
    assert [item["reason"] for item in interrupts(events)] == [
        "input_required",
        "input_required",
        "tool_call",
    ]
    partly = runner.events_of(None, "run-2", resume=[answer("run-1-q1", "a")])
    assert last(partly)["code"] == "IncompleteResume"
    replies = [answer("run-1-q1", "a"), answer("run-1-q2", "b"), answer("run-1-a1", {"approved": True})]
    resumed = runner.events_of(None, "run-3", resume=replies)
    assert_valid_agui(resumed, max_warnings=0)
    assert results(resumed)[0][1] == "hi\n(exit code 0)"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        pytest.param(answer("nothing", "x"), "UnknownInterrupt", id="unknown"),
        pytest.param(answer("run-1-a1", {"approved": "yes"}), "InvalidAnswer", id="neither-yes-nor-no"),
        pytest.param(answer("run-1-a1"), "InvalidAnswer", id="no-payload"),
    ],
)
def test_a_wrong_answer_is_a_named_error(runner, reply, code):
    runner.events_of("/approve echo hi")
    wrong = runner.events_of(None, "run-2", resume=[reply])
    assert_valid_agui(wrong, max_warnings=0)
    assert last(wrong)["code"] == code
    right = runner.events_of(None, "run-3", resume=[answer("run-1-a1", {"approved": True})])
    assert results(right)[0][1].startswith("hi")


def test_a_plain_message_drops_open_questions(runner):
    runner.events_of("/ask")
    runner.events_of("/echo never mind", "run-2")
    assert (
        last(runner.events_of(None, "run-3", resume=[answer("run-1-q1", "x")]))["code"] == "UnknownInterrupt"
    )
