"""Sessions as child processes of this home's runner host: laptop, demo, tests, a single machine."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ambient import env
from reconciler.errors import OtherHost, PermanentError, TemporaryError
from reconciler.runnerhost.paths import HostPaths
from reconciler.runnerhost.protocol import HostAway, HostRefused, call
from reconciler.runtimes.base import Existing, Runtime, SessionRef
from reconciler.state import Exit, Observed
from sessions_app.choices import Reason

AWAY_SECONDS = 5.0


class ProcessRuntime(Runtime):
    """Asks the runner host; keeps nothing itself."""

    def __init__(self, paths: HostPaths | None = None) -> None:
        self._paths = paths or HostPaths(env.HOME)

    @property
    def host(self) -> str:
        return self._paths.host_id

    def observe_many(self, sessions: Sequence[SessionRef]) -> dict[str, Observed]:
        ours = [session for session in sessions if session.host in (None, self.host)]
        if not ours:
            return {}
        found = self._call("observe", sessions=[session.id for session in ours])["sessions"]
        return {session.id: _observed(found.get(session.id)) for session in ours}

    def observe(self, session: SessionRef) -> Observed:
        if session.host not in (None, self.host):
            raise OtherHost(session.host)
        return self.observe_many([session])[session.id]

    def apply(self, session: SessionRef, spec: Mapping[str, Any], attempt: int) -> None:
        self._call(
            "apply", session=session.id, project=session.project_id, attempt=attempt, launch=dict(spec)
        )

    def delete(self, session: SessionRef, up_to_attempt: int) -> None:
        self._call(
            "delete",
            session=session.id,
            project=session.project_id,
            up_to_attempt=up_to_attempt,
            purge=session.purge,
        )

    def logs(self, session: SessionRef, lines: int = 200) -> str:
        return str(self._call("logs", session=session.id, lines=lines)["text"])

    def existing(self) -> Iterable[Existing]:
        for pk, found in self._call("observe", sessions=None)["sessions"].items():
            observed = _observed(found)
            yield Existing(pk, observed.generation, observed.attempt, observed.objects)

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        try:
            return call(self._paths, operation, **arguments)
        except HostAway as exc:
            raise TemporaryError(
                Reason.CLUSTER_UNREACHABLE,
                "The runner host does not answer; trying again.",
                delay=AWAY_SECONDS,
            ) from exc
        except HostRefused as exc:
            if exc.error == "ConfigInvalid":
                raise PermanentError(Reason.CONFIG_INVALID, exc.message) from exc
            reason = Reason.HOST_RESTARTED if exc.error == "StaleAttempt" else Reason.CLUSTER_UNREACHABLE
            raise TemporaryError(reason, exc.message, delay=1.0) from exc


def _observed(found: Mapping[str, Any] | None) -> Observed:
    """What the host said of a session. One that it does not know lost its runner with an earlier host."""
    if found is None or not found["exists"]:
        return Observed(
            reason=Reason.HOST_RESTARTED,
            message="The runner host was restarted.",
            objects=tuple(found["objects"]) if found else (),
        )
    ended = found["exit"]
    return Observed(
        exists=True,
        generation=found["generation"],
        attempt=found["attempt"],
        instance=found["instance"],
        ready=found["ready"],
        endpoint=found["endpoint"],
        exit=Exit(ended["code"], ended["signal"]) if ended else None,
        message=found["message"],
        node=found["node"],
        objects=tuple(found["objects"]),
    )
