"""A session with a scripted runner, and nodes on short times."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from ag_ui_validate import Validator
from asgiref.sync import sync_to_async
from django.db import connection, connections

from ambient.common.encryption import unseal
from projects_app.models import Project, User
from sessions_app.choices import Phase
from sessions_app.models import Session, SessionEvent
from sessions_app.services.sessions import session_create
from sessions_app.streams.node import Limits, Node
from sessions_app.streams.timing import Timing
from tests.fakes.runner import FakeRunner

SHORT = Timing(
    lease=1.0,
    drain=2.0,
    stall=1.0,
    poll=0.1,
    heartbeat=0.5,
    access=5.0,
    silence=2.0,
    reconnect=0.5,
    connect=2.0,
    interrupt=0.5,
    interrupt_restart=0.5,
    ack=0.05,
)
PATIENCE = 20.0


async def eventually(look: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Wait until the condition holds; returns its value."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = await look()
        if found:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


async def in_database(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call blocking database code on a thread that keeps no connection."""

    def call() -> Any:
        try:
            return function(*args, **kwargs)
        finally:
            connection.close()

    return await sync_to_async(call, thread_sensitive=False)()


def make_session(project: Project, **fields: Any) -> Session:
    """A session of the project, as a plain create makes it."""
    return session_create(actor="ann", project=project, spec={"name": "work", **fields})


def make_running(session: Session, runner: FakeRunner) -> None:
    """What the reconciler records when a runner answered."""
    Session.objects.filter(pk=session.pk).update(
        phase=Phase.RUNNING, runner_endpoint=runner.endpoint, runner_instance=runner.instance
    )


@pytest.fixture
def project(transactional_db: None) -> Project:
    return Project.objects.create(id="demo")


@pytest.fixture
def ann(transactional_db: None) -> User:
    user: User = User.objects.create_superuser("ann", "a long password")
    return user


class Lab:
    """A session, its runner, and any number of nodes."""

    def __init__(self, session: Session, runner: FakeRunner) -> None:
        self.session = session
        self.runner = runner
        self.nodes: list[Node] = []

    async def node(self, *, holds: bool = True, timing: Timing = SHORT, limits: Limits | None = None) -> Node:
        """Start one more process's worth of streams."""
        node = Node(holds=holds, timing=timing, limits=limits)
        await node.start()
        self.nodes.append(node)
        return node

    async def send(self, text: str, **fields: Any) -> Any:
        """A message of ann's."""
        from sessions_app.services.sending import message_send

        return await in_database(message_send, session=self.session, actor="ann", text=text, **fields)

    async def events(self) -> list[dict[str, Any]]:
        """Everything stored and not compacted."""
        import json

        rows = await in_database(
            lambda: list(
                SessionEvent.objects.filter(session_id=self.session.pk)
                .order_by("seq")
                .values_list("seq", "event")
            )
        )
        numbers = [seq for seq, _ in rows]
        assert numbers == list(range(numbers[0], numbers[0] + len(rows))) if rows else True
        return [json.loads(event) for _, event in rows]

    async def ended(self, count: int = 1) -> list[dict[str, Any]]:
        """Everything stored, once so many runs have ended."""

        async def look() -> Any:
            events = await self.events()
            ends = [e for e in events if e["type"] in ("RUN_FINISHED", "RUN_ERROR")]
            return events if len(ends) >= count else None

        found: list[dict[str, Any]] = await eventually(look, f"{count} runs end")
        return found


def complaints(events: list[dict[str, Any]]) -> list[str]:
    """Errors and warnings of the protocol's checker about stored events."""
    validator = Validator()
    found = [diagnostic for event in events for diagnostic in validator.feed(event)] + validator.finalize()
    return [f"{d.rule} {d.message}" for d in found if d.severity == "error"]


@pytest_asyncio.fixture
async def lab(project: Project, ann: User) -> AsyncIterator[Lab]:
    session = await in_database(make_session, project)
    secret = unseal(session.runner_secret or "", context=session.runner_secret_context)
    runner = FakeRunner(session.pk, secret)
    await runner.start()
    await in_database(make_running, session, runner)
    lab = Lab(session, runner)
    yield lab
    for node in lab.nodes:
        await node.kill()
    await runner.stop()
    events = await lab.events()
    assert complaints(events) == []
    await sync_to_async(connections.close_all)()
