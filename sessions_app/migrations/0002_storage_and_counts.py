"""Storage settings of the hot tables, and the kept counter of sessions."""

from django.db import migrations

from ambient.common.triggers import count_rows, stop_counting_rows

# Updated with every batch of events or message: leave room on the page for HOT updates, vacuum often.
HOT_TABLES = ("sessions_app_sessionstream", "sessions_app_messagecounter")
HOT = "".join(
    f"ALTER TABLE {table} SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, "
    f"autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);\n"
    for table in HOT_TABLES
)
COLD = "".join(
    f"ALTER TABLE {table} RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, "
    f"autovacuum_vacuum_cost_delay);\n"
    for table in HOT_TABLES
)


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0001_initial"), ("projects_app", "0002_row_counts")]

    operations = [
        migrations.RunSQL(HOT, COLD),
        migrations.RunSQL(
            count_rows("session", "sessions_app_session", "project_id"),
            stop_counting_rows("session", "sessions_app_session"),
        ),
    ]
