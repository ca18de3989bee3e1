"""Writes to schedules, and their starts. Firing by the clock does not exist yet; a trigger starts one now."""

import time
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from ambient.common.database import transactional
from ambient.common.exceptions import Conflict, InvalidField, not_found
from ambient.common.wire import NAME_LIMIT
from projects_app.models import Agent, Project
from sessions_app.choices import Trigger
from sessions_app.cron import next_due
from sessions_app.models import ScheduledSession, Session
from sessions_app.services.agents import agent_start
from sessions_app.services.sessions import session_create

CARRIED = ("timeout", "inactivity_timeout", "stop_on_run_finished", "runner_type")
"""What a schedule sets on the sessions that it starts."""
NO_AGENT = "agent_id names no agent of the project"
TAKEN = "This ScheduledSession already exists"
UPDATE_TAKEN = "Changes to ScheduledSession conflict with existing records"


def _check_agent(project_id: str, pk: str | None) -> None:
    if pk is not None and not Agent.objects.live().filter(pk=pk, project_id=project_id).exists():
        raise InvalidField(NO_AGENT)


def _save(row: ScheduledSession, reason: str, **kwargs: Any) -> None:
    """Save with the next due time: none while it is suspended, and never one that has passed."""
    due = next_due(row.schedule, row.timezone, timezone.now())  # also checks a suspended one
    row.next_run_at = due if row.enabled else None
    try:
        with transaction.atomic():
            row.save(**kwargs)
    except IntegrityError as exc:
        raise Conflict(reason) from exc


@transactional
def schedule_create(*, actor: str, project: Project, values: Mapping[str, Any]) -> ScheduledSession:
    """A new schedule; its name is unique in the project."""
    locked = Project.objects.select_for_update(no_key=True).filter(pk=project.pk, deleted_at=None)
    if not locked.exists():
        raise not_found("Project", project.pk)
    row = ScheduledSession(project=project, created_by_user_id=actor, **values)
    _check_agent(project.pk, row.agent_id)
    _save(row, TAKEN, force_insert=True)
    return row


def _locked(pk: str) -> ScheduledSession:
    row = ScheduledSession.objects.select_for_update(no_key=True, of=("self",)).filter(pk=pk, deleted_at=None)
    found = row.first()
    if found is None:
        raise not_found("ScheduledSession", pk)
    return found


@transactional
def schedule_update(*, row: ScheduledSession, changes: Mapping[str, Any]) -> ScheduledSession:
    """Change a schedule; also how it is suspended (`enabled` false) and resumed, which never catches up."""
    row = _locked(row.pk)
    for name, value in changes.items():
        setattr(row, name, value)
    if "agent_id" in changes:
        _check_agent(row.project_id, row.agent_id)
    elif changes.get("enabled") and row.agent is not None and row.agent.deleted_at is not None:
        raise Conflict("the agent of this schedule was deleted")
    _save(row, UPDATE_TAKEN, update_fields=[*changes, "next_run_at", "updated_at"])
    return row


@transactional
def schedule_delete(*, row: ScheduledSession) -> None:
    """Soft delete; its sessions stay."""
    row = _locked(row.pk)
    row.deleted_at = timezone.now()
    row.save(update_fields=["deleted_at", "updated_at"])


@transactional
def schedule_trigger(*, row: ScheduledSession, actor: str) -> Session:
    """Start a session now, also while suspended. It does not move the schedule.

    Conflict when the agent is gone or at work already: a start for the schedule would be none.
    """
    row = _locked(row.pk)
    agent = row.agent
    spec = {name: getattr(row, name) for name in CARRIED if getattr(row, name) is not None}
    if agent is None:
        suffix = f"-{int(time.time())}"
        spec |= {"name": row.name[: NAME_LIMIT - len(suffix)] + suffix, "prompt": row.session_prompt}
        session = session_create(
            actor=actor, project=row.project, spec=spec, trigger=Trigger.SCHEDULE, schedule=row
        )
    else:
        if agent.deleted_at is not None:
            raise Conflict("the agent of this schedule was deleted")
        started = agent_start(agent=agent, actor=actor, task=row.session_prompt, spec=spec, schedule=row)
        if not started.created:
            raise Conflict(f"the agent is at work already, in session {started.session.pk}")
        session = started.session
    row.last_run_at = timezone.now()
    row.save(update_fields=["last_run_at", "updated_at"])
    return session
