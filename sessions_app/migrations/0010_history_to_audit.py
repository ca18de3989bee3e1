"""What the history tables hold goes into the audit log (as in projects_app)."""

from django.db import migrations

from ambient.common.triggers import carry_history

INDEXES = ("id", "created_at", "updated_at")
CARRY = [
    carry_history(
        "Session",
        "sessions_app_sessionhistory",
        name="name",
        project="h.project_id",
        left_out=INDEXES,
        hidden=("environment_variables", "mcp_servers"),
    ),
    carry_history(
        "ScheduledSession",
        "sessions_app_scheduledsessionhistory",
        name="name",
        project="h.project_id",
        left_out=(*INDEXES, "last_run_at", "next_run_at"),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0009_audit")]

    operations = [migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in CARRY]
