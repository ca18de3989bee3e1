"""The only parent of a home's runners (docs/reconciling.md, process runtime).

Everything happens on one event loop in the main thread: forks, reaping and answers to workers, so nothing
here needs a lock. Runners die with this process; what an earlier one left is ended before the first fork.
"""

import asyncio
import os
import signal
from collections.abc import Coroutine, Mapping
from typing import Any

import aiohttp
import structlog

from ambient.common.marks import kill_marked
from ambient.common.tasks import end
from reconciler.runnerhost.child import CannotStart, Child, redact, remove_tree, start_child, tail
from reconciler.runnerhost.health import follow_health
from reconciler.runnerhost.paths import HostPaths
from reconciler.runnerhost.protocol import HostRefused
from reconciler.runnerhost.sightings import Sightings

DELETE_WAIT_SECONDS = 1.0
REAP_SECONDS = 1.0

log = structlog.get_logger(__name__)


class RunnerHost:
    """Runners by session: at most one each."""

    def __init__(
        self,
        paths: HostPaths,
        mark: str,
        sightings: Sightings,
        *,
        floors: Mapping[str, int],
        liveness: float,
        grace: float,
    ) -> None:
        self._paths = paths
        self._mark = mark
        self._sightings = sightings
        self._floors = dict(floors)  # the highest attempt applied or deleted, per session
        self._liveness = liveness
        self._grace = grace
        self._children: dict[str, Child] = {}
        self._by_pid: dict[int, Child] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._http: aiohttp.ClientSession | None = None
        self._stopping = False

    async def start(self) -> None:
        """Begin to reap and to probe."""
        self._http = aiohttp.ClientSession(trust_env=False)
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)
        self._run(self._reap_regularly())

    async def stop(self) -> None:
        """End every runner: SIGTERM, a grace, SIGKILL. Nothing is reported: it is the host that ends."""
        self._stopping = True
        living = [child for child in self._children.values() if not child.ended]
        for child in living:
            child.send(signal.SIGTERM)
        await self._wait_ended(living, self._grace)
        for child in living:
            child.kill_group()
        await self._wait_ended(living, 5.0)
        await end(*self._tasks)
        await asyncio.to_thread(kill_marked, self._mark)
        if self._http is not None:
            await self._http.close()

    async def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """One request of a worker; raises HostRefused with a named error."""
        if self._stopping:
            raise HostRefused("Stopping", "The runner host is stopping.")
        try:
            match request["op"]:
                case "observe":
                    return {"sessions": self.observe(request["sessions"])}
                case "apply":
                    return await self.apply(request["project"], int(request["attempt"]), request["launch"])
                case "delete":
                    return await self.delete(
                        request["session"], int(request["up_to_attempt"]), purge=bool(request["purge"])
                    )
                case "logs":
                    return {"text": self.logs(request["session"], int(request["lines"]))}
                case unknown:
                    raise HostRefused("UnknownOperation", f"{unknown!r} is not known.")
        except (KeyError, TypeError, ValueError) as exc:
            raise HostRefused("BadRequest", f"{type(exc).__name__}: {exc}") from exc

    def observe(self, sessions: list[str] | None) -> dict[str, Any]:
        """What there is of these sessions, or of all."""
        if sessions is None:
            folders = {path.name for path in self._paths.sessions.glob("*") if path.name.isalnum()}
            sessions = sorted({*self._children, *folders})
        return {session: self._describe(session) for session in sessions}

    def _describe(self, session: str) -> dict[str, Any]:
        child = self._children.get(session)
        objects = ["workspace"] if self._paths.session(session).exists() else []
        if child is None:
            return {"exists": False, "objects": objects}
        return {**child.describe(), "objects": ["runner", *objects]}

    async def apply(self, project: str, attempt: int, document: Mapping[str, Any]) -> dict[str, Any]:
        """Start a runner, unless this or a newer attempt was applied or deleted before."""
        session = str(document["session_id"])
        if attempt <= self._floors.get(session, 0):
            raise HostRefused(
                "StaleAttempt", f"Attempt {attempt} is not above {self._floors[session]}, the highest so far."
            )
        self._floors[session] = attempt
        old = self._children.get(session)
        if old is not None and not old.ended:
            old.deleted = True
            old.kill_group()
            if not await self._wait_ended([old], 5.0):
                raise HostRefused("Busy", f"Attempt {old.attempt} is still ending.")
        if self._floors[session] != attempt or self._stopping:  # while we waited
            raise HostRefused("StaleAttempt", f"Attempt {attempt} was overtaken.")
        try:
            child = start_child(self._paths, self._mark, project, attempt, document)
        except (CannotStart, OSError) as exc:
            raise HostRefused("ConfigInvalid", f"The runner cannot be started: {exc}") from exc
        self._children[session] = child
        self._by_pid[child.process.pid] = child
        self._run(self._watch(child))
        log.info("runner started", session=session, attempt=attempt, pid=child.process.pid, port=child.port)
        return {"attempt": attempt}

    async def delete(self, session: str, up_to_attempt: int, *, purge: bool) -> dict[str, Any]:
        """Have no runner up to this attempt; `purge`: nor the session's folder. Waits only a little."""
        self._floors[session] = max(self._floors.get(session, 0), up_to_attempt)
        child = self._children.get(session)
        if child is not None and child.attempt <= up_to_attempt:
            child.purge = child.purge or purge
            if child.ended:
                del self._children[session]
            elif not child.deleted:
                child.deleted = True
                self._run(self._end(child))
            if not child.ended:
                await self._wait_ended([child], DELETE_WAIT_SECONDS)
        if purge and session not in self._children:
            await self._purge(session)
        return {"gone": session not in self._children}

    def logs(self, session: str, lines: int) -> str:
        """The last lines of the newest attempt, without this runner's secrets."""
        child = self._children.get(session)
        if child is not None:
            return _last_lines(child.redact(tail(child.log_path).decode(errors="replace")), lines)
        logs = sorted(
            self._paths.session(session).glob("runner-*.log"), key=lambda path: path.stat().st_mtime
        )
        return _last_lines(redact(tail(logs[-1]).decode(errors="replace")), lines) if logs else ""

    async def _purge(self, session: str) -> None:
        await asyncio.to_thread(remove_tree, self._paths.session(session))

    async def _end(self, child: Child) -> None:
        child.send(signal.SIGTERM)
        if not await self._wait_ended([child], self._grace):
            log.warning("runner did not end by itself", session=child.session, attempt=child.attempt)
            child.kill_group()

    async def _wait_ended(self, children: list[Child], seconds: float) -> bool:
        waits = [child.end.wait() for child in children if not child.ended]
        if not waits:
            return True
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*waits)
        except TimeoutError:
            return False
        return True

    async def _watch(self, child: Child) -> None:
        assert self._http is not None  # noqa: S101 - for the type checker
        while not child.ended:
            await follow_health(self._http, child, self._liveness)
            if child.ended:
                return
            log.info("runner readiness", session=child.session, attempt=child.attempt, ready=child.ready)
            self._see(child)

    def _see(self, child: Child) -> None:
        if not self._stopping:
            self._sightings.add(child.session, child.project)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of the runner host failed", exc_info=task.exception())

    async def _reap_regularly(self) -> None:
        """SIGCHLD is merged by the kernel; this finds what a lost one would leave."""
        while True:
            await asyncio.sleep(REAP_SECONDS)
            self._reap()

    def _reap(self) -> None:
        """Take every ended child: runners with care, adopted orphans at once."""
        while True:
            try:
                info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if info is None:
                return
            child = self._by_pid.pop(info.si_pid, None)
            if child is None:
                os.waitpid(info.si_pid, 0)
                continue
            child.kill_group()  # not reaped yet: the group's number is still its own
            child.reap()
            self._run(self._after_end(child))

    async def _after_end(self, child: Child) -> None:
        """Nothing of the attempt is left when its end is told."""
        await asyncio.to_thread(kill_marked, child.mark)
        child.message = await asyncio.to_thread(child.last_words)
        child.ended, child.ready = True, False
        if child.deleted and self._children.get(child.session) is child:
            del self._children[child.session]
            if child.purge:
                await self._purge(child.session)
        child.end.set()
        log.info(
            "runner ended",
            session=child.session,
            attempt=child.attempt,
            code=child.code,
            signal=child.signal_name,
        )
        self._see(child)


def _last_lines(text: str, count: int) -> str:
    return "\n".join(text.splitlines()[-count:])
