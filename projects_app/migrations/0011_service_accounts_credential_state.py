"""Service accounts, permissions of API keys, and what is known of credentials."""

import ambient.common.ksuid
import django.db.models.deletion
import django.db.models.functions.comparison
from django.db import migrations, models

VERBS = {
    "project": "read create update delete list",
    "agent": "create read update delete list start",
    "session": "create read update delete list start stop",
    "session_message": "create read list watch",
    "project_document": "create read update delete list",
    "blackboard": "read write watch",
    "role": "create read update delete list",
    "role_binding": "create read update delete list",
    "user": "create read update delete list",
    "credential": "create read update delete list fetch_token",
    "application": "create read update delete list",
    "audit": "read",
    "api_key": "create read delete list",
}
PERMISSIONS = [
    (f"{resource}:{verb}", f"May {resource}:{verb}")
    for resource, verbs in VERBS.items()
    for verb in verbs.split()
]


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('projects_app', '0010_history_to_audit'),
    ]

    operations = [
        migrations.CreateModel(
            name='CredentialState',
            fields=[
                ('id', models.CharField(db_collation='C', default=ambient.common.ksuid.ksuid, editable=False, max_length=27, primary_key=True, serialize=False)),
                ('access_sealed', models.TextField(blank=True, editable=False, null=True)),
                ('access_expires_at', models.DateTimeField(blank=True, null=True)),
                ('access_renew_at', models.DateTimeField(blank=True, null=True)),
                ('claim', models.CharField(blank=True, default='', max_length=32)),
                ('claimed_until', models.DateTimeField(blank=True, null=True)),
                ('failed_reason', models.CharField(blank=True, default='', max_length=32)),
                ('failed_at', models.DateTimeField(blank=True, null=True)),
                ('works', models.BooleanField(blank=True, null=True)),
                ('test_reason', models.CharField(blank=True, default='', max_length=32)),
                ('tested_at', models.DateTimeField(blank=True, null=True)),
                ('test_expires_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AlterModelOptions(
            name='agent',
            options={'permissions': PERMISSIONS},
        ),
        migrations.AlterModelOptions(
            name='credential',
            options={'permissions': PERMISSIONS},
        ),
        migrations.AlterModelOptions(
            name='project',
            options={'permissions': PERMISSIONS},
        ),
        migrations.AddField(
            model_name='user',
            name='service_account',
            field=models.BooleanField(default=False, help_text='A program: it comes with API keys or tokens, never with a password.'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('service_account', False), models.Q(('is_staff', False), ('is_superuser', False)), _connector='OR'), name='user_service_account_without_powers'),
        ),
        migrations.AddField(
            model_name='credentialstate',
            name='credential',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='state', to='projects_app.credential'),
        ),
        migrations.AddIndex(
            model_name='credentialstate',
            index=models.Index(django.db.models.functions.comparison.Coalesce(models.Func(models.F('access_sealed'), models.Value('^enc:(v[0-9]+|[0-9a-f]{8}):'), function='substring', output_field=models.TextField()), models.Value('unsealed'), output_field=models.TextField()), models.F('id'), condition=models.Q(('access_sealed__isnull', False)), name='credential_access_sealed_by'),
        ),
    ]
