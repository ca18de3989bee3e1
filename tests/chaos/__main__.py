"""`make chaos N=200 SESSIONS=20 SEED=7`: random kills over live demo sessions, then an audit.

Everything is real: processes, PostgreSQL, Valkey, runners. Somebody talks to each session, others
watch. The victims are drawn from the seed. The last line has the figures; the exit code is 1 unless all is 0.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.chaos.audit import Verdict, judge
from tests.chaos.gather import claims_left, counted, record_of
from tests.chaos.record import Record
from tests.chaos.talk import Talker
from tests.chaos.victims import RUNNER, Kill, draw
from tests.e2e.harness import Stage
from tests.e2e.machine import SERVICES, Replica
from tests.e2e.system import READY_SECONDS, eventually, group_of, kill, processes_of
from tests.e2e.watchers import Watcher, Watchers

PROJECT = "chaos"
QUIET_SECONDS = 180.0
SHOWN = 40


class Chaos:
    """One run: sessions that are talked to and watched, and what is killed under them."""

    def __init__(self, stage: Stage, sessions: int, seed: int, *, double: bool) -> None:
        self.stage = stage
        self.replicas: dict[str, Replica] = {}
        bases = [stage.api, stage.control_plane]
        if double:
            self.replicas["worker-2"] = stage.add_worker()
            self.replicas["control-plane-2"], url = stage.add_control_plane()
            bases.append(url)
        stage.client.projects.create(name=PROJECT)
        self.clients = Watchers(stage.token)
        self.talkers: list[Talker] = []
        self.watchers: dict[str, list[Watcher]] = {}
        for number in range(sessions):
            session = stage.client.sessions.create(name=f"s{number}", project_id=PROJECT).id
            self.talkers.append(Talker(stage.api, stage.token, session, f"{seed}/{number}"))
            kinds = ("sse", "websocket") if number % 2 else ("websocket", "sse")
            self.watchers[session] = [
                self.clients.events(bases[(number + place) % len(bases)], session, kind=kind)
                for place, kind in enumerate(kinds)
            ]
        for talker in self.talkers:
            stage.wait_phase(talker.session, "Running", seconds=READY_SECONDS)

    def begin(self) -> None:
        """Everybody begins to talk."""
        for talker in self.talkers:
            talker.start()

    def strike(self, victim: Kill) -> None:
        """One kill; what is no runner is started again at once, as an operator's supervisor would."""
        self.stage.note(f"chaos kills {victim}")
        if victim.victim == RUNNER:
            session = self.talkers[victim.session or 0].session
            for pid in self.stage.runners(session):
                if group_of(pid) == pid:
                    kill(pid)
        elif victim.victim in SERVICES:
            self.stage.kill_service(victim.victim)
            self.stage.start_service(victim.victim)
        elif victim.victim in self.replicas:
            self.replicas[victim.victim].kill()
            self.replicas[victim.victim].restart()
        else:
            self.stage.kill(victim.victim)
            self.stage.supervisor.restart(victim.victim)

    def settle(self) -> dict[str, bool]:
        """Nothing is killed any more: let everybody come to an end, then ask each session for a last word."""
        for talker in self.talkers:
            talker.stop()
        self.stage.platform.wait_ready(READY_SECONDS)
        for talker in self.talkers:
            talker.join()
        alive = {}
        for talker in self.talkers:
            answer = talker.say("/echo the last word", "last")
            alive[talker.session] = answer is not None and answer["delivery"] == "done"
        return alive

    def wind_up(self) -> None:
        """Stop the sessions, and give watchers, leases and pending work time to come to their ends."""
        for talker in self.talkers:
            self.stage.request("POST", f"/sessions/{talker.session}/stop")
        running = "SELECT count(*) FROM sessions_app_session WHERE phase <> 'Stopped'"
        patiently(lambda: self.stage.query(running) == [(0,)])
        patiently(lambda: not claims_left(self.stage) and not self.stage.runners())
        heads = dict(self.stage.query("SELECT session_id, event_seq FROM sessions_app_sessionstream"))

        def all_seen() -> bool:
            return all(
                watcher.problem is not None or (watcher.seqs or [0])[-1] >= heads[session]
                for session, watchers in self.watchers.items()
                for watcher in watchers
            )

        patiently(all_seen)

    def records(self, alive: dict[str, bool]) -> list[Record]:
        """What is left of every session."""
        return [
            record_of(self.stage, talker, self.watchers[talker.session], alive[talker.session])
            for talker in self.talkers
        ]


def patiently(condition: Callable[[], bool]) -> None:
    """Wait a long while; what is not true by then is the audit's to find."""
    try:
        eventually(condition, "quiet", QUIET_SECONDS)
    except AssertionError:
        return


def figures(records: list[Record], kills: list[Kill], seconds: float, seed: int, verdict: Verdict) -> str:
    """The one line."""
    messages = [message for record in records for message in record.messages if message.kind == "user"]
    ended = Counter(message.delivery for message in messages)
    who = ", ".join(f"{times} {victim}" for victim, times in Counter(k.victim for k in kills).most_common())
    return (
        f"chaos seed {seed}: {len(kills)} kills ({who}) in {seconds:.0f} s over {len(records)} sessions; "
        f"{len(messages)} messages ({ended['done']} answered, {ended['failed']} visibly failed), "
        f"{sum(len(record.runs) for record in records)} runs, "
        f"{sum(len(record.events) for record in records)} events: {verdict}"
    )


def run(options: argparse.Namespace, folder: Path) -> bool:
    """The whole of it; whether the audit found nothing."""
    stage = Stage(folder)
    stage.start()
    try:
        chaos = Chaos(stage, options.sessions, options.seed, double=options.double)
        names = [*stage.process_names(), *chaos.replicas, *SERVICES]
        kills = draw(options.seed, options.kills, options.sessions, names)
        begin = time.monotonic()
        chaos.begin()
        for number, victim in enumerate(kills, 1):
            time.sleep(victim.pause)
            chaos.strike(victim)
            if number % 20 == 0:
                print(f"{number} kills, {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
        seconds = time.monotonic() - begin
        alive = chaos.settle()
        chaos.wind_up()
        left = [f"runner {pid}" for pid in stage.runners()] + claims_left(stage)
        records, numbers = chaos.records(alive), counted(stage)
        problems = [f"{talker.session}: {line}" for talker in chaos.talkers for line in talker.problems]
        chaos.clients.close()
    finally:
        stage.stop()
    left += [f"process {line}" for line in processes_of(stage.home)]
    verdict = judge(records, left, numbers)
    verdict.stuck += problems
    for word, found in verdict.kinds().items():
        for line in found[:SHOWN]:
            print(f"{word}: {line}")
    print(figures(records, kills, seconds, options.seed, verdict))
    return verdict.good


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos N=... SESSIONS=... SEED=...", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--seed", type=int, default=None, help="drawn and printed if not given")
    parser.add_argument("--double", action="store_true", help="two control planes and two workers")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(10**6)
    folder = Path(tempfile.mkdtemp(prefix="ambient-chaos-"))
    print(f"chaos with seed {options.seed}; logs: {folder}", file=sys.stderr, flush=True)
    good = run(options, folder)
    if good:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
