"""Runs of the claude framework: the real program of the SDK, the fake model, no network and no key."""

import json
import subprocess
import threading

import pytest
from claude_runner import (
    KEY,
    ClaudeSession,
    answer,
    below,
    end_all,
    interrupts,
    kill_program,
    of_type,
    said,
)
from entries_platform import EntriesPlatform
from runner_process import wait_for

from ambient.env import CLAUDE_PYTHON
from tests.e2e.system import command_of, environ_of
from tests.fakes.anthropic_api import FakeApi

pytestmark = pytest.mark.timeout(180)


def serving(server):
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api():
    yield from serving(FakeApi())


@pytest.fixture
def platform():
    yield from serving(EntriesPlatform())


@pytest.fixture
def session(launch, claude_forks, api, platform, tmp_path):
    return ClaudeSession(launch, claude_forks, api, platform, tmp_path)


@pytest.fixture
def alone(launch, claude_forks, api, tmp_path):
    """A session of a runner without a platform."""
    return ClaudeSession(launch, claude_forks, api, None, tmp_path)


def results(events):
    return {event["toolCallId"]: event["content"] for event in of_type(events, "TOOL_CALL_RESULT")}


def test_a_text_is_streamed_with_its_usage_and_cost(alone):
    events = alone.run("hello there")
    assert said(events) == "You said: hello there"
    assert len(of_type(events, "TEXT_MESSAGE_CONTENT")) > 1
    end = events[-1]
    assert end["type"] == "RUN_FINISHED"
    assert end["usage"] == [
        {
            "provider": "anthropic",
            "model": "claude-sonnet-4-6",
            "inputTokens": 120,
            "outputTokens": 25,
            "totalTokens": 145,
            "reasoningTokens": 0,
            "cachedInputTokens": 30,
            "cacheWriteInputTokens": 10,
        }
    ]
    again = alone.run("and again")[-1]
    assert again["usage"] == end["usage"]
    assert again["result"]["total_cost_usd"] == pytest.approx(end["result"]["total_cost_usd"])
    assert end["result"]["total_cost_usd"] > 0


def test_a_tool_runs_and_its_result_is_shown(alone):
    alone.spec["allowed_tools"] = ["Bash"]
    events = alone.run("do bash: echo made > out.txt; cat out.txt")
    [start] = of_type(events, "TOOL_CALL_START")
    assert start["toolCallName"] == "Bash"
    arguments = "".join(event["delta"] for event in of_type(events, "TOOL_CALL_ARGS"))
    assert json.loads(arguments)["command"] == "echo made > out.txt; cat out.txt"
    assert results(events) == {start["toolCallId"]: "made"}
    assert "Result: made" in said(events)
    assert alone.lines("out.txt") == ["made"]


def test_thinking_is_reasoning(alone):
    events = alone.run("do think: the sea")
    thought = "".join(event["delta"] for event in of_type(events, "REASONING_MESSAGE_CONTENT"))
    assert thought == "They said 'the sea'. I answer."
    assert said(events) == "I thought about the sea."


def test_the_to_do_list_is_the_plan(alone):
    events = alone.run("do plan")
    [snapshot] = of_type(events, "STATE_SNAPSHOT")
    assert snapshot["snapshot"] == {
        "plan": [{"title": "Look", "status": "in_progress"}, {"title": "Write", "status": "pending"}]
    }
    changes = [change for event in of_type(events, "STATE_DELTA") for change in event["delta"]]
    assert changes[-1] == {"op": "replace", "path": "/plan/1/status", "value": "completed"}


def test_a_sub_agents_events_are_its_own(alone):
    alone.spec["allowed_tools"] = ["Bash"]
    events = alone.run("do agent: do bash: echo sub > out.txt")
    [started] = of_type(events, "SUBAGENT_STARTED")
    assert started["name"] == "general-purpose"
    assert started["description"] == "Help me"
    own = [event for event in events if event.get("subagentRunId") == started["subagentRunId"]]
    assert {"TEXT_MESSAGE_CONTENT", "TOOL_CALL_START", "TOOL_CALL_RESULT"} <= {e["type"] for e in own}
    assert len(of_type(events, "SUBAGENT_FINISHED")) == 1
    assert alone.lines("out.txt") == ["sub"]


@pytest.mark.parametrize(
    "restart",
    [
        pytest.param(None, id="same-process"),
        pytest.param(False, id="after-a-kill"),
        pytest.param(True, id="on-another-machine"),
    ],
)
class TestPeople:
    """What a person answers, in the living process, after a kill, and where only the platform remembers."""

    @pytest.fixture
    def asked(self, session, restart):
        def ask(text):
            events = session.run(text)
            if restart is not None:
                session.restart(other_machine=restart)
            return events

        return ask

    def test_an_approved_call_runs_once(self, session, asked):
        events = asked("do bash: echo x >> out.txt")
        types = [event["type"] for event in events[-3:]]
        assert types == ["STATE_SNAPSHOT", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]
        [interrupt] = interrupts(events)
        assert interrupt["reason"] == "tool_call"
        assert interrupt["message"] == "May I run this command? echo x >> out.txt"
        assert interrupt["responseSchema"]["required"] == ["approved"]
        assert session.lines("out.txt") == []
        reply = answer(events, {"approved": True})
        resumed = session.run(None, resume=reply)
        assert list(results(resumed)) == [interrupt["toolCallId"]]
        assert not of_type(resumed, "TOOL_CALL_START")
        assert resumed[-1].get("outcome") is None
        assert "Result:" in said(resumed)
        assert session.lines("out.txt") == ["x"]
        repeated = session.run(None, resume=reply)
        assert "decided before" in said(repeated)
        assert session.lines("out.txt") == ["x"]
        assert "You said: bye" in said(session.run("bye"))

    def test_a_denied_call_does_not_run_and_the_agent_is_told_why(self, session, asked):
        events = asked("do bash: echo x >> out.txt")
        resumed = session.run(None, resume=answer(events, {"approved": False, "reason": "too risky"}))
        [content] = results(resumed).values()
        assert "too risky" in content
        assert "too risky" in said(resumed)
        assert session.lines("out.txt") == []

    def test_an_abandoned_call_does_not_run(self, session, asked):
        events = asked("do bash: echo x >> out.txt")
        resumed = session.run(None, resume=answer(events, status="cancelled"))
        assert "without an answer" in said(resumed)
        assert session.lines("out.txt") == []

    def test_a_question_gets_its_answer(self, session, asked):
        events = asked("do ask: Which colour?")
        [interrupt] = interrupts(events)
        assert (interrupt["reason"], interrupt["message"]) == ("input_required", "Which colour?")
        assert interrupt["responseSchema"]["properties"]["answer"]["examples"] == ["Red", "Blue"]
        resumed = session.run(None, resume=answer(events, {"answer": "Blue"}))
        assert '"Which colour?"="Blue"' in said(resumed)

    def test_a_second_call_of_the_same_kind_is_asked_for_again(self, session, asked):
        events = asked("do twice: echo x >> out.txt")
        second = session.run(None, resume=answer(events, {"approved": True}))
        assert session.lines("out.txt") == ["x"]
        assert interrupts(second)[0]["id"] != interrupts(events)[0]["id"]
        third = session.run(None, resume=answer(second, {"approved": True}))
        assert "Results:" in said(third)
        assert session.lines("out.txt") == ["x", "x"]

    def test_a_message_instead_of_an_answer_goes_on_without_the_call(self, session, asked):
        asked("do bash: echo x >> out.txt")
        events = session.run("never mind")
        assert "never mind" in said(events)
        assert "was not run" in said(events)
        assert session.lines("out.txt") == []

    def test_the_conversation_goes_on(self, session, asked):
        asked("remember the sea")
        assert "remember the sea" in said(session.run("do recall"))


def test_one_of_two_calls_in_a_turn_is_answered_at_a_time(session):
    first = session.run("do parallel: echo a >> out.txt && echo b >> out.txt")
    assert len(interrupts(first)) == 1
    second = session.run(None, resume=answer(first, {"approved": True}))
    assert len(interrupts(second)) == 1
    session.run(None, resume=answer(second, {"approved": True}))
    assert session.lines("out.txt") == ["a", "b"]


def test_a_sub_agents_call_is_approved(session):
    events = session.run("do agent: do bash: echo s >> out.txt")
    [interrupt] = interrupts(events)
    [suspended] = of_type(events, "SUBAGENT_FINISHED")
    assert suspended["outcome"] == {"type": "suspended", "interruptIds": [interrupt["id"]]}
    resumed = session.run(None, resume=answer(events, {"approved": True}))
    assert interrupt["toolCallId"] in results(resumed)
    assert session.lines("out.txt") == ["s"]


@pytest.mark.parametrize(
    ("decision", "lines", "words"),
    [
        pytest.param({"approved": True}, ["s"], "Made again", id="approved-is-granted-once"),
        pytest.param({"approved": False, "reason": "too risky"}, [], "too risky", id="denied"),
    ],
)
def test_a_sub_agents_decision_is_told_after_a_restart(session, decision, lines, words):
    events = session.run("do agent: do bash: echo s >> out.txt")
    session.restart()
    resumed = session.run(None, resume=answer(events, decision))
    assert words in said(resumed)
    assert session.lines("out.txt") == lines
    assert interrupts(session.run("do bash: echo s >> out.txt"))
    assert session.lines("out.txt") == lines


def test_a_call_cut_off_by_a_kill_is_not_run_again(session):
    events = session.run("do bash: echo x >> out.txt; sleep 300")
    reply = answer(events, {"approved": True})
    with session.runner.run(None, "run-cut", resume=reply):
        wait_for(lambda: session.lines("out.txt"), "the command began")
        end_all(session.runner)
    session.start()
    resumed = session.run(None, resume=reply)
    assert "may have started" in said(resumed)
    assert session.lines("out.txt") == ["x"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        pytest.param([{"interruptId": "nothing", "status": "resolved"}], "UnknownInterrupt", id="unknown"),
        pytest.param({"approved": "yes"}, "InvalidAnswer", id="neither-yes-nor-no"),
    ],
)
def test_a_wrong_answer_is_a_named_error_and_the_right_one_still_works(session, reply, code):
    events = session.run("do bash: echo x >> out.txt")
    wrong = session.run(None, resume=reply if isinstance(reply, list) else answer(events, reply))
    assert wrong[-1]["code"] == code
    session.run(None, resume=answer(events, {"approved": True}))
    assert session.lines("out.txt") == ["x"]


def test_an_interrupted_run_is_cancelled_and_the_next_one_works(alone):
    alone.run("hello")
    with alone.runner.run("do slow: 600", "run-slow") as stream:
        stream.until(lambda event: event["type"] == "TEXT_MESSAGE_CONTENT")
        alone.runner.http.post("/interrupt", json={"run": "run-slow"}).raise_for_status()
        events = stream.rest()
    assert events[-1]["outcome"] == {"type": "cancelled"}
    assert said(alone.run("again")) == "You said: again"


def test_a_killed_program_fails_the_run_and_the_next_one_goes_on(session):
    session.run("remember the sea")
    with session.runner.run("do slow: 600", "run-slow") as stream:
        stream.until(lambda event: event["type"] == "TEXT_MESSAGE_CONTENT")
        kill_program(session.runner)
        events = stream.rest()
    assert (events[-1]["type"], events[-1]["code"]) == ("RUN_ERROR", "AgentEnded")
    assert "remember the sea" in said(session.run("do recall"))


def test_a_program_that_was_killed_while_it_waited_is_started_again(session):
    events = session.run("do bash: echo x >> out.txt")
    kill_program(session.runner)
    resumed = session.run(None, resume=answer(events, {"approved": True}))
    assert "Result:" in said(resumed)
    assert session.lines("out.txt") == ["x"]
    kill_program(session.runner)
    assert "You said: bye" in said(session.run("bye"))


def test_without_a_key_the_run_says_so(alone):
    alone.key = ""
    events = alone.run("hello")
    assert (events[-1]["type"], events[-1]["code"]) == ("RUN_ERROR", "NotLoggedIn")


@pytest.mark.parametrize(
    ("status", "code"),
    [pytest.param(401, "CredentialRejected", id="401"), pytest.param(529, "ModelUnavailable", id="529")],
)
def test_errors_of_the_model_fail_the_run_with_their_reason(alone, api, status, code):
    alone.run("hello")
    api.failures = [status] * 2
    events = alone.run("again")
    assert (events[-1]["type"], events[-1]["code"]) == ("RUN_ERROR", code)
    assert str(status) in events[-1]["message"]
    [retry] = of_type(events, "CUSTOM")
    assert (retry["name"], retry["value"]["error_status"]) == ("claude:api_retry", status)
    api.failures = []
    assert said(alone.run("once more")) == "You said: once more"


def test_the_key_is_in_no_event_and_no_log(alone):
    alone.spec["allowed_tools"] = ["Bash"]
    events = alone.run("do bash: echo key=$ANTHROPIC_API_KEY")
    assert "key=[redacted]" in json.dumps(events)
    assert KEY not in json.dumps(events) + alone.runner.log()


def test_model_prompt_and_key_reach_the_model(alone, api):
    alone.spec |= {"system_prompt": "Speak like a pirate.", "llm_model": "claude-opus-4-6"}
    alone.run("hello")
    request = api.requests[-1]
    assert request["model"] == "claude-opus-4-6"
    assert "Speak like a pirate." in json.dumps(request["system"])
    assert request["key"] == KEY
    assert "CronCreate" not in {tool["name"] for tool in request["tools"]}


def test_trouble_of_the_store_is_waited_out(session, platform):
    session.start()
    platform.failures = [503, "drop", 503]
    events = session.run("do bash: echo x >> out.txt")
    session.restart(other_machine=True)
    session.run(None, resume=answer(events, {"approved": True}))
    assert session.lines("out.txt") == ["x"]
    assert platform.failures == []


def test_the_conversations_id_is_reported(session, platform):
    end = session.run("hello")[-1]
    reported = wait_for(
        lambda: [row["sdk_session_id"] for row in platform.statuses if "sdk_session_id" in row], "a report"
    )
    assert reported == [end["result"]["sdk_session_id"]]


def test_secrets_of_an_mcp_server_reach_it_and_are_no_argument_of_any_process(alone):
    secret = "canary-of-an-mcp-server"
    arguments = ["-c", "from mcp.server.mcpserver import MCPServer; MCPServer('notes').run()"]
    server = {"command": str(CLAUDE_PYTHON), "args": arguments, "env": {"NOTES": secret}}
    alone.spec["mcp_servers"] = {"notes": server}
    alone.variables["MCP_TIMEOUT"] = "120000"  # the program ends a server that is slow to start
    alone.run("hello")

    def servers():
        return [pid for pid in below(alone.runner.process.pid) if "MCPServer" in command_of(pid)]

    started = wait_for(servers, "its process")
    assert [environ_of(pid).get("NOTES") for pid in started] == [secret]
    commands = "\n".join(map(command_of, below(alone.runner.process.pid)))
    assert ("--mcp-config" in commands, secret in commands) == (True, False)
    found = subprocess.run(["grep", "-rl", secret, alone.workspace], capture_output=True, text=True)
    assert found.stdout == ""
