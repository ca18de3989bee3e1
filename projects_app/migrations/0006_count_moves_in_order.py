"""A move between projects locks their counters in one order, so that two opposite moves cannot deadlock."""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION ambient_count_row() RETURNS trigger LANGUAGE plpgsql AS $$
-- Row by row, for UPDATEs that delete, restore or move a row. Arguments: kind, project column.
DECLARE
  old_project text := to_jsonb(OLD) ->> TG_ARGV[1];
  new_project text := to_jsonb(NEW) ->> TG_ARGV[1];
BEGIN
  INSERT INTO projects_app_rowcount (kind, project, rows)
  SELECT DISTINCT TG_ARGV[0], p, 0 FROM unnest(ARRAY[old_project, new_project]) p ORDER BY p
  ON CONFLICT DO NOTHING; -- a row that is made later would be locked out of order
  PERFORM 1 FROM projects_app_rowcount
  WHERE kind = TG_ARGV[0] AND project IN (old_project, new_project) ORDER BY project FOR NO KEY UPDATE;
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
    dependencies = [("projects_app", "0005_applications")]

    operations = [migrations.RunSQL(FUNCTION, migrations.RunSQL.noop)]
