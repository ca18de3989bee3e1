"""Starting an agent: one session with everything it should know as its first message."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ambient.common.database import transactional
from projects_app.models import Agent, InboxMessage
from projects_app.services.agents import lock_agent
from sessions_app.choices import Phase, Trigger
from sessions_app.models import ScheduledSession, Session
from sessions_app.services.defaults import spec_from_agent
from sessions_app.services.sessions import session_create

INBOX_LIMIT = 1000


@dataclass(frozen=True)
class AgentStart:
    """What a start came to; `created` is false when the agent was at work already."""

    session: Session
    starting_prompt: str
    created: bool


def unread_messages(agent: Agent) -> list[InboxMessage]:
    """What waits in the inbox, oldest first."""
    rows = InboxMessage.objects.live().filter(agent=agent, read=False).select_related("from_agent")
    return list(rows.order_by("created_at", "id")[:INBOX_LIMIT])


def _sender(message: InboxMessage) -> str:
    return message.from_name or message.from_agent_id or "system"


def _section(title: str, text: str | None) -> str:
    return f"## {title}\n\n{text.strip()}" if text and text.strip() else ""


def starting_prompt(agent: Agent, messages: list[InboxMessage], task: str | None) -> str:
    """Who the agent is, its project, its peers, its inbox and its task; empty parts are left out."""
    others = Agent.objects.live().filter(project_id=agent.project_id).exclude(pk=agent.pk)
    peers = [
        f"- {name}: {description}" if description else f"- {name}"
        for name, description in others.order_by("name").values_list("name", "description")
    ]
    inbox = [f"From {_sender(message)}: {message.body}" for message in messages]
    parts = [
        f"You are {agent.name}, an agent of the project {agent.project_id}.",
        _section("Project", agent.project.prompt),
        _section("Your role", agent.prompt),
        _section("Other agents of this project", "\n".join(peers)),
        _section("Inbox", "\n\n".join(inbox)),
        _section("Task", task),
    ]
    return "\n\n".join(part for part in parts if part)


def agent_start_preview(*, agent: Agent) -> str:
    """The text that a start without a task would send. Changes nothing."""
    return starting_prompt(agent, unread_messages(agent), None)


@transactional
def agent_start(
    *,
    agent: Agent,
    actor: str,
    task: str | None = None,
    spec: Mapping[str, Any] | None = None,
    schedule: ScheduledSession | None = None,
) -> AgentStart:
    """Start the agent, or find it at work. The agent's lock allows one active session at most.

    `spec` goes before what the agent has.
    """
    agent = lock_agent(agent.pk)
    active = Session.objects.live().for_agent(agent.pk).active().order_by("created_at", "id").first()
    if active is not None:
        return AgentStart(active, "", created=False)
    messages = unread_messages(agent)
    text = starting_prompt(agent, messages, task)
    InboxMessage.objects.filter(pk__in=[message.pk for message in messages]).update(read=True)
    own = {"name": f"{agent.name}-{int(time.time())}", "prompt": agent.prompt}
    trigger = Trigger.AGENT if schedule is None else Trigger.SCHEDULE
    session = session_create(
        actor=actor,
        project=agent.project,
        agent=agent,
        spec=spec_from_agent(agent) | own | dict(spec or {}),
        trigger=trigger,
        first_message=text,
        phase=Phase.PENDING,
        schedule=schedule,
    )
    agent.current_session_id = session.pk
    agent.save(update_fields=["current_session_id", "updated_at"])
    return AgentStart(session, text, created=True)
