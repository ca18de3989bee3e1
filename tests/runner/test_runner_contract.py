"""The runner's HTTP contract on real processes: reading, acknowledging, fencing, ending."""

import contextlib
import hmac
import json
import signal

import httpx
import pytest
from ag_ui_validate.pytest_plugin import assert_valid_agui
from runner_process import LAUNCH_TOKEN, PATIENCE, SECRET, token, wait_for

QUICK = {"AMBIENT_RUNNER_HEARTBEAT_SECONDS": "0.05"}
LIMIT = 64 * 1024
RUN = {"threadId": "t", "runId": "run-9", "messages": []}


def tick(number):
    return lambda event: event.get("delta", "").startswith(f"tick {number} ")


def test_health_proves_the_secret(shared_runner):
    http = shared_runner.http
    plain = http.get("/health", headers={"X-Ambient-Session-Token": ""}).json()
    assert "proof" not in plain
    assert len(bytes.fromhex(plain["instance"])) == 8
    assert plain == {
        "status": "healthy",
        "session_id": "session-1",
        "generation": 3,
        "attempt": 1,
        "instance": plain["instance"],
        "active_run": None,
    }
    proof = http.get("/health", params={"nonce": "n1"}).json()["proof"]
    text = f"session-1:3:{plain['instance']}:n1"
    assert proof == hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest()
    assert http.get("/health", params={"nonce": "n" * 129}).status_code == 400


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(None, id="no-token"),
        pytest.param("", id="empty-token"),
        pytest.param("wrong", id="wrong-token"),
        pytest.param(token("another-secret-0123456789"), id="token-of-another-secret"),
        pytest.param("\xff", id="no-ascii"),
    ],
)
@pytest.mark.parametrize("path", ["/capabilities", "/runs/x/events", "/content/list", "/nowhere", "/health/"])
def test_everything_else_needs_the_token(shared_runner, path, sent):
    headers = {} if sent is None else {"X-Ambient-Session-Token": sent.encode("latin-1")}
    with httpx.Client(base_url=shared_runner.url, trust_env=False, verify=False, timeout=PATIENCE) as http:
        answer = http.get(path, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "content", "headers", "expected"),
    [
        pytest.param("GET", "/nowhere", None, {}, (404, "NotFound"), id="unknown-route"),
        pytest.param("DELETE", "/", None, {}, (405, "MethodNotAllowed"), id="unknown-method"),
        pytest.param("POST", "/", b"{", {}, (400, "BadJson"), id="no-json"),
        pytest.param("POST", "/", b'"\\ud800"', {}, (400, "BadJson"), id="lone-surrogate"),
        pytest.param("POST", "/", b"\xff\xfe", {}, (400, "BadJson"), id="no-utf8"),
        pytest.param("POST", "/", b"[" * 100_000, {}, (400, "BadJson"), id="deep-json"),
        pytest.param("POST", "/", b"{}", {}, (422, "BadRunInput"), id="empty-input"),
        pytest.param(
            "POST", "/", json.dumps(RUN | {"runId": ""}), {}, (422, "BadRunInput"), id="empty-run-id"
        ),
        pytest.param(
            "POST", "/", json.dumps(RUN | {"messages": [{"role": "x"}]}), {}, (422, "BadRunInput"), id="role"
        ),
        pytest.param(
            "POST", "/", json.dumps(RUN), {"X-Ambient-Epoch": "one"}, (400, "BadHeader"), id="epoch"
        ),
        pytest.param("GET", "/runs/x/events", None, {"Last-Event-ID": "-1"}, (400, "BadHeader"), id="cursor"),
        pytest.param("GET", "/runs/x/events", None, {}, (404, "RunUnknown"), id="events-of-unknown-run"),
        pytest.param(
            "POST", "/runs/x/ack", b'{"index": 1}', {}, (404, "RunUnknown"), id="ack-of-unknown-run"
        ),
        pytest.param("POST", "/runs/x/ack", b'{"index": true}', {}, (400, "BadField"), id="ack-index"),
        pytest.param("POST", "/runs/x/ack", b"[]", {}, (400, "BadJson"), id="ack-no-object"),
        pytest.param("POST", "/interrupt", b'{"run": 5}', {}, (400, "BadField"), id="interrupt-run"),
        pytest.param("POST", "/exit", b"{}", {}, (400, "BadField"), id="exit-without-run"),
        pytest.param("GET", "/content/file?path=../x", None, {}, (400, "PathRefused"), id="path-escape"),
        pytest.param("GET", "/content/file?path=%00", None, {}, (400, "PathRefused"), id="path-nul"),
        pytest.param("GET", "/content/list?path=/etc", None, {}, (400, "PathRefused"), id="absolute-path"),
        pytest.param("GET", "/content/file?path=none", None, {}, (404, "NotFound"), id="no-file"),
    ],
)
def test_wrong_requests_have_a_named_reason(shared_runner, method, path, content, headers, expected):
    answer = shared_runner.http.request(method, path, content=content, headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == expected
    assert answer.json()["detail"]


def test_content_is_listed_and_read(runner):
    runner.events_of("/echo hi")
    (runner.workspace / "artifacts" / "out.bin").write_bytes(b"\0\xff")
    (runner.workspace / "artifacts" / "link").symlink_to("/etc/passwd")
    items = runner.http.get("/content/list", params={"path": "artifacts"}).json()["items"]
    assert [(item["name"], item["path"], item["isDir"]) for item in items] == [
        ("link", "artifacts/link", False), ("out.bin", "artifacts/out.bin", False),
    ]  # fmt: skip
    answer = runner.http.get("/content/file", params={"path": "artifacts/out.bin"})
    assert (answer.content, answer.headers["content-type"]) == (b"\0\xff", "application/octet-stream")
    assert runner.http.get("/content/file", params={"path": "artifacts/link"}).status_code == 400


def test_capabilities(shared_runner):
    answer = shared_runner.http.get("/capabilities").json()
    assert answer["framework"] == "demo"
    assert answer["capabilities"]["humanInTheLoop"] == {
        "supported": True,
        "approvals": True,
        "interrupts": True,
    }


def test_reattaching_gives_every_index_exactly_once(runner):
    indexes, types = [], []
    with runner.run("/long 2") as stream:
        stream.until(tick(2))
        indexes += stream.indexes
        types += stream.events
    while types[-1]["type"] != "RUN_FINISHED":
        with runner.attach("run-1", indexes[-1]) as stream:
            with contextlib.suppress(AssertionError):
                stream.until(lambda event, so_far=stream: len(so_far.events) >= 3)
            indexes += stream.indexes
            types += stream.events
    assert indexes == list(range(1, len(types) + 1))
    assert_valid_agui(types, max_warnings=0)


def test_a_finished_run_can_be_read_until_the_next_begins(runner):
    events = runner.events_of("/echo one two")
    with runner.attach("run-1") as stream:
        assert stream.rest() == events
    with runner.attach("run-1", len(events)) as stream:
        assert stream.rest() == []
    with runner.attach("run-1", len(events) + 1) as stream:
        assert (stream.response.status_code, stream.response.json()["reason"]) == (400, "IndexUnknown")
    runner.events_of("/echo next", "run-2")
    with runner.attach("run-1") as stream:
        assert stream.response.status_code == 410


def test_a_newer_reader_closes_the_older(runner):
    with runner.run("/long 60") as older:
        older.until(tick(1))
        with runner.attach("run-1", 0) as newer:
            newer.until(tick(1))
            older.rest()
            assert older.events[-1]["type"] == "TEXT_MESSAGE_CONTENT"
            newer.until(tick(len(older.events)))


def test_acknowledged_events_are_forgotten(runner):
    events = runner.events_of("/flood 50")
    assert runner.http.post("/runs/run-1/ack", json={"index": 10}).json() == {"forgotten": 10}
    assert runner.http.post("/runs/run-1/ack", json={"index": 4}).json() == {"forgotten": 10}
    assert runner.http.post("/runs/run-1/ack", json={"index": 9999}).status_code == 400
    with runner.attach("run-1", 9) as stream:
        assert (stream.response.status_code, stream.response.json()["reason"]) == (410, "EventsForgotten")
    with runner.attach("run-1", 10) as stream:
        assert stream.rest() == events[10:]
        assert stream.indexes[0] == 11


@pytest.fixture
def small_runner(launch):
    """Its agents are paused with 64 KiB unacknowledged."""
    return launch(environment=QUICK, max_unacknowledged_bytes=LIMIT)


def filled(stream):
    """Read until nothing but heartbeats comes any more."""
    stream.until(lambda event: stream.size >= LIMIT)
    for _ in range(3):
        stream.until(lambda event: event["type"] == "heartbeat")


def test_an_agent_is_paused_until_its_events_are_acknowledged(small_runner):
    count = 5000
    with small_runner.run(f"/flood {count}") as stream:
        filled(stream)
        # Without the pause ten times as much would have come. One event may pass the limit.
        assert stream.size < LIMIT + 2048
        assert small_runner.health()["active_run"] == "run-1"
        while stream.events[-1]["type"] != "RUN_FINISHED":
            small_runner.http.post("/runs/run-1/ack", json={"index": stream.indexes[-1]}).raise_for_status()
            stream.until(lambda event: event["type"] in ("heartbeat", "RUN_FINISHED"))
    assert stream.indexes == list(range(1, count + 5))


def test_a_paused_agent_can_be_interrupted(small_runner):
    with small_runner.run("/flood 10000000") as stream:
        filled(stream)
        assert small_runner.http.post("/interrupt", json={}).json() == {"interrupted": True}
        assert stream.rest()[-1]["outcome"] == {"type": "cancelled"}


def test_one_run_at_a_time_each_once_and_no_older_epoch(runner):
    with runner.run("/long 60", epoch=5) as active:
        active.until(tick(1))
        for run, epoch, reason in [
            ("run-1", 5, "RunKnown"),
            ("run-2", 5, "RunActive"),
            ("run-2", 4, "StaleEpoch"),
        ]:
            with runner.run("/echo", run, epoch=epoch) as stream:
                assert (stream.response.status_code, stream.response.json()["reason"]) == (409, reason)
        for path in ("/interrupt", "/exit", "/runs/run-1/ack"):
            body = {"run": "run-1", "index": 1}
            answer = runner.http.post(path, json=body, headers={"X-Ambient-Epoch": "4"})
            assert (answer.status_code, answer.json()["reason"]) == (409, "StaleEpoch")
        with runner.attach("run-1", **{"X-Ambient-Epoch": "4"}) as stream:
            assert stream.response.status_code == 409
        runner.http.post("/interrupt", json={"run": "run-1"}, headers={"X-Ambient-Epoch": "6"})
        active.rest()
    with runner.run("/echo", "run-2", epoch=5) as stream:
        assert stream.response.json()["reason"] == "StaleEpoch"
    assert runner.events_of("/echo hi", "run-2", epoch=6)[-1]["type"] == "RUN_FINISHED"


def test_the_end_of_a_run_makes_room_for_the_next_at_once(runner):
    for number in range(30):
        with runner.run("/echo hi", f"run-{number}") as stream:
            assert stream.response.status_code == 200
            stream.until(lambda event: event["type"] == "RUN_FINISHED")


def test_a_run_goes_on_without_its_reader(runner):
    with runner.run("/long 1") as stream:
        stream.until(tick(1))
    runner.idle()
    with runner.attach("run-1") as stream:
        assert_valid_agui(stream.rest(), max_warnings=0)
        assert stream.events[-1]["type"] == "RUN_FINISHED"


def kind(name):
    return lambda event: event["type"] == name


def paced(pace):
    """An agent that waits for long after each event, all by itself."""
    return {"variables": {"AMBIENT_DEMO_PACE": str(pace)}}


# An agent that is held behind each event until that is acknowledged.
HELD = {"max_unacknowledged_bytes": 1}


@pytest.mark.parametrize(
    ("prompt", "options", "place"),
    [
        pytest.param("/long 60", paced(0), tick(3), id="in-text"),
        pytest.param("/silent 60", paced(0), kind("RUN_STARTED"), id="in-silence"),
        pytest.param("report", paced(2000), kind("REASONING_MESSAGE_CONTENT"), id="in-reasoning"),
        pytest.param("report", HELD, kind("TOOL_CALL_ARGS"), id="in-arguments"),
        pytest.param("report", HELD, kind("STEP_STARTED"), id="in-step"),
        pytest.param("/approve ls", paced(2000), kind("TEXT_MESSAGE_CONTENT"), id="before-an-approval"),
    ],
)
@pytest.mark.parametrize("way", ["interrupt", "SIGTERM"])
def test_a_run_ended_in_the_middle_is_a_valid_stream(launch, prompt, options, place, way):
    runner = launch(**options)
    with runner.run(prompt) as stream:
        runner.step_to(stream, place)
        if way == "interrupt":
            assert runner.http.post("/interrupt", json={"run": "other"}).json() == {"interrupted": False}
            assert runner.http.post("/interrupt", json={"run": "run-1"}).json() == {"interrupted": True}
        else:
            runner.process.send_signal(signal.SIGTERM)
        events = stream.rest()
    assert_valid_agui(events, max_warnings=0)
    if way == "interrupt":
        assert events[-1]["outcome"] == {"type": "cancelled"}
        runner.idle()
    else:
        assert (events[-1]["type"], events[-1]["code"]) == ("RUN_ERROR", "RunnerStopped")
        assert runner.exit_code() == 0


def test_an_interrupt_ends_the_tools_processes(runner):
    runner.events_of("/approve sleep 300 & echo $! > ../pid.txt; wait")
    pid_file = runner.workspace / "repos" / "pid.txt"
    answer = [{"interruptId": "run-1-a1", "status": "resolved", "payload": {"approved": True}}]
    with runner.run(None, "run-2", resume=answer) as stream:
        pid = wait_for(lambda: pid_file.exists() and pid_file.read_text().strip(), "the command began")
        runner.http.post("/interrupt", json={"run": "run-2"})
        assert_valid_agui(stream.rest(), max_warnings=0)
    wait_for(lambda: ended(pid), "the tool's process is gone")


def ended(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_heartbeats_fill_silence(launch):
    runner = launch(environment=QUICK)
    with runner.run("/silent 60") as stream:
        stream.until(lambda event: stream.heartbeats >= 3)
        assert [event["type"] for event in stream.events] == ["RUN_STARTED"]


def test_exit_only_between_runs(runner):
    with runner.run("/long 60") as stream:
        stream.until(tick(1))
        assert runner.http.post("/exit", json={"run": "run-1"}).json()["reason"] == "RunActive"
        runner.http.post("/interrupt", json={})
        stream.rest()
    runner.idle()
    assert runner.http.post("/exit", json={"run": "run-0"}).json()["reason"] == "NotTheLastRun"
    assert runner.http.post("/exit", json={"run": "run-1"}).json() == {"exiting": True}
    assert runner.exit_code() == 0


def test_sigterm_between_runs(runner):
    runner.process.send_signal(signal.SIGTERM)
    assert runner.exit_code() == 0


def test_the_launch_file_is_gone_and_no_secret_is_in_the_log(launch):
    runner = launch(fresh=True)
    assert not runner.config_file.exists()
    runner.events_of(f"/fail {SECRET} {LAUNCH_TOKEN} {token()}")
    runner.process.send_signal(signal.SIGTERM)
    runner.exit_code()
    lines = [json.loads(line) for line in runner.log().splitlines()]
    assert any("listening" in line["message"] for line in lines)
    for secret in (SECRET, LAUNCH_TOKEN, token()):
        assert secret not in runner.log()


def test_the_runners_own_secrets_are_not_in_events(runner):
    events = runner.events_of(f"/echo {SECRET} {token()}")
    assert SECRET not in json.dumps(events)
    assert token() not in json.dumps(events)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"framework": "nothing"}, "'nothing' is unknown", id="framework"),
        pytest.param({"runner_secret": "short"}, "runner_secret", id="launch-file"),
        pytest.param({"workspace": "here"}, "workspace", id="workspace"),
        pytest.param({"environment": {"AMBIENT_RUNNER_HEARTBEAT_SECONDS": "x"}}, "HEARTBEAT", id="setting"),
        pytest.param({"framework": "none", "fresh": True}, "'none' is unknown", id="new-program"),
    ],
)
def test_a_wrong_start_exits_2_with_a_reason(launch, options, words):
    runner = launch(wait=False, **options)
    assert runner.exit_code() == 2
    assert words in runner.log()
