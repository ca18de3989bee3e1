"""A runner that saves its files and brings them back, as a real process beside a platform and a bucket."""

import os
import shutil
import signal
import threading

import pytest
from runner_process import wait_for
from snapshot_platform import SnapshotPlatform

EXIT_NOT_WANTED, EXIT_NOT_RESTORED = 3, 4
SNAPSHOTS = {"every_seconds": 3600, "stop_seconds": 60, "max_bytes": 1024 * 1024}


@pytest.fixture
def platform():
    server = SnapshotPlatform()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def start(launch, platform):
    """Start a runner in an empty folder, as in a new pod."""
    workspaces = []

    def start(wait=True, **snapshots):
        for folder in workspaces:
            shutil.rmtree(folder)
        runner = launch(
            token_url=f"{platform.url}/token",
            api_url=platform.url,
            snapshots=SNAPSHOTS | snapshots,
            wait=wait,
        )
        workspaces[:] = [runner.workspace]
        return runner

    return start


def end(runner):
    runner.process.send_signal(signal.SIGTERM)
    assert runner.exit_code() == 0, runner.log()


def ready(platform):
    """Its workspace is restored, and made ready by its framework."""
    wait_for(lambda: any(each["type"] == "WorkspaceReady" for each in platform.conditions()), "a workspace")
    return platform.conditions()[-1]


def test_the_next_pod_has_the_files_of_the_one_before(start, platform):
    first = start()
    ready(platform)
    (first.workspace / "file-uploads").mkdir(exist_ok=True)
    (first.workspace / "file-uploads" / "notes.txt").write_text("mine")
    end(first)
    assert len(platform.complete) == 1
    platform.statuses.clear()
    second = start()
    second.events_of("/echo hi")
    assert "with the files that were saved at 2026-01-02 03:04:05 UTC" in ready(platform)["message"]
    assert (second.workspace / "file-uploads" / "notes.txt").read_text() == "mine"
    assert (second.workspace / "repos" / "workspace" / ".git" / "HEAD").exists()


def test_what_has_not_changed_is_not_saved_again(start, platform):
    runner = start_ready(start, platform, every_seconds=0.1)
    wait_for(lambda: "saved" in runner.log(), "it knows of a snapshot")
    end(runner)
    sums = [saved.sha256 for saved in platform.snapshots.values()]
    assert len(sums) == len(set(sums))


def start_ready(start, platform, **snapshots):
    platform.statuses.clear()
    runner = start(**snapshots)
    ready(platform)
    return runner


def test_it_is_saved_now_and_then(start, platform):
    runner = start(every_seconds=0.2)
    ready(platform)
    wait_for(lambda: platform.complete, "a first snapshot")
    (runner.workspace / "more.txt").write_text("more")
    before = len(platform.complete)
    wait_for(lambda: len(platform.complete) > before, "another one")


def test_a_stop_is_no_reason_not_to_save(start, platform):
    """The platform refuses a new token as soon as a stop is wished; the one that is there must do."""
    platform.token_seconds = 4  # renewed every second or two
    runner = start_ready(start, platform)
    (runner.workspace / "large").write_bytes(os.urandom(500_000))
    platform.wanted = False
    runner.process.send_signal(signal.SIGTERM)
    assert runner.exit_code() == 0, runner.log()
    assert platform.complete[-1].size > 500_000


def test_who_hears_of_a_stop_before_the_signal_saves_too(start, platform):
    """A report or a renewal is refused as soon as a stop is wished, before its pod is deleted."""
    platform.token_seconds = 2
    runner = start_ready(start, platform)
    (runner.workspace / "notes.txt").write_text("mine")
    platform.wanted = False
    assert runner.exit_code() == EXIT_NOT_WANTED, runner.log()
    assert len(platform.complete) == 1
    platform.wanted = True
    assert (start_ready(start, platform).workspace / "notes.txt").read_text() == "mine"


def test_a_token_that_ends_meanwhile_is_renewed_while_the_session_is_wanted(start, platform):
    """A pod that is evicted ends, and its session does not."""
    runner = start_ready(start, platform)
    platform.tokens_ended = 1
    end(runner)
    assert len(platform.complete) == 1


def test_a_token_that_has_ended_when_a_stop_comes_is_replaced_by_one_to_save_with(start, platform):
    """Nobody could be asked for another while the control plane was away."""
    platform.token_seconds = 2
    runner = start_ready(start, platform)
    (runner.workspace / "notes.txt").write_text("mine")
    platform.wanted, platform.tokens_ended = False, 1
    assert runner.exit_code() == EXIT_NOT_WANTED, runner.log()
    assert len(platform.complete) == 1


def test_a_token_that_is_good_for_nothing_is_not_asked_for_again_and_again(start, platform):
    platform.token_seconds = 2
    runner = start_ready(start, platform)
    (runner.workspace / "notes.txt").write_text("mine")
    platform.wanted, platform.tokens_ended = False, 1000
    assert runner.exit_code() == EXIT_NOT_WANTED, runner.log()
    assert (platform.complete, platform.tokens_ended) == ([], 998)
    assert ["good for nothing more" in message for message in platform.failed] == [True]


def test_a_report_that_is_refused_meanwhile_does_not_take_the_token_away(start, platform):
    platform.reachable = False
    runner = start(stop_seconds=20)
    runner.events_of("/echo hi")
    (runner.workspace / "notes.txt").write_text("mine")
    platform.wanted, platform.bucket_seconds = False, 5.0
    runner.process.send_signal(signal.SIGTERM)
    assert runner.exit_code() == 0, runner.log()
    assert platform.reports_refused
    assert len(platform.complete) == 1


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        pytest.param({"data": b"no archive"}, "cannot be read", id="no-archive"),
        pytest.param({"data": b"archive", "sha256": "0" * 64}, "checksum is wrong", id="changed"),
        pytest.param({"data": b"archive", "size": 9}, "has 7 bytes and should have 9", id="half-of-it"),
    ],
)
def test_a_damaged_archive_fails_the_start_and_is_not_replaced(start, platform, kept, said):
    saved = platform.keep(kept.pop("data"), **kept)
    runner = start(wait=False)
    assert runner.exit_code() == EXIT_NOT_RESTORED, runner.log()
    assert "The archive of 2026-01-02 03:04:05 UTC (1) is damaged: it" in runner.log()
    assert said in runner.log()
    assert list(platform.snapshots.values()) == [saved]


def test_an_archive_that_is_gone_fails_the_start(start, platform):
    platform.keep(b"archive", size=7).data = None
    runner = start(wait=False)
    assert runner.exit_code() == EXIT_NOT_RESTORED
    assert "is not in the bucket" in runner.log()


def test_a_bucket_that_is_away_is_waited_for(start, platform):
    first = start_ready(start, platform)
    (first.workspace / "a.txt").write_text("a")
    end(first)
    platform.bucket_failures = [503, 500]
    second = start_ready(start, platform)
    assert (second.workspace / "a.txt").read_text() == "a"


@pytest.mark.parametrize("failures", [[503], [429, 500]], ids=str)
def test_a_bucket_that_is_busy_at_the_end_is_asked_again(start, platform, failures):
    runner = start_ready(start, platform)
    platform.bucket_failures = list(failures)
    end(runner)
    assert (platform.bucket_failures, platform.failed) == ([], [])
    assert len(platform.complete) == 1


@pytest.mark.parametrize(
    ("failures", "options", "said"),
    [
        pytest.param([403], {}, "The bucket did not take the files: it answered 403.", id="refused"),
        pytest.param(
            [503] * 9, {"stop_seconds": 3}, "The bucket did not take the files: it answered 503.", id="away"
        ),
        pytest.param([], {"max_bytes": 1000}, "The files are more than can be saved", id="too-much"),
    ],
)
def test_why_nothing_was_saved_is_told_and_the_session_goes_on(start, platform, failures, options, said):
    runner = start(**options)
    ready(platform)
    (runner.workspace / "large").write_bytes(os.urandom(50_000))
    platform.bucket_failures = failures
    end(runner)
    assert said in platform.failed[0]
    assert platform.complete == []


def test_addresses_are_in_no_log(start, platform):
    runner = start_ready(start, platform)
    end(runner)
    second = start_ready(start, platform)
    end(second)
    assert "/bucket/" not in runner.log() + second.log()
