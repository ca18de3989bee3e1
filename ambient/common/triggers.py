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


HISTORY_COLUMNS = "ARRAY['pgh_id', 'pgh_created_at', 'pgh_label', 'pgh_obj_id', 'pgh_context_id']"


def carry_history(
    kind: str, table: str, *, name: str, project: str, left_out: tuple[str, ...], hidden: tuple[str, ...] = ()
) -> str:
    """Entries of the audit log from a history table of django-pghistory, which holds a snapshot a write."""
    plain = f"to_jsonb(h) - {HISTORY_COLUMNS} - ARRAY[{', '.join(repr(column) for column in left_out)}]"
    old = "".join(
        f" || jsonb_build_object('{column}', CASE WHEN old ->> '{column}' IS NOT NULL THEN '[hidden]' END)"
        for column in hidden
    )
    new = "".join(
        f" || jsonb_build_object('{column}', CASE WHEN new ->> '{column}' IS NULL THEN NULL "
        f"WHEN old IS NULL OR old ->> '{column}' IS NOT DISTINCT FROM new ->> '{column}' THEN '[hidden]' "
        "ELSE '[changed]' END)"
        for column in hidden
    )
    return f"""
INSERT INTO projects_app_auditentry (created_at, kind, object_id, object_name, project, action, before, after,
  actor, via, process, request_id)
SELECT at, '{kind}', object_id, name, project, action_, before_, after_,
  context ->> 'user', 'unknown', 'unknown', context ->> 'request_id'
FROM (
  SELECT h.pgh_id, h.pgh_created_at AS at, h.pgh_obj_id AS object_id, h.{name} AS name, {project} AS project,
    c.metadata AS context, {plain} AS new,
    lag({plain}) OVER (PARTITION BY h.pgh_obj_id ORDER BY h.pgh_id) AS old
  FROM {table} h LEFT JOIN pghistory_context c ON c.id = h.pgh_context_id
) snapshots, ambient_audit_shape(old{old}, new{new})
WHERE action_ <> 'update' OR after_ IS NOT NULL
ORDER BY at, pgh_id;
"""
