"""The audit log (docs/audit.md): its table, what writes it, and what keeps it as it was written.

The history tables stay in the database, unread, so that the version before can run on it (operations)."""

import django.contrib.auth.models
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

FUNCTIONS = """
CREATE FUNCTION ambient_audit_shown(row_ jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
-- What is set, without what is too long to keep twice.
  SELECT jsonb_object_agg(key, CASE WHEN jsonb_typeof(value) = 'string' AND length(value #>> '{}') > 2000
    THEN to_jsonb(left(value #>> '{}', 2000) || '... (' || length(value #>> '{}') || ' characters)')
    ELSE value END)
  FROM jsonb_each(row_)
$$;

CREATE FUNCTION ambient_audit_shape(INOUT before_ jsonb, INOUT after_ jsonb, OUT action_ text)
LANGUAGE plpgsql IMMUTABLE AS $$
-- Two states of a row as an entry shows them: what there was, what there is, or the difference.
BEGIN
  IF before_ IS NULL THEN
    action_ := 'create';
    after_ := ambient_audit_shown(jsonb_strip_nulls(after_));
  ELSIF after_ IS NULL OR (before_ ->> 'deleted_at' IS NULL AND after_ ->> 'deleted_at' IS NOT NULL) THEN
    action_ := 'delete';
    before_ := ambient_audit_shown(jsonb_strip_nulls(before_));
    after_ := NULL;
  ELSE
    action_ := 'update';
    SELECT ambient_audit_shown(jsonb_object_agg(key, b.value)), ambient_audit_shown(jsonb_object_agg(key, a.value))
    INTO before_, after_
    FROM jsonb_each(before_) b JOIN jsonb_each(after_) a USING (key) WHERE a.value <> b.value;
  END IF;
END $$;

CREATE FUNCTION ambient_audit(
  kind_ text, object_id_ text, name_ text, project_ text, before_ jsonb, after_ jsonb
) RETURNS void LANGUAGE plpgsql AS $$
-- One entry. Who writes is in the context that comes with the statement (django-pghistory), else in the
-- connection's name: `ambient-worker`, or `ambient-command NAME USER`.
DECLARE
  app text := current_setting('application_name');
  said jsonb := nullif(current_setting('pghistory.context_metadata', true), '')::jsonb;
  via_ text := coalesce(said ->> 'via', CASE
    WHEN app LIKE 'ambient-command%' THEN 'command' WHEN app LIKE 'ambient-%' THEN 'process' ELSE 'database' END);
  shape record;
BEGIN
  IF after_ IS NULL AND before_ ->> 'deleted_at' IS NOT NULL THEN
    RETURN;  -- the end of a row that somebody deleted before
  END IF;
  shape := ambient_audit_shape(before_, after_);
  INSERT INTO projects_app_auditentry (created_at, kind, object_id, object_name, project, action, before, after,
    actor, via, via_id, process, os_user, request_id, address, route)
  VALUES (clock_timestamp(), kind_, object_id_, name_, project_,
    CASE kind_ WHEN 'AuditEntry' THEN 'prune' ELSE shape.action_ END, shape.before_, shape.after_,
    CASE via_ WHEN 'session'
      THEN (SELECT s.created_by_user_id FROM sessions_app_session s WHERE s.id = said ->> 'via_id')
      ELSE said ->> 'user' END,
    via_,
    CASE via_ WHEN 'command' THEN nullif(split_part(app, ' ', 2), '') ELSE said ->> 'via_id' END,
    split_part(app, ' ', 1),
    CASE via_ WHEN 'command' THEN nullif(split_part(app, ' ', 3), '') END,
    said ->> 'request_id', said ->> 'address', said ->> 'route');
END $$;
"""
FUNCTIONS_REVERSE = """
DROP FUNCTION ambient_audit(text, text, text, text, jsonb, jsonb);
DROP FUNCTION ambient_audit_shape(jsonb, jsonb);
DROP FUNCTION ambient_audit_shown(jsonb);
"""

APPEND_ONLY = """
CREATE FUNCTION ambient_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('ambient.audit_prune', true) = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'the audit log is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER ambient_audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON projects_app_auditentry
  FOR EACH STATEMENT EXECUTE FUNCTION ambient_audit_refuse();

CREATE FUNCTION ambient_audit_prune(older_than_ timestamptz, most_ integer) RETURNS bigint
LANGUAGE plpgsql AS $$
-- The one way by which entries go: the oldest ones, and with an entry that says so.
DECLARE
  gone bigint;
BEGIN
  PERFORM set_config('ambient.audit_prune', 'on', true);
  DELETE FROM projects_app_auditentry WHERE id IN (
    SELECT id FROM projects_app_auditentry WHERE created_at < older_than_ AND action <> 'prune'
    ORDER BY created_at, id LIMIT most_);
  GET DIAGNOSTICS gone = ROW_COUNT;
  PERFORM set_config('ambient.audit_prune', '', true);
  IF gone > 0 THEN
    PERFORM ambient_audit('AuditEntry', '', NULL, NULL, NULL,
      jsonb_build_object('older_than', older_than_, 'entries', gone));
  END IF;
  RETURN gone;
END $$;
"""
APPEND_ONLY_REVERSE = """
DROP FUNCTION ambient_audit_prune(timestamptz, integer);
DROP TRIGGER ambient_audit_append_only ON projects_app_auditentry;
DROP FUNCTION ambient_audit_refuse();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('projects_app', '0008_credential_sealed_by'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(editable=False)),
                ('kind', models.CharField(max_length=32)),
                ('object_id', models.TextField()),
                ('object_name', models.TextField(null=True)),
                ('project', models.TextField(help_text='Project id of what belongs to a project.', null=True)),
                ('action', models.CharField(choices=[('create', 'Create'), ('update', 'Update'), ('delete', 'Delete'), ('prune', 'Prune')], max_length=8)),
                ('before', models.JSONField(null=True)),
                ('after', models.JSONField(null=True)),
                ('actor', models.TextField(help_text='Username.', null=True)),
                ('via', models.CharField(choices=[('cookie', "a browser's sign-in"), ('jwt', 'a token of an identity provider'), ('api_key', 'an API key'), ('session', "a session's runner, for the session's creator"), ('command', 'a command'), ('process', 'a process of the platform'), ('database', "something else that has the database's password"), ('unknown', 'not recorded: from before the audit log')], max_length=16)),
                ('via_id', models.TextField(help_text='Id of the API key or session, issuer, or command.', null=True)),
                ('process', models.TextField(help_text='As the database connection names itself.')),
                ('os_user', models.TextField(help_text='Of a command: who ran it on its machine.', null=True)),
                ('request_id', models.TextField(null=True)),
                ('address', models.TextField(null=True)),
                ('route', models.TextField(null=True)),
            ],
            options={
                'verbose_name_plural': 'audit entries',
                'default_permissions': ('view',),
            },
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(models.F('created_at'), models.F('id'), name='audit_time'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(models.F('kind'), models.F('created_at'), models.F('id'), name='audit_kind'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(models.F('object_id'), models.F('created_at'), models.F('id'), name='audit_object'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(models.F('project'), models.F('created_at'), models.F('id'), condition=models.Q(('project__isnull', False)), name='audit_project'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(models.F('actor'), models.F('created_at'), models.F('id'), condition=models.Q(('actor__isnull', False)), name='audit_actor'),
        ),
        migrations.AddIndex(
            model_name='auditentry',
            index=models.Index(models.F('request_id'), condition=models.Q(('request_id__isnull', False)), name='audit_request'),
        ),
        migrations.RunSQL(FUNCTIONS, FUNCTIONS_REVERSE),
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_REVERSE),
        migrations.CreateModel(
            name='AuditedGroup',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('auth.group',),
            managers=[
                ('objects', django.contrib.auth.models.GroupManager()),
            ],
        ),
        migrations.CreateModel(
            name='AuditedMembership',
            fields=[
            ],
            options={
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('projects_app.user_groups',),
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='agent',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='agent',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='application',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='application',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='credential',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='credential',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='project',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='project',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='rolebinding',
            name='insert_insert',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='rolebinding',
            name='update_update',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='agent',
            trigger=pgtrigger.compiler.Trigger(name='audit_rows', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF TG_OP = \'INSERT\' THEN PERFORM ambient_audit(\'Agent\', NEW.id, NEW.name, NEW.project_id, NULL, jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'project_id\', NEW."project_id", \'name\', NEW."name", \'parent_agent_id\', NEW."parent_agent_id", \'owner_user_id\', NEW."owner_user_id", \'display_name\', NEW."display_name", \'description\', NEW."description", \'prompt\', NEW."prompt", \'repo_url\', NEW."repo_url", \'workflow_id\', NEW."workflow_id", \'llm_model\', NEW."llm_model", \'llm_temperature\', NEW."llm_temperature", \'llm_max_tokens\', NEW."llm_max_tokens", \'bot_account_name\', NEW."bot_account_name", \'resource_overrides\', NEW."resource_overrides", \'environment_variables\', CASE WHEN NEW."environment_variables" IS NULL THEN NULL ELSE \'[hidden]\' END, \'labels\', NEW."labels", \'annotations\', NEW."annotations", \'runner_type\', NEW."runner_type", \'inactivity_timeout\', NEW."inactivity_timeout", \'stop_on_run_finished\', NEW."stop_on_run_finished", \'allowed_tools\', NEW."allowed_tools", \'mcp_servers\', CASE WHEN NEW."mcp_servers" IS NULL THEN NULL ELSE \'[hidden]\' END, \'system_prompt\', NEW."system_prompt")); ELSE PERFORM ambient_audit(\'Agent\', OLD.id, OLD.name, OLD.project_id, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'project_id\', OLD."project_id", \'name\', OLD."name", \'parent_agent_id\', OLD."parent_agent_id", \'owner_user_id\', OLD."owner_user_id", \'display_name\', OLD."display_name", \'description\', OLD."description", \'prompt\', OLD."prompt", \'repo_url\', OLD."repo_url", \'workflow_id\', OLD."workflow_id", \'llm_model\', OLD."llm_model", \'llm_temperature\', OLD."llm_temperature", \'llm_max_tokens\', OLD."llm_max_tokens", \'bot_account_name\', OLD."bot_account_name", \'resource_overrides\', OLD."resource_overrides", \'environment_variables\', CASE WHEN OLD."environment_variables" IS NULL THEN NULL ELSE \'[hidden]\' END, \'labels\', OLD."labels", \'annotations\', OLD."annotations", \'runner_type\', OLD."runner_type", \'inactivity_timeout\', OLD."inactivity_timeout", \'stop_on_run_finished\', OLD."stop_on_run_finished", \'allowed_tools\', OLD."allowed_tools", \'mcp_servers\', CASE WHEN OLD."mcp_servers" IS NULL THEN NULL ELSE \'[hidden]\' END, \'system_prompt\', OLD."system_prompt"), NULL); END IF; RETURN NULL;', hash='eeedc453579f7eb4fef2071eca56f0e1f5d53b4e', operation='INSERT OR DELETE', pgid='pgtrigger_audit_rows_99eb6', table='projects_app_agent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='agent',
            trigger=pgtrigger.compiler.Trigger(name='audit_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."allowed_tools" IS DISTINCT FROM (NEW."allowed_tools") OR OLD."annotations" IS DISTINCT FROM (NEW."annotations") OR OLD."bot_account_name" IS DISTINCT FROM (NEW."bot_account_name") OR OLD."deleted_at" IS DISTINCT FROM (NEW."deleted_at") OR OLD."description" IS DISTINCT FROM (NEW."description") OR OLD."display_name" IS DISTINCT FROM (NEW."display_name") OR OLD."environment_variables" IS DISTINCT FROM (NEW."environment_variables") OR OLD."inactivity_timeout" IS DISTINCT FROM (NEW."inactivity_timeout") OR OLD."labels" IS DISTINCT FROM (NEW."labels") OR OLD."llm_max_tokens" IS DISTINCT FROM (NEW."llm_max_tokens") OR OLD."llm_model" IS DISTINCT FROM (NEW."llm_model") OR OLD."llm_temperature" IS DISTINCT FROM (NEW."llm_temperature") OR OLD."mcp_servers" IS DISTINCT FROM (NEW."mcp_servers") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."owner_user_id" IS DISTINCT FROM (NEW."owner_user_id") OR OLD."parent_agent_id" IS DISTINCT FROM (NEW."parent_agent_id") OR OLD."project_id" IS DISTINCT FROM (NEW."project_id") OR OLD."prompt" IS DISTINCT FROM (NEW."prompt") OR OLD."repo_url" IS DISTINCT FROM (NEW."repo_url") OR OLD."resource_overrides" IS DISTINCT FROM (NEW."resource_overrides") OR OLD."runner_type" IS DISTINCT FROM (NEW."runner_type") OR OLD."stop_on_run_finished" IS DISTINCT FROM (NEW."stop_on_run_finished") OR OLD."system_prompt" IS DISTINCT FROM (NEW."system_prompt") OR OLD."workflow_id" IS DISTINCT FROM (NEW."workflow_id"))', func='PERFORM ambient_audit(\'Agent\', NEW.id, NEW.name, NEW.project_id, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'project_id\', OLD."project_id", \'name\', OLD."name", \'parent_agent_id\', OLD."parent_agent_id", \'owner_user_id\', OLD."owner_user_id", \'display_name\', OLD."display_name", \'description\', OLD."description", \'prompt\', OLD."prompt", \'repo_url\', OLD."repo_url", \'workflow_id\', OLD."workflow_id", \'llm_model\', OLD."llm_model", \'llm_temperature\', OLD."llm_temperature", \'llm_max_tokens\', OLD."llm_max_tokens", \'bot_account_name\', OLD."bot_account_name", \'resource_overrides\', OLD."resource_overrides", \'environment_variables\', CASE WHEN OLD."environment_variables" IS NULL THEN NULL ELSE \'[hidden]\' END, \'labels\', OLD."labels", \'annotations\', OLD."annotations", \'runner_type\', OLD."runner_type", \'inactivity_timeout\', OLD."inactivity_timeout", \'stop_on_run_finished\', OLD."stop_on_run_finished", \'allowed_tools\', OLD."allowed_tools", \'mcp_servers\', CASE WHEN OLD."mcp_servers" IS NULL THEN NULL ELSE \'[hidden]\' END, \'system_prompt\', OLD."system_prompt"), jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'project_id\', NEW."project_id", \'name\', NEW."name", \'parent_agent_id\', NEW."parent_agent_id", \'owner_user_id\', NEW."owner_user_id", \'display_name\', NEW."display_name", \'description\', NEW."description", \'prompt\', NEW."prompt", \'repo_url\', NEW."repo_url", \'workflow_id\', NEW."workflow_id", \'llm_model\', NEW."llm_model", \'llm_temperature\', NEW."llm_temperature", \'llm_max_tokens\', NEW."llm_max_tokens", \'bot_account_name\', NEW."bot_account_name", \'resource_overrides\', NEW."resource_overrides", \'environment_variables\', CASE WHEN NEW."environment_variables" IS NULL THEN NULL WHEN NEW."environment_variables" IS DISTINCT FROM OLD."environment_variables" THEN \'[changed]\' ELSE \'[hidden]\' END, \'labels\', NEW."labels", \'annotations\', NEW."annotations", \'runner_type\', NEW."runner_type", \'inactivity_timeout\', NEW."inactivity_timeout", \'stop_on_run_finished\', NEW."stop_on_run_finished", \'allowed_tools\', NEW."allowed_tools", \'mcp_servers\', CASE WHEN NEW."mcp_servers" IS NULL THEN NULL WHEN NEW."mcp_servers" IS DISTINCT FROM OLD."mcp_servers" THEN \'[changed]\' ELSE \'[hidden]\' END, \'system_prompt\', NEW."system_prompt")); RETURN NULL;', hash='2b7d006394bd914a65bd6d6f5788cb16b647ebbe', operation='UPDATE OF "deleted_at", "project_id", "name", "parent_agent_id", "owner_user_id", "display_name", "description", "prompt", "repo_url", "workflow_id", "llm_model", "llm_temperature", "llm_max_tokens", "bot_account_name", "resource_overrides", "environment_variables", "labels", "annotations", "runner_type", "inactivity_timeout", "stop_on_run_finished", "allowed_tools", "mcp_servers", "system_prompt"', pgid='pgtrigger_audit_changes_a6ef1', table='projects_app_agent', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='apikey',
            trigger=pgtrigger.compiler.Trigger(name='audit_rows', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF TG_OP = \'INSERT\' THEN PERFORM ambient_audit(\'ApiKey\', NEW.id, NEW.prefix, NEW.project_id, NULL, jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'user_id\', NEW."user_id", \'name\', NEW."name", \'prefix\', NEW."prefix", \'digest\', CASE WHEN NEW."digest" IS NULL THEN NULL ELSE \'[hidden]\' END, \'project_id\', NEW."project_id", \'role_id\', NEW."role_id", \'expires_at\', NEW."expires_at", \'revoked_at\', NEW."revoked_at")); ELSE PERFORM ambient_audit(\'ApiKey\', OLD.id, OLD.prefix, OLD.project_id, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'user_id\', OLD."user_id", \'name\', OLD."name", \'prefix\', OLD."prefix", \'digest\', CASE WHEN OLD."digest" IS NULL THEN NULL ELSE \'[hidden]\' END, \'project_id\', OLD."project_id", \'role_id\', OLD."role_id", \'expires_at\', OLD."expires_at", \'revoked_at\', OLD."revoked_at"), NULL); END IF; RETURN NULL;', hash='def17d1e63f38293dc9e0025bc863f484d9d2819', operation='INSERT OR DELETE', pgid='pgtrigger_audit_rows_fe3a7', table='projects_app_apikey', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='apikey',
            trigger=pgtrigger.compiler.Trigger(name='audit_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."deleted_at" IS DISTINCT FROM (NEW."deleted_at") OR OLD."digest" IS DISTINCT FROM (NEW."digest") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."prefix" IS DISTINCT FROM (NEW."prefix") OR OLD."project_id" IS DISTINCT FROM (NEW."project_id") OR OLD."revoked_at" IS DISTINCT FROM (NEW."revoked_at") OR OLD."role_id" IS DISTINCT FROM (NEW."role_id") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))', func='PERFORM ambient_audit(\'ApiKey\', NEW.id, NEW.prefix, NEW.project_id, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'user_id\', OLD."user_id", \'name\', OLD."name", \'prefix\', OLD."prefix", \'digest\', CASE WHEN OLD."digest" IS NULL THEN NULL ELSE \'[hidden]\' END, \'project_id\', OLD."project_id", \'role_id\', OLD."role_id", \'expires_at\', OLD."expires_at", \'revoked_at\', OLD."revoked_at"), jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'user_id\', NEW."user_id", \'name\', NEW."name", \'prefix\', NEW."prefix", \'digest\', CASE WHEN NEW."digest" IS NULL THEN NULL WHEN NEW."digest" IS DISTINCT FROM OLD."digest" THEN \'[changed]\' ELSE \'[hidden]\' END, \'project_id\', NEW."project_id", \'role_id\', NEW."role_id", \'expires_at\', NEW."expires_at", \'revoked_at\', NEW."revoked_at")); RETURN NULL;', hash='bb6155d86b8ac2dfdc4ac3dbd514e05b3ecf4cca', operation='UPDATE OF "deleted_at", "user_id", "name", "prefix", "digest", "project_id", "role_id", "expires_at", "revoked_at"', pgid='pgtrigger_audit_changes_91654', table='projects_app_apikey', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='application',
            trigger=pgtrigger.compiler.Trigger(name='audit_rows', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF TG_OP = \'INSERT\' THEN PERFORM ambient_audit(\'Application\', NEW.id, NEW.name, CASE WHEN coalesce(NEW.destination_ambient_url, \'\') = \'\' THEN NEW.destination_project END, NULL, jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'name\', NEW."name", \'source_repo_url\', NEW."source_repo_url", \'source_path\', NEW."source_path", \'source_target_revision\', NEW."source_target_revision", \'destination_project\', NEW."destination_project", \'destination_ambient_url\', NEW."destination_ambient_url", \'credential_id\', NEW."credential_id", \'auto_sync\', NEW."auto_sync", \'auto_prune\', NEW."auto_prune", \'self_heal\', NEW."self_heal", \'sync_options\', NEW."sync_options", \'retry_limit\', NEW."retry_limit", \'labels\', NEW."labels", \'annotations\', NEW."annotations")); ELSE PERFORM ambient_audit(\'Application\', OLD.id, OLD.name, CASE WHEN coalesce(OLD.destination_ambient_url, \'\') = \'\' THEN OLD.destination_project END, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'name\', OLD."name", \'source_repo_url\', OLD."source_repo_url", \'source_path\', OLD."source_path", \'source_target_revision\', OLD."source_target_revision", \'destination_project\', OLD."destination_project", \'destination_ambient_url\', OLD."destination_ambient_url", \'credential_id\', OLD."credential_id", \'auto_sync\', OLD."auto_sync", \'auto_prune\', OLD."auto_prune", \'self_heal\', OLD."self_heal", \'sync_options\', OLD."sync_options", \'retry_limit\', OLD."retry_limit", \'labels\', OLD."labels", \'annotations\', OLD."annotations"), NULL); END IF; RETURN NULL;', hash='1ed6450770015d33d142a9a224691e214c482b69', operation='INSERT OR DELETE', pgid='pgtrigger_audit_rows_69c78', table='projects_app_application', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='application',
            trigger=pgtrigger.compiler.Trigger(name='audit_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."annotations" IS DISTINCT FROM (NEW."annotations") OR OLD."auto_prune" IS DISTINCT FROM (NEW."auto_prune") OR OLD."auto_sync" IS DISTINCT FROM (NEW."auto_sync") OR OLD."credential_id" IS DISTINCT FROM (NEW."credential_id") OR OLD."deleted_at" IS DISTINCT FROM (NEW."deleted_at") OR OLD."destination_ambient_url" IS DISTINCT FROM (NEW."destination_ambient_url") OR OLD."destination_project" IS DISTINCT FROM (NEW."destination_project") OR OLD."labels" IS DISTINCT FROM (NEW."labels") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."retry_limit" IS DISTINCT FROM (NEW."retry_limit") OR OLD."self_heal" IS DISTINCT FROM (NEW."self_heal") OR OLD."source_path" IS DISTINCT FROM (NEW."source_path") OR OLD."source_repo_url" IS DISTINCT FROM (NEW."source_repo_url") OR OLD."source_target_revision" IS DISTINCT FROM (NEW."source_target_revision") OR OLD."sync_options" IS DISTINCT FROM (NEW."sync_options"))', func='PERFORM ambient_audit(\'Application\', NEW.id, NEW.name, CASE WHEN coalesce(NEW.destination_ambient_url, \'\') = \'\' THEN NEW.destination_project END, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'name\', OLD."name", \'source_repo_url\', OLD."source_repo_url", \'source_path\', OLD."source_path", \'source_target_revision\', OLD."source_target_revision", \'destination_project\', OLD."destination_project", \'destination_ambient_url\', OLD."destination_ambient_url", \'credential_id\', OLD."credential_id", \'auto_sync\', OLD."auto_sync", \'auto_prune\', OLD."auto_prune", \'self_heal\', OLD."self_heal", \'sync_options\', OLD."sync_options", \'retry_limit\', OLD."retry_limit", \'labels\', OLD."labels", \'annotations\', OLD."annotations"), jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'name\', NEW."name", \'source_repo_url\', NEW."source_repo_url", \'source_path\', NEW."source_path", \'source_target_revision\', NEW."source_target_revision", \'destination_project\', NEW."destination_project", \'destination_ambient_url\', NEW."destination_ambient_url", \'credential_id\', NEW."credential_id", \'auto_sync\', NEW."auto_sync", \'auto_prune\', NEW."auto_prune", \'self_heal\', NEW."self_heal", \'sync_options\', NEW."sync_options", \'retry_limit\', NEW."retry_limit", \'labels\', NEW."labels", \'annotations\', NEW."annotations")); RETURN NULL;', hash='66230874d5c0f0862089934dfda2513b663f9255', operation='UPDATE OF "deleted_at", "name", "source_repo_url", "source_path", "source_target_revision", "destination_project", "destination_ambient_url", "credential_id", "auto_sync", "auto_prune", "self_heal", "sync_options", "retry_limit", "labels", "annotations"', pgid='pgtrigger_audit_changes_7693b', table='projects_app_application', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='credential',
            trigger=pgtrigger.compiler.Trigger(name='audit_rows', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF TG_OP = \'INSERT\' THEN PERFORM ambient_audit(\'Credential\', NEW.id, NEW.name, NULL, NULL, jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'name\', NEW."name", \'provider\', NEW."provider", \'token_sealed\', CASE WHEN NEW."token_sealed" IS NULL THEN NULL ELSE \'[hidden]\' END, \'url\', NEW."url", \'email\', NEW."email", \'description\', NEW."description", \'labels\', NEW."labels", \'annotations\', NEW."annotations")); ELSE PERFORM ambient_audit(\'Credential\', OLD.id, OLD.name, NULL, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'name\', OLD."name", \'provider\', OLD."provider", \'token_sealed\', CASE WHEN OLD."token_sealed" IS NULL THEN NULL ELSE \'[hidden]\' END, \'url\', OLD."url", \'email\', OLD."email", \'description\', OLD."description", \'labels\', OLD."labels", \'annotations\', OLD."annotations"), NULL); END IF; RETURN NULL;', hash='d8329565b6eae9182c3329cb6fa0ab4f99082805', operation='INSERT OR DELETE', pgid='pgtrigger_audit_rows_00d57', table='projects_app_credential', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='credential',
            trigger=pgtrigger.compiler.Trigger(name='audit_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."annotations" IS DISTINCT FROM (NEW."annotations") OR OLD."deleted_at" IS DISTINCT FROM (NEW."deleted_at") OR OLD."description" IS DISTINCT FROM (NEW."description") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."labels" IS DISTINCT FROM (NEW."labels") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."provider" IS DISTINCT FROM (NEW."provider") OR OLD."token_sealed" IS DISTINCT FROM (NEW."token_sealed") OR OLD."url" IS DISTINCT FROM (NEW."url"))', func='PERFORM ambient_audit(\'Credential\', NEW.id, NEW.name, NULL, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'name\', OLD."name", \'provider\', OLD."provider", \'token_sealed\', CASE WHEN OLD."token_sealed" IS NULL THEN NULL ELSE \'[hidden]\' END, \'url\', OLD."url", \'email\', OLD."email", \'description\', OLD."description", \'labels\', OLD."labels", \'annotations\', OLD."annotations"), jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'name\', NEW."name", \'provider\', NEW."provider", \'token_sealed\', CASE WHEN NEW."token_sealed" IS NULL THEN NULL WHEN NEW."token_sealed" IS DISTINCT FROM OLD."token_sealed" THEN \'[changed]\' ELSE \'[hidden]\' END, \'url\', NEW."url", \'email\', NEW."email", \'description\', NEW."description", \'labels\', NEW."labels", \'annotations\', NEW."annotations")); RETURN NULL;', hash='bab08e180c9a409ac31d2b77b10979f08f45ee7c', operation='UPDATE OF "deleted_at", "name", "provider", "token_sealed", "url", "email", "description", "labels", "annotations"', pgid='pgtrigger_audit_changes_6ecd5', table='projects_app_credential', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='externalidentity',
            trigger=pgtrigger.compiler.Trigger(name='audit_rows', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF TG_OP = \'INSERT\' THEN PERFORM ambient_audit(\'ExternalIdentity\', NEW.id, NEW.subject, NULL, NULL, jsonb_build_object(\'user_id\', NEW."user_id", \'issuer\', NEW."issuer", \'subject\', NEW."subject", \'groups\', NEW."groups", \'made_administrator\', NEW."made_administrator")); ELSE PERFORM ambient_audit(\'ExternalIdentity\', OLD.id, OLD.subject, NULL, jsonb_build_object(\'user_id\', OLD."user_id", \'issuer\', OLD."issuer", \'subject\', OLD."subject", \'groups\', OLD."groups", \'made_administrator\', OLD."made_administrator"), NULL); END IF; RETURN NULL;', hash='5c2f43cedd9c5e4361fdf5e37a0e280dbe809741', operation='INSERT OR DELETE', pgid='pgtrigger_audit_rows_0a485', table='projects_app_externalidentity', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='externalidentity',
            trigger=pgtrigger.compiler.Trigger(name='audit_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."groups" IS DISTINCT FROM (NEW."groups") OR OLD."issuer" IS DISTINCT FROM (NEW."issuer") OR OLD."made_administrator" IS DISTINCT FROM (NEW."made_administrator") OR OLD."subject" IS DISTINCT FROM (NEW."subject") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))', func='PERFORM ambient_audit(\'ExternalIdentity\', NEW.id, NEW.subject, NULL, jsonb_build_object(\'user_id\', OLD."user_id", \'issuer\', OLD."issuer", \'subject\', OLD."subject", \'groups\', OLD."groups", \'made_administrator\', OLD."made_administrator"), jsonb_build_object(\'user_id\', NEW."user_id", \'issuer\', NEW."issuer", \'subject\', NEW."subject", \'groups\', NEW."groups", \'made_administrator\', NEW."made_administrator")); RETURN NULL;', hash='df3a12763235dfa1abeefa1c204814418bcfc090', operation='UPDATE OF "user_id", "issuer", "subject", "groups", "made_administrator"', pgid='pgtrigger_audit_changes_d558b', table='projects_app_externalidentity', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='project',
            trigger=pgtrigger.compiler.Trigger(name='audit_rows', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF TG_OP = \'INSERT\' THEN PERFORM ambient_audit(\'Project\', NEW.id, NEW.id, NEW.id, NULL, jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'description\', NEW."description", \'prompt\', NEW."prompt", \'labels\', NEW."labels", \'annotations\', NEW."annotations", \'status\', NEW."status")); ELSE PERFORM ambient_audit(\'Project\', OLD.id, OLD.id, OLD.id, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'description\', OLD."description", \'prompt\', OLD."prompt", \'labels\', OLD."labels", \'annotations\', OLD."annotations", \'status\', OLD."status"), NULL); END IF; RETURN NULL;', hash='6992fe06ea95ee73b58c52cad4063daa42e09e68', operation='INSERT OR DELETE', pgid='pgtrigger_audit_rows_9f133', table='projects_app_project', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='project',
            trigger=pgtrigger.compiler.Trigger(name='audit_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."annotations" IS DISTINCT FROM (NEW."annotations") OR OLD."deleted_at" IS DISTINCT FROM (NEW."deleted_at") OR OLD."description" IS DISTINCT FROM (NEW."description") OR OLD."labels" IS DISTINCT FROM (NEW."labels") OR OLD."prompt" IS DISTINCT FROM (NEW."prompt") OR OLD."status" IS DISTINCT FROM (NEW."status"))', func='PERFORM ambient_audit(\'Project\', NEW.id, NEW.id, NEW.id, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'description\', OLD."description", \'prompt\', OLD."prompt", \'labels\', OLD."labels", \'annotations\', OLD."annotations", \'status\', OLD."status"), jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'description\', NEW."description", \'prompt\', NEW."prompt", \'labels\', NEW."labels", \'annotations\', NEW."annotations", \'status\', NEW."status")); RETURN NULL;', hash='4e8829042cf8c4e912c3827c1c3f515a71f9d9fe', operation='UPDATE OF "deleted_at", "description", "prompt", "labels", "annotations", "status"', pgid='pgtrigger_audit_changes_2bc7d', table='projects_app_project', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='projectsettings',
            trigger=pgtrigger.compiler.Trigger(name='audit_rows', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF TG_OP = \'INSERT\' THEN PERFORM ambient_audit(\'ProjectSettings\', NEW.id, NEW.project_id, NEW.project_id, NULL, jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'project_id\', NEW."project_id", \'group_access\', NEW."group_access", \'repositories\', NEW."repositories", \'runner_type\', NEW."runner_type", \'inactivity_timeout\', NEW."inactivity_timeout", \'stop_on_run_finished\', NEW."stop_on_run_finished", \'event_retention_days\', NEW."event_retention_days")); ELSE PERFORM ambient_audit(\'ProjectSettings\', OLD.id, OLD.project_id, OLD.project_id, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'project_id\', OLD."project_id", \'group_access\', OLD."group_access", \'repositories\', OLD."repositories", \'runner_type\', OLD."runner_type", \'inactivity_timeout\', OLD."inactivity_timeout", \'stop_on_run_finished\', OLD."stop_on_run_finished", \'event_retention_days\', OLD."event_retention_days"), NULL); END IF; RETURN NULL;', hash='7cb73c05c828aa9119919e5d8baecb34393c2771', operation='INSERT OR DELETE', pgid='pgtrigger_audit_rows_2e6d2', table='projects_app_projectsettings', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='projectsettings',
            trigger=pgtrigger.compiler.Trigger(name='audit_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."deleted_at" IS DISTINCT FROM (NEW."deleted_at") OR OLD."event_retention_days" IS DISTINCT FROM (NEW."event_retention_days") OR OLD."group_access" IS DISTINCT FROM (NEW."group_access") OR OLD."inactivity_timeout" IS DISTINCT FROM (NEW."inactivity_timeout") OR OLD."project_id" IS DISTINCT FROM (NEW."project_id") OR OLD."repositories" IS DISTINCT FROM (NEW."repositories") OR OLD."runner_type" IS DISTINCT FROM (NEW."runner_type") OR OLD."stop_on_run_finished" IS DISTINCT FROM (NEW."stop_on_run_finished"))', func='PERFORM ambient_audit(\'ProjectSettings\', NEW.id, NEW.project_id, NEW.project_id, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'project_id\', OLD."project_id", \'group_access\', OLD."group_access", \'repositories\', OLD."repositories", \'runner_type\', OLD."runner_type", \'inactivity_timeout\', OLD."inactivity_timeout", \'stop_on_run_finished\', OLD."stop_on_run_finished", \'event_retention_days\', OLD."event_retention_days"), jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'project_id\', NEW."project_id", \'group_access\', NEW."group_access", \'repositories\', NEW."repositories", \'runner_type\', NEW."runner_type", \'inactivity_timeout\', NEW."inactivity_timeout", \'stop_on_run_finished\', NEW."stop_on_run_finished", \'event_retention_days\', NEW."event_retention_days")); RETURN NULL;', hash='924c1dc3b526b0829643e8efc704400ec4cba919', operation='UPDATE OF "deleted_at", "project_id", "group_access", "repositories", "runner_type", "inactivity_timeout", "stop_on_run_finished", "event_retention_days"', pgid='pgtrigger_audit_changes_5721e', table='projects_app_projectsettings', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='role',
            trigger=pgtrigger.compiler.Trigger(name='audit_rows', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF TG_OP = \'INSERT\' THEN PERFORM ambient_audit(\'Role\', NEW.id, NEW.name, NULL, NULL, jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'name\', NEW."name", \'display_name\', NEW."display_name", \'description\', NEW."description", \'permissions\', NEW."permissions", \'built_in\', NEW."built_in", \'level\', NEW."level")); ELSE PERFORM ambient_audit(\'Role\', OLD.id, OLD.name, NULL, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'name\', OLD."name", \'display_name\', OLD."display_name", \'description\', OLD."description", \'permissions\', OLD."permissions", \'built_in\', OLD."built_in", \'level\', OLD."level"), NULL); END IF; RETURN NULL;', hash='7f9fa55012a41f8a2bafe90a39d2f1da63dce557', operation='INSERT OR DELETE', pgid='pgtrigger_audit_rows_b592b', table='projects_app_role', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='role',
            trigger=pgtrigger.compiler.Trigger(name='audit_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."built_in" IS DISTINCT FROM (NEW."built_in") OR OLD."deleted_at" IS DISTINCT FROM (NEW."deleted_at") OR OLD."description" IS DISTINCT FROM (NEW."description") OR OLD."display_name" IS DISTINCT FROM (NEW."display_name") OR OLD."level" IS DISTINCT FROM (NEW."level") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."permissions" IS DISTINCT FROM (NEW."permissions"))', func='PERFORM ambient_audit(\'Role\', NEW.id, NEW.name, NULL, jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'name\', OLD."name", \'display_name\', OLD."display_name", \'description\', OLD."description", \'permissions\', OLD."permissions", \'built_in\', OLD."built_in", \'level\', OLD."level"), jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'name\', NEW."name", \'display_name\', NEW."display_name", \'description\', NEW."description", \'permissions\', NEW."permissions", \'built_in\', NEW."built_in", \'level\', NEW."level")); RETURN NULL;', hash='0d5c143e1094300b6395b62594e77c32b6ea94f2', operation='UPDATE OF "deleted_at", "name", "display_name", "description", "permissions", "built_in", "level"', pgid='pgtrigger_audit_changes_3b06b', table='projects_app_role', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rolebinding',
            trigger=pgtrigger.compiler.Trigger(name='audit_rows', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF TG_OP = \'INSERT\' THEN PERFORM ambient_audit(\'RoleBinding\', NEW.id, (SELECT r.name FROM projects_app_role r WHERE r.id = NEW.role_id), coalesce(NEW.project_id,\n  (SELECT a.project_id FROM projects_app_agent a WHERE a.id = NEW.agent_id),\n  (SELECT s.project_id FROM sessions_app_session s WHERE s.id = NEW.session_id)), NULL, jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'role_id\', NEW."role_id", \'scope\', NEW."scope", \'user_id\', NEW."user_id", \'group_id\', NEW."group_id", \'project_id\', NEW."project_id", \'agent_id\', NEW."agent_id", \'session_id\', NEW."session_id", \'credential_id\', NEW."credential_id")); ELSE PERFORM ambient_audit(\'RoleBinding\', OLD.id, (SELECT r.name FROM projects_app_role r WHERE r.id = OLD.role_id), coalesce(OLD.project_id,\n  (SELECT a.project_id FROM projects_app_agent a WHERE a.id = OLD.agent_id),\n  (SELECT s.project_id FROM sessions_app_session s WHERE s.id = OLD.session_id)), jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'role_id\', OLD."role_id", \'scope\', OLD."scope", \'user_id\', OLD."user_id", \'group_id\', OLD."group_id", \'project_id\', OLD."project_id", \'agent_id\', OLD."agent_id", \'session_id\', OLD."session_id", \'credential_id\', OLD."credential_id"), NULL); END IF; RETURN NULL;', hash='b70334827eb8a9fa7d2b05708a81c03cbd5b8d53', operation='INSERT OR DELETE', pgid='pgtrigger_audit_rows_a25ec', table='projects_app_rolebinding', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='rolebinding',
            trigger=pgtrigger.compiler.Trigger(name='audit_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."agent_id" IS DISTINCT FROM (NEW."agent_id") OR OLD."credential_id" IS DISTINCT FROM (NEW."credential_id") OR OLD."deleted_at" IS DISTINCT FROM (NEW."deleted_at") OR OLD."group_id" IS DISTINCT FROM (NEW."group_id") OR OLD."project_id" IS DISTINCT FROM (NEW."project_id") OR OLD."role_id" IS DISTINCT FROM (NEW."role_id") OR OLD."scope" IS DISTINCT FROM (NEW."scope") OR OLD."session_id" IS DISTINCT FROM (NEW."session_id") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))', func='PERFORM ambient_audit(\'RoleBinding\', NEW.id, (SELECT r.name FROM projects_app_role r WHERE r.id = NEW.role_id), coalesce(NEW.project_id,\n  (SELECT a.project_id FROM projects_app_agent a WHERE a.id = NEW.agent_id),\n  (SELECT s.project_id FROM sessions_app_session s WHERE s.id = NEW.session_id)), jsonb_build_object(\'deleted_at\', OLD."deleted_at", \'role_id\', OLD."role_id", \'scope\', OLD."scope", \'user_id\', OLD."user_id", \'group_id\', OLD."group_id", \'project_id\', OLD."project_id", \'agent_id\', OLD."agent_id", \'session_id\', OLD."session_id", \'credential_id\', OLD."credential_id"), jsonb_build_object(\'deleted_at\', NEW."deleted_at", \'role_id\', NEW."role_id", \'scope\', NEW."scope", \'user_id\', NEW."user_id", \'group_id\', NEW."group_id", \'project_id\', NEW."project_id", \'agent_id\', NEW."agent_id", \'session_id\', NEW."session_id", \'credential_id\', NEW."credential_id")); RETURN NULL;', hash='41eb710126d9d3f48e388e2c01d1a434ba3cfb95', operation='UPDATE OF "deleted_at", "role_id", "scope", "user_id", "group_id", "project_id", "agent_id", "session_id", "credential_id"', pgid='pgtrigger_audit_changes_5d6b5', table='projects_app_rolebinding', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='audit_rows', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF TG_OP = \'INSERT\' THEN PERFORM ambient_audit(\'User\', NEW.id, NEW.username, NULL, NULL, jsonb_build_object(\'password\', CASE WHEN NEW."password" IS NULL THEN NULL ELSE \'[hidden]\' END, \'is_superuser\', NEW."is_superuser", \'deleted_at\', NEW."deleted_at", \'username\', NEW."username", \'name\', NEW."name", \'email\', NEW."email", \'is_staff\', NEW."is_staff", \'is_active\', NEW."is_active")); ELSE PERFORM ambient_audit(\'User\', OLD.id, OLD.username, NULL, jsonb_build_object(\'password\', CASE WHEN OLD."password" IS NULL THEN NULL ELSE \'[hidden]\' END, \'is_superuser\', OLD."is_superuser", \'deleted_at\', OLD."deleted_at", \'username\', OLD."username", \'name\', OLD."name", \'email\', OLD."email", \'is_staff\', OLD."is_staff", \'is_active\', OLD."is_active"), NULL); END IF; RETURN NULL;', hash='cb2d70010c1258ae82440a533fbeff889a38e6bd', operation='INSERT OR DELETE', pgid='pgtrigger_audit_rows_3b912', table='projects_app_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='user',
            trigger=pgtrigger.compiler.Trigger(name='audit_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."deleted_at" IS DISTINCT FROM (NEW."deleted_at") OR OLD."email" IS DISTINCT FROM (NEW."email") OR OLD."is_active" IS DISTINCT FROM (NEW."is_active") OR OLD."is_staff" IS DISTINCT FROM (NEW."is_staff") OR OLD."is_superuser" IS DISTINCT FROM (NEW."is_superuser") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."password" IS DISTINCT FROM (NEW."password") OR OLD."username" IS DISTINCT FROM (NEW."username"))', func='PERFORM ambient_audit(\'User\', NEW.id, NEW.username, NULL, jsonb_build_object(\'password\', CASE WHEN OLD."password" IS NULL THEN NULL ELSE \'[hidden]\' END, \'is_superuser\', OLD."is_superuser", \'deleted_at\', OLD."deleted_at", \'username\', OLD."username", \'name\', OLD."name", \'email\', OLD."email", \'is_staff\', OLD."is_staff", \'is_active\', OLD."is_active"), jsonb_build_object(\'password\', CASE WHEN NEW."password" IS NULL THEN NULL WHEN NEW."password" IS DISTINCT FROM OLD."password" THEN \'[changed]\' ELSE \'[hidden]\' END, \'is_superuser\', NEW."is_superuser", \'deleted_at\', NEW."deleted_at", \'username\', NEW."username", \'name\', NEW."name", \'email\', NEW."email", \'is_staff\', NEW."is_staff", \'is_active\', NEW."is_active")); RETURN NULL;', hash='9e33f9db91c3383eb382be25ccd389160cfe2bfb', operation='UPDATE OF "password", "is_superuser", "deleted_at", "username", "name", "email", "is_staff", "is_active"', pgid='pgtrigger_audit_changes_29485', table='projects_app_user', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditedgroup',
            trigger=pgtrigger.compiler.Trigger(name='audit_rows', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF TG_OP = \'INSERT\' THEN PERFORM ambient_audit(\'Group\', NEW.id::text, NEW.name, NULL, NULL, jsonb_build_object(\'name\', NEW."name")); ELSE PERFORM ambient_audit(\'Group\', OLD.id::text, OLD.name, NULL, jsonb_build_object(\'name\', OLD."name"), NULL); END IF; RETURN NULL;', hash='7c0a7d51c6ade1a3eb3ac1f4ee1c613345e0b7ee', operation='INSERT OR DELETE', pgid='pgtrigger_audit_rows_4428c', table='auth_group', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditedgroup',
            trigger=pgtrigger.compiler.Trigger(name='audit_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."name" IS DISTINCT FROM (NEW."name"))', func='PERFORM ambient_audit(\'Group\', NEW.id::text, NEW.name, NULL, jsonb_build_object(\'name\', OLD."name"), jsonb_build_object(\'name\', NEW."name")); RETURN NULL;', hash='ec0f48a4a23c0267f1e9cea004457af260e65d96', operation='UPDATE OF "name"', pgid='pgtrigger_audit_changes_372c4', table='auth_group', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditedmembership',
            trigger=pgtrigger.compiler.Trigger(name='audit_rows', sql=pgtrigger.compiler.UpsertTriggerSql(func='IF TG_OP = \'INSERT\' THEN PERFORM ambient_audit(\'GroupMember\', NEW.group_id::text, (SELECT u.username FROM projects_app_user u WHERE u.id = NEW.user_id), NULL, NULL, jsonb_build_object(\'user_id\', NEW."user_id", \'group_id\', NEW."group_id")); ELSE PERFORM ambient_audit(\'GroupMember\', OLD.group_id::text, (SELECT u.username FROM projects_app_user u WHERE u.id = OLD.user_id), NULL, jsonb_build_object(\'user_id\', OLD."user_id", \'group_id\', OLD."group_id"), NULL); END IF; RETURN NULL;', hash='82a8d88e3b5fa1b573d0b57f9b7fd06fb6cf5e0e', operation='INSERT OR DELETE', pgid='pgtrigger_audit_rows_fa663', table='projects_app_user_groups', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditedmembership',
            trigger=pgtrigger.compiler.Trigger(name='audit_changes', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."group_id" IS DISTINCT FROM (NEW."group_id") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id"))', func='PERFORM ambient_audit(\'GroupMember\', NEW.group_id::text, (SELECT u.username FROM projects_app_user u WHERE u.id = NEW.user_id), NULL, jsonb_build_object(\'user_id\', OLD."user_id", \'group_id\', OLD."group_id"), jsonb_build_object(\'user_id\', NEW."user_id", \'group_id\', NEW."group_id")); RETURN NULL;', hash='5db383b0d85995912091755b4cd8e5e3bf4b0a61', operation='UPDATE OF "user_id", "group_id"', pgid='pgtrigger_audit_changes_cf9c5', table='projects_app_user_groups', when='AFTER')),
        ),
        # Only Django forgets them.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel(
                    name='AgentHistory',
                ),
                migrations.DeleteModel(
                    name='ApplicationHistory',
                ),
                migrations.DeleteModel(
                    name='CredentialHistory',
                ),
                migrations.DeleteModel(
                    name='ProjectHistory',
                ),
                migrations.DeleteModel(
                    name='RoleBindingHistory',
                ),
            ]
        ),
    ]
