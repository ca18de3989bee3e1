"""Kept counters: live rows of projects and agents per project (docs/performance.md)."""

from django.db import migrations

from ambient.common.triggers import count_rows, stop_counting_rows

FUNCTION = """
CREATE FUNCTION ambient_count_row() RETURNS trigger LANGUAGE plpgsql AS $$
-- Row by row, for UPDATEs that delete, restore or move a row. Arguments: kind, project column.
DECLARE
  old_project text := to_jsonb(OLD) ->> TG_ARGV[1];
  new_project text := to_jsonb(NEW) ->> TG_ARGV[1];
BEGIN
  IF OLD.deleted_at IS NULL THEN
    UPDATE projects_app_rowcount SET rows = rows - 1 WHERE kind = TG_ARGV[0] AND project = old_project;
  END IF;
  IF NEW.deleted_at IS NULL THEN
    INSERT INTO projects_app_rowcount (kind, project, rows) VALUES (TG_ARGV[0], new_project, 1)
    ON CONFLICT (kind, project) DO UPDATE SET rows = projects_app_rowcount.rows + 1;
  END IF;
  RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("projects_app", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION ambient_count_row()"),
        migrations.RunSQL(
            count_rows("project", "projects_app_project", "id"),
            stop_counting_rows("project", "projects_app_project"),
        ),
        migrations.RunSQL(
            count_rows("agent", "projects_app_agent", "project_id"),
            stop_counting_rows("agent", "projects_app_agent"),
        ),
    ]
