"""`make demo`: one real session from nothing to its end, before your eyes.

Starts the platform of AMBIENT_HOME, makes a project, an agent and a session over REST with a real Git
repository as input, follows its phases and events, answers its question, cuts a stream and resumes it on the
other port, shows the report that the agent committed, and stops everything. Every line is something that
really happened; anything that does not happen ends with exit code 1.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ambient.common.transcript import Transcript
from ambient.embedded.errors import EmbeddedError
from ambient.embedded.home import Home
from ambient.embedded.platform import Platform, endpoints
from ambient.embedded.signals import StopRequest

SDK = Path(__file__).resolve().parent.parent / "sdk" / "python" / "src"
sys.path.insert(0, str(SDK))

from ambient_platform import AmbientClient, AmbientError, StreamEvent  # noqa: E402

QUESTION = "Which greeting should the report use?"
ANSWER = "Good morning"
CUT_AFTER = 12  # events read before the stream is cut for the first time
FAKE_API = Path(__file__).resolve().parent.parent / "tests" / "fakes" / "anthropic_api.py"
# What the agent is asked: the demo agent has commands, the other one understands words.
TASKS = {
    "demo": "Write a report about this repository.",
    "claude": "Write a short report about this repository into the file REPORT.md and commit it with git.",
}
QUESTIONS = {
    "demo": f"/ask {QUESTION}",
    "claude": f"Use your tool AskUserQuestion to ask me exactly this: {QUESTION} "
    "Offer two choices. Then tell me which one I gave.",
}
SOURCES = {
    "README.md": "# Sample\n\nA small repository for the demo agent to look at.\n",
    "src/hello.py": 'def hello(name: str) -> str:\n    return f"Hello, {name}"\n',
    "src/main.py": 'from hello import hello\n\nprint(hello("world"))\n',
    "web/index.html": "<!doctype html>\n<title>Sample</title>\n<h1>Sample</h1>\n",
}


class DemoFailed(Exception):
    """Something that the demo promises did not happen."""


class Story:
    """Prints what happens, behind the seconds since the start."""

    def __init__(self) -> None:
        self.begin = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begin

    def say(self, text: str) -> None:
        sys.stdout.write(f"[{self.seconds:5.1f}s] {text}\n")
        sys.stdout.flush()

    def chapter(self, text: str) -> None:
        sys.stdout.write(f"\n\033[1m{text}\033[0m\n" if sys.stdout.isatty() else f"\n{text}\n")


def make_repository(folder: Path) -> str:
    """A Git repository with one commit, for the session to work on; its file:// address."""
    identity = {"GIT_AUTHOR_NAME": "Ambient Demo", "GIT_AUTHOR_EMAIL": "demo@localhost"}
    identity |= {"GIT_COMMITTER_NAME": "Ambient Demo", "GIT_COMMITTER_EMAIL": "demo@localhost"}
    for name, text in SOURCES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "A sample"]):
        subprocess.run(["git", *command], cwd=folder, env=os.environ | identity, check=True)  # noqa: S603, S607
    return folder.as_uri()


@contextmanager
def model_api(framework: str, environment: dict[str, str], say: Callable[[str], None]) -> Iterator[None]:
    """Says who answers for the model. Without a key that is the fake, which is added to the environment."""
    if framework != "claude":
        yield
        return
    if environment.get("ANTHROPIC_API_KEY"):
        say("the model is the REAL service: the key of ANTHROPIC_API_KEY is used and pays")
        yield
        return
    command = [sys.executable, str(FAKE_API), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as fake:  # noqa: S603 - our own script
        try:
            if fake.stdout is None:
                raise DemoFailed("the fake has no output")
            environment["ANTHROPIC_BASE_URL"] = fake.stdout.readline().strip()
            environment["ANTHROPIC_API_KEY"] = "no-key-the-fake-answers"
            say(
                "the model is a FAKE on this machine: ANTHROPIC_API_KEY is not set; the agent is the real one"
            )
            yield
        finally:
            fake.kill()


class Demo:
    """The story, chapter by chapter."""

    def __init__(self, home: Home, story: Story, urls: list[str], token: str, framework: str) -> None:
        self.home = home
        self.framework = framework
        self.story = story
        self.api, self.control_plane = (AmbientClient(url, token) for url in urls)
        self.seen: list[int] = []
        self.connections = 0
        self.transcript = Transcript(story.say)
        self.ready_seconds = 0.0

    def tell(self) -> None:
        self.create()
        self.follow_phases()
        self.follow_first_run()
        self.question()
        self.compare_with_the_store()
        self.report()
        self.end()

    def create(self) -> None:
        self.story.chapter("1. A repository, a project, an agent and a session, over REST")
        name = f"demo-{secrets.token_hex(3)}"
        self.repository = self.home.path / "demo" / name
        address = make_repository(self.repository)
        self.story.say(f"repository {address}")
        project = self.api.projects.create(name=name, description="Made by `make demo`")
        self.story.say(f"project    {project.id}")
        self.project = project.id
        agent = self.api.agents.create(
            self.project,
            name="scout",
            prompt="Look at the repository and report.",
            repo_url=address,
            runner_type=self.framework,
            allowed_tools=json.dumps(["Bash", "Read", "Write"]),
        )
        self.story.say(f"agent      {agent.name} ({agent.id})")
        self.created = time.monotonic()
        started = self.api.agents.start(self.project, agent.id, prompt=TASKS[self.framework])
        self.session = started.session.id
        self.story.say(f"session    {self.session}: {started.session.phase}")

    def follow_phases(self) -> None:
        self.story.chapter("2. From the wish to a running agent")
        last = ""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            session = self.api.sessions.get(self.session)
            line = f"{session.phase or '(absent)':<9} {session.reason or ''}: {session.reason_text or ''}"
            if line != last:
                self.story.say(f"  +{time.monotonic() - self.created:.2f}s {line}")
                last = line
            if session.phase == "Running":
                self.ready_seconds = time.monotonic() - self.created
                return
            if session.phase in ("Failed", "Stopped", "Completed"):
                raise DemoFailed(f"the session is {session.phase} instead of Running")
            time.sleep(0.02)
        raise DemoFailed(f"the session is still not running: {last}")

    def follow_first_run(self) -> None:
        self.story.chapter("3. What the agent does (AG-UI events; the stream is cut once and resumed)")
        for event in self.events(self.api):
            if len(self.seen) == CUT_AFTER:
                self.story.say(
                    f"  -- stream cut after event {event.seq}, resumed on the control plane's port"
                )
                break
        else:
            raise DemoFailed("the run was over before the stream could be cut")
        for event in self.events(self.control_plane):
            if event.type == "RUN_ERROR":
                raise DemoFailed(f"the run failed: {event.data['message']}")
            if event.type == "RUN_FINISHED":
                return
        raise DemoFailed("the stream ended before the run did")

    def question(self) -> None:
        self.story.chapter("4. The agent asks, this script answers")
        self.api.sessions.send(self.session, QUESTIONS[self.framework])
        self.until_run_finished("interrupt")
        (asked,) = self.api.sessions.questions(self.session)
        self.story.say(f"  question   {asked.request['message']}")
        self.api.sessions.answer(self.session, asked.id, {"answer": ANSWER})
        self.story.say(f"  answer     {ANSWER}")
        said = "".join(
            event.data["delta"]
            for event in self.until_run_finished("success")
            if event.type == "TEXT_MESSAGE_CONTENT"
        )
        if ANSWER not in said:
            raise DemoFailed(f"the agent does not speak of the answer: {said!r}")

    def until_run_finished(self, outcome: str) -> list[StreamEvent]:
        events = []
        for event in self.events(self.api):
            events.append(event)
            if event.type == "RUN_ERROR":
                raise DemoFailed(f"the run failed: {event.data['message']}")
            if event.type == "RUN_FINISHED":
                got = (event.data.get("outcome") or {"type": "success"})["type"]
                if got != outcome:
                    raise DemoFailed(f"the run ended with {got} instead of {outcome}")
                return events
        raise DemoFailed("the stream ended before the run did")

    def events(self, client: AmbientClient) -> Iterator[StreamEvent]:
        """Events after the last one seen, printed and counted as they come."""
        after = self.seen[-1] if self.seen else 0
        self.connections += 1
        with client.sessions.stream(self.session, after=after) as stream:
            for event in stream:
                self.seen.append(event.seq)
                self.transcript.add(event.seq, event.data)
                yield event

    def compare_with_the_store(self) -> None:
        self.story.chapter("5. Nothing lost, nothing twice")
        highest = self.seen[-1]
        lost = highest - len(set(self.seen))
        doubled = len(self.seen) - len(set(self.seen))
        self.story.say(
            f"  read 1..{highest} over {self.connections} connections on 2 ports: "
            f"{lost} lost, {doubled} doubled"
        )
        if lost or doubled or self.seen != sorted(self.seen):
            raise DemoFailed("the stream lost or doubled events")

    def report(self) -> None:
        self.story.chapter("6. The report that the agent committed")
        workspace = self.home.path / "sessions" / self.session / "workspace"
        reports = list(workspace.glob("repos/*/REPORT.md"))
        if len(reports) != 1:
            raise DemoFailed(f"no REPORT.md in {workspace}")
        for line in reports[0].read_text().splitlines()[:8]:
            self.story.say(f"  | {line}")
        self.story.say(f"  {reports[0]}")

    def end(self) -> None:
        self.story.chapter("7. Stop")
        self.api.sessions.stop(self.session)
        deadline = time.monotonic() + 30
        while (session := self.api.sessions.get(self.session)).phase != "Stopped":
            if time.monotonic() > deadline:
                raise DemoFailed(f"the session is still {session.phase}")
            time.sleep(0.05)
        self.story.say(f"session    {session.phase}: {session.reason_text}")


class DemoLog:
    """The processes' lines. Opened by the first, so that a demo that may not start leaves another's alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None

    @property
    def opened(self) -> bool:
        return self._file is not None

    def __call__(self, name: str, line: str) -> None:
        if self._file is None:
            self._file = self.path.open("w")
        self._file.write(f"{name:<14} {line}\n")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def main() -> int:
    parser = argparse.ArgumentParser(description="One real session from nothing to its end.")
    parser.add_argument("--framework", choices=sorted(TASKS), default="demo")
    framework: str = parser.parse_args().framework
    story = Story()
    environment = os.environ | {"AMBIENT_LOG_FORMAT": "json"}
    with model_api(framework, environment, story.say):
        return run(framework, story, environment)


def run(framework: str, story: Story, environment: dict[str, str]) -> int:
    """Start, tell, stop; returns the exit code."""
    home = Home.from_env(environment)
    log = DemoLog(home.path / "demo.log")
    sys.stdout.write("Ambient demo: one real agent session, from nothing to its end.\n\n")
    sys.stdout.flush()
    platform = Platform(home, environment, output=log, progress=story.say, reaper=True)
    stop = StopRequest(platform)
    stop.install()
    failure = ""
    try:
        platform.start()
        platform.wait_ready()
        token = (home.path / "admin.key").read_text().strip()
        urls = [endpoint.url for endpoint in endpoints(environment)]
        demo = Demo(home, story, urls, token, framework)
        demo.tell()
    except (DemoFailed, EmbeddedError, AmbientError) as exc:
        failure = f"error: {exc}\n"
    except KeyboardInterrupt:
        failure = "error: interrupted\n"
    finally:
        stop.begin_stop()
        platform.stop()
        log.close()
    if failure:
        sys.stderr.write(failure)
        if log.opened:
            sys.stdout.write(f"Logs of the processes: {log.path}\n")
        return 1
    story.chapter("Done")
    story.say(
        f"{len(demo.seen)} events; {demo.ready_seconds:.2f} s from the wish to a running agent; "
        "all processes stopped"
    )
    sys.stdout.write(
        "\nWhere to look next\n"
        "  make up             start it and keep it: API docs, admin, sign-in\n"
        "  README.md           talk to it with curl\n"
        "  docs/               sessions, streams, reconciling, settings\n"
        f"  {log.path}   what the processes logged\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
