"""Wire forms of schedules."""

import json

from rest_framework import serializers

from ambient.common.wire import (
    LONG_LIMIT,
    NAME_LIMIT,
    EntitySerializer,
    Flag,
    Int32,
    Text,
    Timestamp,
    name_text,
)
from projects_app.serializers import inactivity_timeout, runner_type, stop_on_run_finished
from sessions_app.models import ScheduledSession

NOT_BUILT = json.dumps(
    [
        {
            "type": "Scheduled",
            "status": "False",
            "reason": "SchedulerNotBuilt",
            "message": "This server does not start schedules by the clock yet; a trigger starts one now.",
        }
    ]
)
ZONE_LIMIT = 64


class ScheduledSessionSerializer(EntitySerializer):
    """ScheduledSession: when a session is wanted again and again. Firing by the clock is not built yet."""

    wire_kind, wire_plural = "ScheduledSession", "scheduled-sessions"
    example = {"name": "nightly", "schedule": "0 3 * * *", "timezone": "Europe/Berlin"}
    computed = frozenset({"next_run_at", "conditions"})
    strict = False

    name = name_text(required=True)
    description = Text()
    project_id = Text(read_only=True, help_text="The path's project.")
    agent_id = Text(limit=NAME_LIMIT, help_text="Agent to start; without one a plain session is made.")
    schedule = Text(
        required=True, limit=NAME_LIMIT, empty=False, help_text="Cron: minute hour day month weekday."
    )
    timezone = Text(limit=ZONE_LIMIT, empty=False, help_text="IANA name; UTC when left out.")
    enabled = Flag(help_text="true when left out.")
    session_prompt = Text(limit=LONG_LIMIT, help_text="Task of each start.")
    timeout = Int32(least=0, help_text="Longest time running, in seconds.")
    inactivity_timeout = inactivity_timeout()
    stop_on_run_finished = stop_on_run_finished()
    runner_type = runner_type()
    created_by_user_id = Text(read_only=True)
    last_run_at = Timestamp(read_only=True)
    next_run_at = Timestamp(
        source="upcoming_run_at", read_only=True, help_text="When it is due next; absent while suspended."
    )
    conditions = serializers.SerializerMethodField(help_text="JSON array.")

    def get_href(self, row: ScheduledSession) -> str:
        return f"/api/ambient/v1/projects/{row.project_id}/{self.wire_plural}/{row.pk}"

    def get_conditions(self, row: ScheduledSession) -> str:
        return NOT_BUILT


class ScheduleTriggerSerializer(serializers.Serializer):
    """What a trigger came to."""

    status = serializers.CharField(read_only=True)
    session_id = serializers.CharField(read_only=True)
