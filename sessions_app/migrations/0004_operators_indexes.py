"""Indexes of the operators' pages. Made without locking out writers, so that it may run on a busy table."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sessions_app", "0003_event_retention")]

    operations = [
        AddIndexConcurrently(
            "session",
            models.Index(
                models.F("phase"),
                models.F("created_at"),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="session_phase_live",
            ),
        ),
        AddIndexConcurrently(
            "session",
            models.Index(
                models.F("reason"),
                models.F("phase_since"),
                condition=models.Q(("deleted_at", None), ("phase", "Failed")),
                name="session_failed",
            ),
        ),
        AddIndexConcurrently(
            "sessionstream",
            models.Index(
                models.F("owner"), condition=models.Q(("owner__isnull", False)), name="stream_owned"
            ),
        ),
    ]
