"""ScheduledSession: a session, or an agent's start, that is wanted again and again."""

import datetime

from django.db import models
from django.utils import timezone

from ambient.common.audit import audited
from ambient.common.models import Entity, live_list_indexes
from projects_app.models import Agent, Project
from sessions_app.cron import next_due
from sessions_app.querysets import ScheduledSessionQuerySet


@audited(
    "ScheduledSession",
    name="{row}.name",
    project="{row}.project_id",
    exclude=["last_run_at", "next_run_at"],
)
class ScheduledSession(Entity):
    """When and what; every start of it is a Session that names this row."""

    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="schedules", db_index=False)
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="schedules"
    )
    created_by_user_id = models.TextField(null=True, blank=True, editable=False, help_text="Username.")
    name = models.TextField()
    description = models.TextField(null=True, blank=True)
    schedule = models.CharField(max_length=255, help_text="Five fields of cron.")
    timezone = models.CharField(max_length=64, default="UTC", help_text="IANA name.")
    enabled = models.BooleanField(default=True)
    session_prompt = models.TextField(null=True, blank=True, help_text="Task of each start.")
    timeout = models.IntegerField(null=True, blank=True, help_text="Seconds.")
    inactivity_timeout = models.IntegerField(null=True, blank=True, help_text="Seconds; 0: never.")
    stop_on_run_finished = models.BooleanField(null=True, blank=True)
    runner_type = models.TextField(null=True, blank=True)
    last_run_at = models.DateTimeField(null=True, editable=False)
    next_run_at = models.DateTimeField(null=True, editable=False)

    objects = ScheduledSessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], condition=models.Q(deleted_at=None), name="schedule_name_live"
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="schedule_name_not_empty"),
            models.CheckConstraint(
                condition=models.Q(timeout=None) | models.Q(timeout__gte=0),
                name="schedule_timeout_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(inactivity_timeout=None) | models.Q(inactivity_timeout__gte=0),
                name="schedule_inactivity_not_negative",
            ),
        ]
        indexes = [
            *live_list_indexes("schedule"),
            models.Index(
                "next_run_at", condition=models.Q(deleted_at=None, enabled=True), name="schedule_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project_id}/{self.name}"

    @property
    def access_scopes(self) -> dict[str, str | None]:
        """Objects whose grants reach this one, nearest first."""
        return {"project": self.project_id}

    @property
    def upcoming_run_at(self) -> datetime.datetime | None:
        """When it is due next, as seen now; None while it is suspended."""
        if not self.enabled:
            return None
        now = timezone.now()
        if self.next_run_at is not None and self.next_run_at > now:
            return self.next_run_at
        return next_due(self.schedule, self.timezone, now)
