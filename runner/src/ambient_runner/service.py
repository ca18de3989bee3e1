"""One runner process: its parts put together, its start and its ends."""

import asyncio
import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from ambient_runner.app import Serving, make_app
from ambient_runner.config import RunnerConfig, positive_number
from ambient_runner.entries import ApiEntries, EntryStore, FileEntries
from ambient_runner.framework import Framework, PrepareFailed, RunFailed, SessionContext
from ambient_runner.git_credentials import GitCredentials
from ambient_runner.platform import NotWanted, PlatformClient, PlatformLink
from ambient_runner.redaction import Redactor, secret_values, server_secrets, url_secrets
from ambient_runner.reports import Condition, Report
from ambient_runner.runs import Runs
from ambient_runner.security import session_token
from ambient_runner.snapshots import NotRestored, SnapshotKeeper
from ambient_runner.tracing import Tracing

EXIT_OK = 0
EXIT_CRASH = 1
EXIT_CONFIG = 2
EXIT_NOT_WANTED = 3
EXIT_NOT_RESTORED = 4
HARD_STOP_SECONDS = 2.5

log = logging.getLogger(__name__)


def make_redactor(config: RunnerConfig) -> Redactor:
    """Knows every secret this process starts with."""
    secret = config.runner_secret.get_secret_value()
    own = {secret, config.launch_token.get_secret_value(), session_token(secret)}
    urls = {found for repo in config.spec.repos for found in url_secrets(repo.url)}
    environment = secret_values(os.environ) | secret_values(config.spec.environment_variables)
    return Redactor(own | urls | environment | server_secrets(config.spec.mcp_servers or {}))


def _end_by_force_later(exit_code: int, seconds: float) -> None:
    """Ends the process even when its event loop or a thread is held up by an agent."""
    timer = threading.Timer(seconds, os._exit, (exit_code,))
    timer.daemon = True
    timer.start()


class Preparation:
    """The framework's `prepare`: begun at start, awaited by every run, tried again after it failed a run."""

    def __init__(
        self,
        framework: Framework,
        ctx: SessionContext,
        tracing: Tracing,
        keeper: SnapshotKeeper | None,
        not_restored: Callable[[], None],
    ) -> None:
        self._framework = framework
        self._keeper = keeper
        self._not_restored = not_restored
        self._tracing = tracing
        self._ctx = ctx
        self._task: asyncio.Task[RunFailed | None] | None = None

    def begin(self) -> asyncio.Task[RunFailed | None]:
        """Start preparing, unless that is under way or done."""
        if self._task is None:
            self._task = asyncio.create_task(self._prepare(), name="prepare")
        return self._task

    async def ready(self) -> None:
        """Return when the workspace is ready; raises RunFailed when it cannot be."""
        task = self.begin()
        failure = await asyncio.shield(task)
        if failure is not None:
            if self._task is task:
                self._task = None
            raise RunFailed(failure.code, failure.message)

    async def _prepare(self) -> RunFailed | None:
        failure: RunFailed | None = None
        try:
            with self._tracing.span("prepare workspace", self._tracing.started_by):
                if self._keeper is not None:
                    await self._keeper.restore()
                await self._framework.prepare(self._ctx)
        except PrepareFailed as exc:
            failure = exc
        except Exception as exc:  # noqa: BLE001 - a framework may raise anything; it becomes the run's error
            log.exception("the workspace could not be prepared")
            message = f"The workspace could not be prepared ({type(exc).__name__})."
            failure = RunFailed("ConfigInvalid", message)
        reason = failure.code if failure else "Ready"
        message = failure.message if failure else self._ready_text()
        condition = Condition("WorkspaceReady", failure is None, reason, self._ctx.redactor.text(message))
        self._ctx.report(Report(conditions=[condition]))
        log.info("workspace: %s, %s", reason, message)
        if isinstance(failure, NotRestored):
            self._not_restored()
        return failure

    def _ready_text(self) -> str:
        """With how old its files are: what came after them was not saved."""
        if self._keeper is None or self._keeper.saved_at is None:
            return "The workspace is ready."
        return f"The workspace is ready, with the files that were saved at {self._keeper.saved_at}."


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn would die of the signal after a clean stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signals."""
        yield


class RunnerProcess:
    """Everything of one process between its socket and its exit code."""

    def __init__(self, config: RunnerConfig, framework: Framework, redactor: Redactor) -> None:
        self._config = config
        self._exit_code = EXIT_OK
        self._stopping: asyncio.Task[None] | None = None
        self._link: PlatformLink | None = None
        self._git: GitCredentials | None = None
        instance = secrets.token_hex(8)
        if config.token_url:
            client = PlatformClient(config, instance)
            self._link = PlatformLink(client, redactor, reporting=bool(config.api_url))
        entries: EntryStore = FileEntries(config.workspace / ".ambient" / "entries")
        if self._link is not None and config.api_url:
            entries = ApiEntries(config.session_id, self._link.call)
            self._git = GitCredentials(config.credentials, config.credential_urls, self._link.call, redactor)
        ctx = SessionContext(
            session_id=config.session_id,
            workspace=config.workspace,
            spec=config.spec,
            redactor=redactor,
            entries=entries,
            resume=config.resume,
            sdk_session_id=config.sdk_session_id,
            report=self._report,
        )
        self._tracing = Tracing(config.session_id)
        self._keeper: SnapshotKeeper | None = None
        self._keeping: asyncio.Task[None] | None = None
        if self._link is not None and config.api_url and config.snapshots is not None:
            self._keeper = SnapshotKeeper(
                config.session_id, config.workspace, config.snapshots, self._link.call
            )
        self._hard_stop_seconds = HARD_STOP_SECONDS + (
            config.snapshots.stop_seconds if self._keeper and config.snapshots else 0
        )
        self._preparation = Preparation(
            framework, ctx, self._tracing, self._keeper, lambda: self._begin_stop(EXIT_NOT_RESTORED)
        )
        self._runs = Runs(
            lambda run_input: framework.run(ctx, run_input),
            ready=self._preparation.ready,
            redactor=redactor,
            limit=config.max_unacknowledged_bytes,
            tracing=self._tracing,
        )
        serving = Serving(
            config=config,
            instance=instance,
            framework=framework,
            ctx=ctx,
            runs=self._runs,
            heartbeat=positive_number("AMBIENT_RUNNER_HEARTBEAT_SECONDS", 5.0),
            leave=lambda: self._begin_stop(EXIT_OK),
        )
        self._server = _Server(
            uvicorn.Config(
                make_app(serving),
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="none",
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            )
        )

    async def serve(self, listener: socket.socket) -> int:
        """Serve until told to stop; returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._on_signal(loop))
        if self._git is not None:
            os.environ.update(await self._git.start())  # for Git's programs, ours and the agent's
        self._preparation.begin()
        platform = asyncio.create_task(self._follow_platform(), name="platform")
        if self._keeper is not None:
            self._keeping = asyncio.create_task(self._keeper.keep(), name="keep")
        host, port = listener.getsockname()[:2]
        log.info("listening on %s port %s, framework %s", host, port, self._config.framework)
        try:
            await self._server.serve(sockets=[listener])
        finally:
            if self._git is not None:
                self._git.close()
            platform.cancel()
            await asyncio.wait({platform}, timeout=0.5)
            if self._link is not None:
                await self._link.close()
            await asyncio.to_thread(self._tracing.close)
        return self._exit_code

    def _report(self, report: Report) -> None:
        if self._link is not None:
            self._link.report(report)

    def _on_signal(self, loop: asyncio.AbstractEventLoop) -> None:
        _end_by_force_later(EXIT_OK, self._hard_stop_seconds)
        loop.call_soon_threadsafe(self._begin_stop, EXIT_OK)

    def _begin_stop(self, exit_code: int) -> None:
        if self._stopping is None:
            _end_by_force_later(exit_code, self._hard_stop_seconds)
            self._exit_code = exit_code
            self._runs.stopping = True
            if self._link is not None:
                self._link.ending = True
            self._stopping = asyncio.create_task(self._stop(), name="stop")

    async def _stop(self) -> None:
        await self._runs.stop()
        if self._keeper is not None and self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
            # Also when it has heard of the stop by a refused token, before the signal came.
            await self._keeper.save_at_the_end()
        self._server.should_exit = True

    async def _follow_platform(self) -> None:
        if self._link is None:
            return
        try:
            await self._link.run()
        except NotWanted as refused:
            log.warning("this runner is no longer wanted: %s", refused)
            self._begin_stop(EXIT_NOT_WANTED)
        except Exception:  # noqa: BLE001 - a fault of ours in reporting must not end the agent's work
            log.exception("reporting to the platform stopped")
