"""Permissions of API keys."""

from django.db import migrations

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
        ("sessions_app", "0010_history_to_audit"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="session",
            options={"permissions": PERMISSIONS},
        ),
    ]
