"""A wish carries the trace of the request that made it (docs/metrics.md, "Traces").

The request's traceparent is in the history context that the same statement sets for the audit log
(django-pghistory); where there is none, or in another form, the item has no trace and nothing else changes.
"""

from django.db import migrations, models

ASK = """
CREATE FUNCTION ambient_traceparent() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT substring(current_setting('pghistory.context_metadata', true)
    FROM '"traceparent": ?"([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})"')
$$;

CREATE OR REPLACE FUNCTION ambient_ask(kind_ text, key_ text, project_ text, urgent_ boolean) RETURNS void
LANGUAGE plpgsql AS $$
-- A wish: due now, whatever back-off there was.
BEGIN
  INSERT INTO reconciler_workitem
    (kind, key, project, version, due_at, urgent, attempts, requested_at, trace)
  VALUES (kind_, key_, project_, 1, clock_timestamp(), urgent_, 0, clock_timestamp(), ambient_traceparent())
  ON CONFLICT (kind, key) DO UPDATE SET version = reconciler_workitem.version + 1,
    due_at = EXCLUDED.due_at, urgent = EXCLUDED.urgent, attempts = 0, requested_at = EXCLUDED.requested_at,
    trace = EXCLUDED.trace;
  PERFORM pg_notify('ambient_work', kind_);
END $$;
"""
ASK_REVERSE = """
CREATE OR REPLACE FUNCTION ambient_ask(kind_ text, key_ text, project_ text, urgent_ boolean) RETURNS void
LANGUAGE plpgsql AS $$
-- A wish: due now, whatever back-off there was.
BEGIN
  INSERT INTO reconciler_workitem (kind, key, project, version, due_at, urgent, attempts, requested_at)
  VALUES (kind_, key_, project_, 1, clock_timestamp(), urgent_, 0, clock_timestamp())
  ON CONFLICT (kind, key) DO UPDATE SET version = reconciler_workitem.version + 1,
    due_at = EXCLUDED.due_at, urgent = EXCLUDED.urgent, attempts = 0, requested_at = EXCLUDED.requested_at;
  PERFORM pg_notify('ambient_work', kind_);
END $$;
DROP FUNCTION ambient_traceparent();
"""


class Migration(migrations.Migration):
    dependencies = [("reconciler", "0003_operators_indexes")]

    operations = [
        migrations.AddField(
            "workitem",
            "trace",
            models.CharField(
                help_text="W3C traceparent of the request that asked.", max_length=55, null=True
            ),
        ),
        migrations.RunSQL(ASK, ASK_REVERSE),
    ]
