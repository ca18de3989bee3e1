"""`manage.py session_run`: create a session and follow it in the terminal."""

import asyncio
import time
from typing import Any

import pghistory
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from ambient.common.exceptions import ApplicationError
from ambient.common.management.arguments import checked
from ambient.setting_types import seconds
from projects_app.models import Agent, Project, User
from sessions_app.choices import RUNNER_TYPES
from sessions_app.follow import follow
from sessions_app.models import Session
from sessions_app.services.agents import agent_start
from sessions_app.services.sessions import session_create, session_stop

INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Create a session and follow its run in the terminal. Exit code 0: the run succeeded; 1: it failed; "
        "3: it waits for an answer; 4: --seconds ran out; 130: Ctrl-C."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "prompt", nargs="?", default="", help="what the agent should do; none: only start it"
        )
        parser.add_argument("--project", required=True, help="the project that the session belongs to")
        parser.add_argument("--user", default="admin", help="username that it is made as")
        parser.add_argument("--agent", help="start this agent of the project (name or id)")
        parser.add_argument("--name", help="the session's name")
        parser.add_argument("--repo-url", help="repository to work in")
        parser.add_argument("--runner-type", choices=RUNNER_TYPES, help="framework of the runner")
        parser.add_argument("--seconds", type=checked(seconds), help="follow for so long at most")
        parser.add_argument(
            "--stop-on-exit", action="store_true", help="stop the session at the end, also after Ctrl-C"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with pghistory.context(user=options["user"]):
            self._run(options)

    def _run(self, options: dict[str, Any]) -> None:
        session = self._create(options)
        begin = time.monotonic()

        def say(text: str) -> None:
            self.stdout.write(f"[{time.monotonic() - begin:5.1f}s] {text}")
            self.stdout.flush()

        say(f"session    {session.pk} of {session.project_id}")
        code = INTERRUPTED
        try:
            code = asyncio.run(follow(session.pk, say, seconds=options["seconds"]))
        except KeyboardInterrupt:
            say("no longer followed")
        finally:
            if options["stop_on_exit"]:
                self._stop(session, say)
            else:
                say(f"it stays; look with: manage.py session_show {session.pk}")
        if code:
            raise SystemExit(code)

    def _create(self, options: dict[str, Any]) -> Session:
        project = Project.objects.live().filter(pk=options["project"]).first()
        if project is None:
            raise CommandError(f"there is no project {options['project']!r}")
        user = User.objects.live().filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active user {options['user']!r}")
        spec = {name: options[name] for name in ("name", "repo_url", "runner_type") if options[name]}
        try:
            if not options["agent"]:
                return session_create(
                    actor=user.username, project=project, spec=spec | {"prompt": options["prompt"] or None}
                )
            if spec:
                raise CommandError("an agent has its own name, repository and runner type")
            started = agent_start(
                agent=self._agent(project, options["agent"]),
                actor=user.username,
                task=options["prompt"] or None,
            )
        except ApplicationError as exc:
            raise CommandError(exc.reason) from exc
        if not started.created:
            raise CommandError(f"the agent is at work already, in session {started.session.pk}")
        return started.session

    def _agent(self, project: Project, reference: str) -> Agent:
        agents = Agent.objects.live().filter(project=project)
        found = agents.filter(Q(pk=reference) | Q(name=reference)).first()
        if found is None:
            raise CommandError(f"there is no agent {reference!r} in {project.pk}")
        return found

    def _stop(self, session: Session, say: Any) -> None:
        try:
            session_stop(session=session)
            say("a stop was asked for")
        except ApplicationError as exc:
            say(exc.reason)
