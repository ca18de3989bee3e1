"""Addresses in the audit log lose their passwords (docs/audit.md). Entries that are there stay as they are."""

from django.db import migrations

WITHOUT_PASSWORDS = r"""
CREATE FUNCTION ambient_without_passwords(text_ text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
-- The same rules as ambient/common/addresses.py.
  SELECT regexp_replace(regexp_replace(regexp_replace(text_,
    '(https?:\\?/\\?/)[^/?#\s"\\]+@', '\1[hidden]@', 'gi'),
    '(:\\?/\\?/[^:/?#\s"\\@]*:)[^/?#\s"\\]*@', '\1[hidden]@', 'g'),
    '(:\\?/\\?/[^:/?#\s"\\@\[]*:)(?!\d{1,5}\\?[/?#])[^\s"@]*@', '\1[hidden]@', 'g')
$$;
"""
SHOWN = """
CREATE OR REPLACE FUNCTION ambient_audit_shown(row_ jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
-- What is set, without passwords of addresses and without what is too long to keep twice.
  SELECT jsonb_object_agg(key, CASE
    WHEN jsonb_typeof(value) <> 'string' THEN ambient_without_passwords(value::text)::jsonb
    WHEN length(value #>> '{}') > 2000
      THEN to_jsonb(left(ambient_without_passwords(value #>> '{}'), 2000)
        || '... (' || length(value #>> '{}') || ' characters)')
    ELSE to_jsonb(ambient_without_passwords(value #>> '{}')) END)
  FROM jsonb_each(row_)
$$;
"""
SHOWN_BEFORE = """
CREATE OR REPLACE FUNCTION ambient_audit_shown(row_ jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
-- What is set, without what is too long to keep twice.
  SELECT jsonb_object_agg(key, CASE WHEN jsonb_typeof(value) = 'string' AND length(value #>> '{}') > 2000
    THEN to_jsonb(left(value #>> '{}', 2000) || '... (' || length(value #>> '{}') || ' characters)')
    ELSE value END)
  FROM jsonb_each(row_)
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("projects_app", "0014_permissions_audited")]

    operations = [
        migrations.RunSQL(
            WITHOUT_PASSWORDS + SHOWN, SHOWN_BEFORE + "DROP FUNCTION ambient_without_passwords(text);"
        ),
    ]
