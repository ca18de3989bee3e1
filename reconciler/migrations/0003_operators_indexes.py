"""Index of the work that does not succeed at once. Made without locking out writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("reconciler", "0002_wake_up")]

    operations = [
        AddIndexConcurrently(
            "workitem",
            models.Index(
                models.F("requested_at"),
                condition=models.Q(("attempts__gt", 1)),
                name="workitem_retrying",
            ),
        ),
    ]
