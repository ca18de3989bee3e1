"""The pure parts of the claude framework: frames to events, questions, results, the journal, the entries."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from ag_ui.core import ResumeEntry
from ag_ui_validate.pytest_plugin import assert_valid_agui
from ambient_runner.emitter import StreamGuard, dump
from ambient_runner.entries import ApiEntries, EntriesUnavailable, FileEntries, batches, join, split
from ambient_runner.framework import RunFailed
from ambient_runner.frameworks.claude import questions
from ambient_runner.frameworks.claude.journal import Asked, Decision, Journal, State, asked_record
from ambient_runner.frameworks.claude.outcome import Meter, ended
from ambient_runner.frameworks.claude.store import TranscriptStore, deferred
from ambient_runner.frameworks.claude.translate import Known, Translator, result_text
from hypothesis import given
from hypothesis import strategies as st

INPUT = {"threadId": "t", "runId": "r", "messages": [], "state": {}, "tools": [], "context": []}


def stream(kind, **fields):
    return {"kind": "stream", "parent": None, "event": {"type": kind, **fields}}


def streamed(message, *blocks):
    """One message as stream events, each block in two pieces."""
    yield stream("message_start", message={"id": message})
    for index, (kind, text) in enumerate(blocks):
        empty = {"text": {"type": "text"}, "thinking": {"type": "thinking"}}.get(kind)
        call = {"type": "tool_use", "id": f"{message}-call{index}", "name": kind}
        yield stream("content_block_start", index=index, content_block=empty or call)
        name = {"text": ("text_delta", "text"), "thinking": ("thinking_delta", "thinking")}.get(
            kind, ("input_json_delta", "partial_json")
        )
        half = len(text) // 2
        for part in (text[:half], text[half:]):
            yield stream("content_block_delta", index=index, delta={"type": name[0], name[1]: part})
        yield stream("content_block_stop", index=index)
    yield stream("message_stop")


def whole(message, *blocks, parent=None, error=None):
    return {"kind": "assistant", "id": message, "parent": parent, "error": error, "blocks": list(blocks)}


def result(call, content, parent=None, is_error=False):
    block = {"type": "tool_result", "id": call, "content": content, "is_error": is_error}
    return {"kind": "user", "parent": parent, "blocks": [block]}


TEXT = {"type": "text", "text": "hi"}
USE = {"type": "tool_use", "id": "c1", "name": "Bash", "input": {"command": "ls"}}
HELPER = {"type": "tool_use", "id": "a1", "name": "Agent", "input": {"subagent_type": "scout"}}


def translated(frames, known=None):
    """Events of the frames as dictionaries, and that they make a valid run."""
    translator = Translator(known or Known())
    events = [dump(event) for frame in frames for event in translator.feed(frame)]
    guard = StreamGuard(INPUT)
    out = [*guard.start(), *(sent for event in events for sent in guard.feed(event)), *guard.finish()]
    assert_valid_agui(out, max_warnings=0)
    return events


@pytest.mark.parametrize(
    ("frames", "types"),
    [
        pytest.param(
            [*streamed("m", ("text", "hello"))],
            ["TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END"],
            id="text",
        ),
        pytest.param([*streamed("m", ("text", ""))], [], id="empty-text-is-nothing"),
        pytest.param(
            [*streamed("m", ("text", "ab")), whole("m", TEXT)],
            ["TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END"],
            id="what-was-streamed-is-not-repeated",
        ),
        pytest.param(
            [whole("m", TEXT)],
            ["TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END"],
            id="what-was-not-streamed-is-shown",
        ),
        pytest.param([whole("m", TEXT, error="overloaded")], [], id="an-error-is-told-by-the-result"),
        pytest.param(
            [*streamed("m", ("thinking", "hm"))],
            ["REASONING_START", "REASONING_MESSAGE_START"]
            + 2 * ["REASONING_MESSAGE_CONTENT"]
            + ["REASONING_MESSAGE_END", "REASONING_END"],
            id="thinking",
        ),
        pytest.param(
            [whole("m", USE), result("c1", "out")],
            ["TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "TOOL_CALL_RESULT"],
            id="tool",
        ),
        pytest.param(
            [*list(streamed("m", ("text", "cut off")))[:3], *streamed("n", ("text", "ab"))],
            ["TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END"]
            + ["TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END"],
            id="a-message-that-was-begun-again",
        ),
        pytest.param(
            [whole("m", HELPER), whole("s", TEXT, parent="a1"), result("a1", "done")],
            ["TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "SUBAGENT_STARTED"]
            + ["TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END"]
            + ["SUBAGENT_FINISHED", "TOOL_CALL_RESULT"],
            id="sub-agent",
        ),
        pytest.param(
            [whole("m", HELPER), whole("s", TEXT, parent="a1"), result("a1", "broke", is_error=True)],
            ["TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "SUBAGENT_STARTED"]
            + ["TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END"]
            + ["SUBAGENT_ERROR", "TOOL_CALL_RESULT"],
            id="failed-sub-agent",
        ),
        pytest.param(
            [{"kind": "task", "id": "a1", "status": "completed"}], [], id="what-clients-need-not-know"
        ),
    ],
)
def test_frames_become_events(frames, types):
    assert [event["type"] for event in translated(frames)] == types


def test_a_sub_agent_of_a_sub_agent_names_its_parent():
    inner = HELPER | {"id": "a2"}
    frames = [whole("m", HELPER), whole("s", inner, parent="a1"), whole("u", TEXT, parent="a2")]
    frames += [result("a2", "x", parent="a1"), result("a1", "y")]
    starts = [event for event in translated(frames) if event["type"] == "SUBAGENT_STARTED"]
    assert [(event["subagentRunId"], event.get("parentSubagentRunId")) for event in starts] == [
        ("a1", None),
        ("a2", "a1"),
    ]


def test_a_suspended_sub_agent_goes_on_in_the_next_run():
    known = Known()
    first = Translator(known)
    for frame in (whole("m", HELPER), whole("s", USE, parent="a1")):
        first.feed(frame)
    (event,) = first.suspend({"a1": ["ask-c1"]})
    assert dump(event)["outcome"] == {"type": "suspended", "interruptIds": ["ask-c1"]}
    started, call = Translator(known).feed(result("c1", "out", parent="a1"))
    assert (started.type.value, started.subagent_run_id) == ("SUBAGENT_STARTED", "a1")
    assert call.tool_call_id == "c1"


def todos(*states):
    return [{"content": f"step {number}", "status": state} for number, state in enumerate(states)]


@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        pytest.param([], todos("pending"), ["STATE_SNAPSHOT"], id="a-new-plan"),
        pytest.param(todos("pending"), todos("completed"), ["STATE_DELTA"], id="progress"),
        pytest.param(todos("pending"), todos("pending"), [], id="nothing-new"),
        pytest.param(todos("pending"), todos("pending", "pending"), ["STATE_SNAPSHOT"], id="one-more-step"),
        pytest.param([], "nonsense", [], id="no-list"),
        pytest.param([], [{"content": "x", "status": "odd"}, 3], [], id="unknown-entries"),
    ],
)
def test_the_to_do_list_is_the_plan(before, after, events):
    use = [
        whole(
            f"m{number}",
            {"type": "tool_use", "id": f"c{number}", "name": "TodoWrite", "input": {"todos": plan}},
        )
        for number, plan in enumerate((before, after))
    ]
    known = Known()
    translated(use[:1], known)
    assert [e["type"] for e in translated(use[1:], known) if e["type"].startswith("STATE")] == events


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param("plain", "plain", id="text"),
        pytest.param([{"type": "text", "text": "a"}, {"type": "image"}], "a\n[image]", id="parts"),
        pytest.param(None, "", id="nothing"),
    ],
)
def test_results_are_texts(content, text):
    assert result_text(content) == text


block = st.one_of(
    st.tuples(st.sampled_from(["text", "thinking"]), st.text(max_size=20)),
    st.tuples(st.just("Bash"), st.just('{"command": "ls"}')),
)


@given(st.lists(st.tuples(st.lists(block, max_size=4), st.booleans(), st.booleans()), max_size=5))
def test_any_conversation_is_a_valid_run_and_loses_no_text(messages):
    frames, expected = [], ""
    for number, (blocks, cut, answered) in enumerate(messages):
        found = list(streamed(f"m{number}", *blocks))
        frames += found[: len(found) // 2] if cut else found
        if not cut:
            expected += "".join(text for kind, text in blocks if kind == "text")
            if answered:
                frames += [
                    result(f"m{number}-call{index}", "x")
                    for index, (kind, _) in enumerate(blocks)
                    if kind == "Bash"
                ]
    events = translated(frames)
    if not any(cut for _, cut, _ in messages):
        assert "".join(e["delta"] for e in events if e["type"] == "TEXT_MESSAGE_CONTENT") == expected


def asked(tool="Bash", **fields):
    given_input = fields.pop("input", {"command": "ls"})
    return Asked(id="ask-c1", run="r", call="c1", tool=tool, input=given_input, **fields)


def asking(*texts, multi=False):
    options = [{"label": "Red"}, {"label": "Blue"}]
    rows = [{"question": text, "header": "H", "options": options, "multiSelect": multi} for text in texts]
    return asked("AskUserQuestion", input={"questions": rows})


def reply(payload=None, status="resolved"):
    return ResumeEntry(interrupt_id="ask-c1", status=status, payload=payload)


@pytest.mark.parametrize(
    ("item", "answer", "allow", "answers", "reason"),
    [
        pytest.param(asked(), reply({"approved": True}), True, None, "", id="approved"),
        pytest.param(asked(), reply({"approved": False, "reason": "no"}), False, None, ": no", id="denied"),
        pytest.param(
            asked(), reply({"approved": False}), False, None, "was not run.", id="denied-without-why"
        ),
        pytest.param(asked(), reply(status="cancelled"), False, None, "without an answer", id="abandoned"),
        pytest.param(asking("A?"), reply({"answer": "Red"}), True, {"A?": "Red"}, "", id="one-answer"),
        pytest.param(asking("A?"), reply("free"), True, {"A?": "free"}, "", id="a-plain-text"),
        pytest.param(
            asking("A?", "B?"), reply({"q1": "Red", "q2": "x"}), True, {"A?": "Red", "B?": "x"}, "", id="two"
        ),
        pytest.param(
            asking("A?", multi=True),
            reply({"answer": ["Red", "Blue"]}),
            True,
            {"A?": "Red, Blue"},
            "",
            id="several",
        ),
    ],
)
def test_answers_are_decisions(item, answer, allow, answers, reason):
    decision = questions.decide(item, answer)
    assert (decision.allow, decision.answers) == (allow, answers)
    assert reason in decision.reason


@pytest.mark.parametrize(
    ("item", "payload"),
    [
        pytest.param(asked(), {"approved": "yes"}, id="neither-yes-nor-no"),
        pytest.param(asked(), None, id="nothing"),
        pytest.param(asking("A?"), {"answer": 3}, id="no-text"),
        pytest.param(asking("A?", "B?"), {"q1": "x"}, id="one-of-two"),
    ],
)
def test_answers_that_mean_nothing_are_refused(item, payload):
    with pytest.raises(RunFailed) as refused:
        questions.decide(item, reply(payload))
    assert refused.value.code == "InvalidAnswer"


@pytest.mark.parametrize(
    ("item", "reason", "message", "fields"),
    [
        pytest.param(
            asked(), "tool_call", "May I run this command? ls", ["approved", "reason"], id="command"
        ),
        pytest.param(
            asked("Write", input={"a": 1}),
            "tool_call",
            'May I use Write? {"a": 1}',
            ["approved", "reason"],
            id="tool",
        ),
        pytest.param(asking("A?"), "input_required", "A?", ["answer"], id="question"),
        pytest.param(asking("A?", "B?"), "input_required", "A?\nB?", ["q1", "q2"], id="two-questions"),
    ],
)
def test_interrupts(item, reason, message, fields):
    found = questions.interrupt(item, datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1))
    assert (found.reason, found.message, found.expires_at) == (reason, message, "2026-01-01T01:00:00Z")
    assert list(found.response_schema["properties"]) == fields


REPORT = {
    "kind": "result",
    "session": "s",
    "is_error": False,
    "subtype": "success",
    "text": "x",
    "errors": None,
    "status": None,
    "turns": 1,
    "duration_ms": 5,
    "cost": 0.5,
    "models": {},
}


def report(**fields):
    return REPORT | fields


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param({"status": 401}, "CredentialRejected", id="401"),
        pytest.param({"status": 429}, "RateLimited", id="429"),
        pytest.param({"status": 529}, "ModelUnavailable", id="529"),
        pytest.param({"status": 400}, "ModelRefused", id="400"),
        pytest.param({"text": "Not logged in"}, "NotLoggedIn", id="no-key"),
        pytest.param({"text": None, "errors": ["broke"]}, "AgentError", id="other"),
    ],
)
def test_failed_results_have_a_code(fields, code):
    event = ended(report(is_error=True, **fields), Meter(), "t", "r")
    assert (event.type.value, event.code) == ("RUN_ERROR", code)
    assert event.message


def test_usage_and_cost_are_those_of_the_run():
    meter = Meter()
    reports = [(10, 0.5), (15, 0.75), (15, 0.75)]
    ends = [
        ended(report(models={"m": {"inputTokens": tokens}}, cost=cost), meter, "t", "r")
        for tokens, cost in reports
    ]
    assert [event.result["total_cost_usd"] for event in ends] == [0.5, 0.25, 0]
    assert [event.usage and event.usage[0].input_tokens for event in ends] == [10, 5, None]


class Entries:
    """Lists in memory; `away` refuses appends."""

    def __init__(self):
        self.lists, self.away = {}, False

    async def keys(self):
        return sorted(self.lists)

    async def load(self, key):
        return list(self.lists.get(key, []))

    async def append(self, key, entries):
        if self.away:
            raise EntriesUnavailable("away")
        self.lists.setdefault(key, []).extend(entries)


async def test_the_journal_survives():
    entries = Entries()
    journal = Journal(entries)
    await journal.load()
    journal.note(session="s", asked=asked_record([asked(), asking("A?")]))
    journal.note(
        messages=[{"id": "1", "role": "user", "content": "hi"}], plan=[{"title": "x", "status": "pending"}]
    )
    entries.away = True
    with pytest.raises(EntriesUnavailable):
        await journal.save()
    entries.away = False
    await journal.save()
    journal.note(settled={"ask-c1": "decided"})
    journal.note(finished=["ask-c1"], messages=[{"id": "1", "role": "user", "content": "ho"}])
    await journal.save()
    again = Journal(entries)
    await again.load()
    assert again.state == journal.state
    assert again.state.session == "s"
    assert again.state.asked["ask-c1"].finished
    assert [message["content"] for message in again.state.messages] == ["ho"]


def test_messages_are_bounded_in_number():
    state = State()
    for number in range(500):
        state.take({"messages": [{"id": str(number)}]})
    assert [message["id"] for message in state.messages] == [str(number) for number in range(100, 500)]


@given(st.lists(st.text(max_size=40)), st.integers(1, 10))
def test_long_entries_are_kept_in_parts(texts, limit):
    entries = [json.dumps(text) for text in texts] + ['{"ambient:part": "odd"}']
    assert join(split(entries, limit)) == entries
    assert [text for batch in batches(entries) for text in batch] == entries


def test_parts_of_an_append_that_was_cut_off_are_left_out():
    stored = split(['"0123456789"'], 4)
    assert join([*stored[:1], '"next"', *stored]) == ['"next"', '"0123456789"']


async def test_entries_in_files(tmp_path):
    files = FileEntries(tmp_path / "entries")
    assert await files.load("a/b") == []
    await files.append("a/b", ["1", '"\\u2028"'])
    (path,) = (tmp_path / "entries").iterdir()
    with path.open("a") as file:
        file.write('{"cut')
    await files.append("a/b", ["3"])
    assert await FileEntries(tmp_path / "entries").load("a/b") == ["1", '"\\u2028"', "3"]
    assert await files.keys() == ["a/b"]


async def test_an_append_that_nobody_waits_for_any_more_still_counts():
    stored, go = {}, asyncio.Event()

    class Sessions:
        async def sdk_keys(self, session):
            return {}

        async def append_sdk_entries(self, session, key, position, entries):
            await go.wait()
            stored[position] = list(entries)
            return position + len(entries) - 1

    class Api:
        sessions = Sessions()

    entries = ApiEntries("s", lambda call: call(Api()))
    first = asyncio.create_task(entries.append("k", ["1", "2"]))
    await asyncio.sleep(0)
    first.cancel()
    go.set()
    await entries.append("k", ["3"])
    assert stored == {1: ["1", "2"], 3: ["3"]}


def line(uuid, *blocks):
    return {"type": "assistant", "uuid": uuid, "sessionId": "s", "message": {"content": list(blocks)}}


def test_a_waiting_call_is_marked_in_the_transcript():
    entries = [line("u1", TEXT), line("u2", USE), {"type": "last-prompt"}]
    *same, mark = deferred(entries, asked(), "default")
    assert same == entries
    assert (mark["type"], mark["parentUuid"], mark["sessionId"]) == ("attachment", "u2", "s")
    assert mark["attachment"]["toolUseID"] == "c1"
    assert deferred(entries[:1], asked(), "default") == entries[:1]


async def test_the_transcript_store_keeps_no_path_in_its_keys():
    store = TranscriptStore(Entries())
    key = {"project_key": "-tmp-here", "session_id": "s"}
    await store.append(key, [line("u2", USE)])
    await store.append(key | {"subpath": "subagents/agent-1"}, [{"type": "user"}])
    await store.holds({"c1"})
    other = {"project_key": "-srv-there", "session_id": "s"}
    assert await store.load(other) == [line("u2", USE)]
    assert await store.list_subkeys(other) == ["subagents/agent-1"]
    assert await store.load(other | {"session_id": "x"}) is None


def test_a_decision_in_words():
    assert "Make exactly this call again" in questions.told(asked(), Decision(allow=True))
    assert "because" in questions.told(asked(), Decision(allow=False, reason="because"))
    assert "A?: Red" in questions.told(asking("A?"), Decision(allow=True, answers={"A?": "Red"}))
