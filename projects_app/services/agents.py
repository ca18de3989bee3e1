"""Writes to agents and their inboxes. Starting one is `sessions_app.services.agents`."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ambient.common.database import transactional
from ambient.common.exceptions import Conflict, InvalidField, not_found
from projects_app.models import Agent, InboxMessage, Project
from projects_app.services.labels import INDEX_FIELDS, index_labels

log = structlog.get_logger(__name__)


def _share_project(project: Project) -> None:
    """A project that is being deleted takes no new agents."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deleted_at FROM projects_app_project WHERE id = %s FOR SHARE", [project.pk])
        row = cursor.fetchone()
    if row is None or row[0] is not None:
        raise not_found("Project", project.pk)


@transactional
def agent_create(*, actor: str, project: Project, values: Mapping[str, Any]) -> Agent:
    """A new agent; its name is unique in the project. Without an owner it is the caller's."""
    _share_project(project)
    parent = values.get("parent_agent_id")
    if parent is not None and not Agent.objects.live().filter(pk=parent, project=project).exists():
        raise InvalidField("parent_agent_id names no agent of this project")
    agent = Agent(project=project, **values)
    agent.owner_user_id = agent.owner_user_id or actor
    index_labels(agent)
    try:
        with transaction.atomic():
            agent.save(force_insert=True)
    except IntegrityError as exc:
        raise Conflict("This Agent already exists") from exc
    return agent


def lock_agent(pk: str) -> Agent:
    """The agent's row, locked: it has at most one active session."""
    agent = Agent.objects.select_for_update(no_key=True).filter(pk=pk, deleted_at=None).first()
    if agent is None:
        raise not_found("Agent", pk)
    return agent


@transactional
def agent_update(*, agent: Agent, changes: Mapping[str, Any]) -> Agent:
    """Change an agent. Sessions that were started from it keep what they have."""
    agent = lock_agent(agent.pk)
    for name, value in changes.items():
        setattr(agent, name, value)
    index_labels(agent)
    try:
        with transaction.atomic():
            agent.save(update_fields=[*changes, *INDEX_FIELDS, "updated_at"])
    except IntegrityError as exc:
        raise Conflict("Changes to Agent conflict with existing records") from exc
    return agent


@transactional
def agent_delete(*, agent: Agent) -> None:
    """Soft delete. Its sessions stay, its schedules are suspended: they have nobody to start."""
    agent = lock_agent(agent.pk)
    agent.deleted_at = timezone.now()
    agent.save(update_fields=["deleted_at", "updated_at"])
    running = agent.schedules.filter(deleted_at=None, enabled=True)
    count = running.update(enabled=False, next_run_at=None, updated_at=agent.deleted_at)
    if count:
        log.info("schedules were suspended, since their agent was deleted", agent=agent.pk, schedules=count)


@transactional
def inbox_message_create(*, agent: Agent, values: Mapping[str, Any]) -> InboxMessage:
    """A note for the agent's next start."""
    sender = values.get("from_agent_id") or None
    if sender is not None:
        if not Agent.objects.live().filter(pk=sender, project_id=agent.project_id).exists():
            raise InvalidField("from_agent_id names no agent of this project")
    lock_agent(agent.pk)
    return InboxMessage.objects.create(
        agent=agent, from_agent_id=sender, from_name=values.get("from_name"), body=values["body"]
    )


@transactional
def inbox_message_update(*, message: InboxMessage, changes: Mapping[str, Any]) -> InboxMessage:
    """Mark as read or unread."""
    locked = (
        InboxMessage.objects.select_for_update(no_key=True).filter(pk=message.pk, deleted_at=None).first()
    )
    if locked is None:
        raise not_found("InboxMessage", message.pk)
    for name, value in changes.items():
        setattr(locked, name, value)
    locked.save(update_fields=[*changes, "updated_at"])
    return locked


@transactional
def inbox_message_delete(*, message: InboxMessage) -> None:
    """Soft delete."""
    if not InboxMessage.objects.filter(pk=message.pk, deleted_at=None).update(deleted_at=timezone.now()):
        raise not_found("InboxMessage", message.pk)
