"""What is measured. Each function returns rows of (what, measured, budget)."""

import secrets
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ambient_platform import AmbientClient

Rows = list[tuple[str, str, str]]


@dataclass
class Bench:
    """A running platform and the sizes asked for."""

    api_url: str
    control_plane_url: str
    token: str
    sessions: int
    events: int
    environment: dict[str, str]

    def client(self, url: str | None = None) -> AmbientClient:
        return AmbientClient(url or self.api_url, self.token)

    def project(self) -> str:
        return self.client().projects.create(name=f"bench-{secrets.token_hex(3)}").id


def wait_for(client: AmbientClient, session_id: str, phase: str) -> None:
    """Poll every 5 ms: the measure must not wait for a poll of seconds."""
    while (now := client.sessions.get(session_id).phase) != phase:
        if now == "Failed":
            raise RuntimeError(f"session {session_id} failed")
        time.sleep(0.005)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def starts(bench: Bench) -> Rows:
    """Create -> the runner proved itself, one session after another."""
    client, project = bench.client(), bench.project()
    seconds = []
    for _ in range(bench.sessions):
        begin = time.perf_counter()
        session = client.sessions.create(name="start", project_id=project)
        wait_for(client, session.id, "Running")
        seconds.append(time.perf_counter() - begin)
        client.sessions.stop(session.id)
        wait_for(client, session.id, "Stopped")
    p50, p95 = statistics.median(seconds), percentile(seconds, 0.95)
    budget = "p50 1.0 s" + ("" if p50 <= 1.0 else " (missed)")
    return [(f"create -> ready, {bench.sessions} sessions", f"p50 {p50:.2f} s, p95 {p95:.2f} s", budget)]


def stream(bench: Bench) -> Rows:
    """A flood through one control-plane process: from the runner, stored, then sent to a watcher each."""
    rows = []
    for sessions in (1, 4):
        client, project = bench.client(), bench.project()
        ids = [client.sessions.create(name="flood", project_id=project).id for _ in range(sessions)]
        for pk in ids:
            wait_for(client, pk, "Running")
        counts = [0] * sessions
        begin = time.perf_counter()

        def watch(index: int, pk: str, counts: list[int] = counts) -> None:
            watcher = bench.client(bench.control_plane_url)
            with watcher.sessions.stream(pk) as events:
                for event in events:
                    counts[index] += 1
                    if event.type == "RUN_FINISHED":
                        return

        threads = [threading.Thread(target=watch, args=(index, pk)) for index, pk in enumerate(ids)]
        for thread in threads:
            thread.start()
        for pk in ids:
            client.sessions.send(pk, f"/flood {bench.events}")
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - begin
        for pk in ids:
            client.sessions.stop(pk)
        rate = sum(counts) / seconds
        rows.append(
            (
                f"events through one control-plane process, {sessions} session(s)",
                f"{rate:,.0f} events/s ({sum(counts):,} in {seconds:.1f} s)",
                "10,000 events/s" + ("" if rate >= 10_000 else " (missed)"),
            )
        )
    return rows


MEASURES: dict[str, Callable[[Bench], Rows]] = {"start": starts, "stream": stream}
