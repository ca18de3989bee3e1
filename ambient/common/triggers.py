"""SQL of database triggers that more than one app's migrations install."""


def count_rows(kind: str, table: str, project_column: str) -> str:
    """Triggers that keep `projects_app_rowcount` right for a table with `deleted_at`.

    Inserts and deletes are counted per statement, so that a bulk of rows is one update a project. Rows that
    are there already are counted once; the new triggers' lock keeps others from writing until the commit.
    """
    return f"""
CREATE FUNCTION ambient_count_{kind}_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO projects_app_rowcount (kind, project, rows)
  SELECT '{kind}', {project_column}, count(*) FROM changed WHERE deleted_at IS NULL
  GROUP BY {project_column} ORDER BY {project_column}
  ON CONFLICT (kind, project) DO UPDATE SET rows = projects_app_rowcount.rows + EXCLUDED.rows;
  RETURN NULL;
END $$;
CREATE FUNCTION ambient_count_{kind}_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO projects_app_rowcount (kind, project, rows)
  SELECT '{kind}', {project_column}, -count(*) FROM changed WHERE deleted_at IS NULL
  GROUP BY {project_column} ORDER BY {project_column}
  ON CONFLICT (kind, project) DO UPDATE SET rows = projects_app_rowcount.rows + EXCLUDED.rows;
  RETURN NULL;
END $$;
CREATE TRIGGER ambient_count_inserted AFTER INSERT ON {table}
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ambient_count_{kind}_inserted();
CREATE TRIGGER ambient_count_deleted AFTER DELETE ON {table}
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION ambient_count_{kind}_deleted();
CREATE TRIGGER ambient_count_updated AFTER UPDATE ON {table} FOR EACH ROW
  WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL) OR OLD.{project_column} <> NEW.{project_column})
  EXECUTE FUNCTION ambient_count_row('{kind}', '{project_column}');
INSERT INTO projects_app_rowcount (kind, project, rows)
SELECT '{kind}', {project_column}, count(*) FROM {table} WHERE deleted_at IS NULL GROUP BY {project_column}
ON CONFLICT (kind, project) DO UPDATE SET rows = EXCLUDED.rows;
"""


def stop_counting_rows(kind: str, table: str) -> str:
    """The reverse of `count_rows`."""
    return f"""
DROP TRIGGER ambient_count_inserted ON {table};
DROP TRIGGER ambient_count_deleted ON {table};
DROP TRIGGER ambient_count_updated ON {table};
DROP FUNCTION ambient_count_{kind}_inserted();
DROP FUNCTION ambient_count_{kind}_deleted();
"""
