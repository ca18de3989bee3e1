"""What the history tables hold goes into the audit log. Apart from the tables' change: it may take a while."""

from django.db import migrations

from ambient.common.triggers import carry_history

INDEXES = ("id", "created_at", "updated_at", "labels_index", "annotations_index")
CARRY = [
    carry_history("Project", "projects_app_projecthistory", name="id", project="h.id", left_out=INDEXES),
    carry_history(
        "Agent",
        "projects_app_agenthistory",
        name="name",
        project="h.project_id",
        left_out=(*INDEXES, "current_session_id"),
        hidden=("environment_variables", "mcp_servers"),
    ),
    carry_history(
        "Credential", "projects_app_credentialhistory", name="name", project="NULL", left_out=INDEXES
    ),
    carry_history(
        "Application",
        "projects_app_applicationhistory",
        name="name",
        project="CASE WHEN coalesce(h.destination_ambient_url, '') = '' THEN h.destination_project END",
        left_out=(
            *INDEXES,
            "sync_status",
            "health_status",
            "sync_revision",
            "operation_phase",
            "operation_message",
            "resource_status",
            "conditions",
            "last_synced_at",
        ),
    ),
    carry_history(
        "RoleBinding",
        "projects_app_rolebindinghistory",
        name="id",
        project="h.project_id",
        left_out=INDEXES,
    ),
]


class Migration(migrations.Migration):
    dependencies = [("projects_app", "0009_audit")]

    operations = [migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in CARRY]
