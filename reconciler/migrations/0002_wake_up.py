"""Wake-ups: a wish becomes a work item in the wish's own transaction (docs/reconciling.md)."""

from django.db import migrations

ASK = """
CREATE SEQUENCE ambient_work_token;

CREATE FUNCTION ambient_ask(kind_ text, key_ text, project_ text, urgent_ boolean) RETURNS void
LANGUAGE plpgsql AS $$
-- A wish: due now, whatever back-off there was.
BEGIN
  INSERT INTO reconciler_workitem (kind, key, project, version, due_at, urgent, attempts, requested_at)
  VALUES (kind_, key_, project_, 1, clock_timestamp(), urgent_, 0, clock_timestamp())
  ON CONFLICT (kind, key) DO UPDATE SET version = reconciler_workitem.version + 1,
    due_at = EXCLUDED.due_at, urgent = EXCLUDED.urgent, attempts = 0, requested_at = EXCLUDED.requested_at;
  PERFORM pg_notify('ambient_work', kind_);
END $$;

CREATE FUNCTION ambient_seen(kind_ text, key_ text, project_ text) RETURNS void LANGUAGE plpgsql AS $$
-- A sighting: brings a waiting deadline forward, never shortens a back-off.
BEGIN
  INSERT INTO reconciler_workitem (kind, key, project, version, due_at, urgent, attempts, requested_at)
  VALUES (kind_, key_, project_, 1, clock_timestamp(), false, 0, clock_timestamp())
  ON CONFLICT (kind, key) DO UPDATE SET version = reconciler_workitem.version + 1,
    due_at = CASE WHEN reconciler_workitem.attempts = 0 THEN EXCLUDED.due_at ELSE reconciler_workitem.due_at END;
END $$;
"""
ASK_REVERSE = """
DROP FUNCTION ambient_seen(text, text, text);
DROP FUNCTION ambient_ask(text, text, text, boolean);
DROP SEQUENCE ambient_work_token;
"""

SESSION = """
CREATE FUNCTION ambient_session_wish() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM ambient_ask('session', OLD.id, OLD.project_id, true);
  ELSIF TG_OP = 'INSERT' THEN
    PERFORM ambient_ask('session', NEW.id, NEW.project_id, false);
  ELSIF (OLD.desired_state, OLD.generation, OLD.deleted_at)
        IS DISTINCT FROM (NEW.desired_state, NEW.generation, NEW.deleted_at) THEN
    PERFORM ambient_ask('session', NEW.id, NEW.project_id, NEW.desired_state <> 'running');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER ambient_session_wish
  AFTER INSERT OR DELETE OR UPDATE OF desired_state, generation, deleted_at ON sessions_app_session
  FOR EACH ROW EXECUTE FUNCTION ambient_session_wish();

CREATE FUNCTION ambient_place_free() RETURNS trigger LANGUAGE plpgsql AS $$
-- A place is free: look at whoever has waited longest, in this project and on the platform.
DECLARE
  waiter record;
BEGIN
  FOR waiter IN
    (SELECT id, project_id FROM sessions_app_session
     WHERE project_id = NEW.project_id AND placed_at IS NULL AND phase = 'Pending'
       AND desired_state = 'running' AND deleted_at IS NULL
     ORDER BY phase_since, id LIMIT 1)
    UNION
    (SELECT id, project_id FROM sessions_app_session
     WHERE placed_at IS NULL AND phase = 'Pending' AND desired_state = 'running' AND deleted_at IS NULL
     ORDER BY phase_since, id LIMIT 1)
    ORDER BY id
  LOOP
    PERFORM ambient_seen('session', waiter.id, waiter.project_id);
    PERFORM pg_notify('ambient_work', 'session');
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER ambient_place_free AFTER UPDATE OF placed_at ON sessions_app_session
  FOR EACH ROW WHEN (OLD.placed_at IS NOT NULL AND NEW.placed_at IS NULL)
  EXECUTE FUNCTION ambient_place_free();
CREATE INDEX session_waiting ON sessions_app_session (phase_since, id)
  WHERE placed_at IS NULL AND phase = 'Pending' AND desired_state = 'running' AND deleted_at IS NULL;
"""
SESSION_REVERSE = """
DROP INDEX session_waiting;
DROP TRIGGER ambient_place_free ON sessions_app_session;
DROP FUNCTION ambient_place_free();
DROP TRIGGER ambient_session_wish ON sessions_app_session;
DROP FUNCTION ambient_session_wish();
"""

PROJECT = """
CREATE FUNCTION ambient_project_wish() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM ambient_ask('project', OLD.id, OLD.id, true);
  ELSIF TG_OP = 'INSERT' OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at THEN
    PERFORM ambient_ask('project', NEW.id, NEW.id, NEW.deleted_at IS NOT NULL);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER ambient_project_wish AFTER INSERT OR DELETE OR UPDATE OF deleted_at ON projects_app_project
  FOR EACH ROW EXECUTE FUNCTION ambient_project_wish();
"""
PROJECT_REVERSE = """
DROP TRIGGER ambient_project_wish ON projects_app_project;
DROP FUNCTION ambient_project_wish();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("reconciler", "0001_initial"),
        ("sessions_app", "0002_storage_and_counts"),
        ("projects_app", "0002_row_counts"),
    ]

    operations = [
        migrations.RunSQL(ASK, ASK_REVERSE),
        migrations.RunSQL(SESSION, SESSION_REVERSE),
        migrations.RunSQL(PROJECT, PROJECT_REVERSE),
    ]
