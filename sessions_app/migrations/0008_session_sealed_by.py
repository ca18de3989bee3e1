"""Index of the keys that values were sealed with. Made without locking out writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sessions_app", "0007_message_keys_are_answers")]

    operations = [
        AddIndexConcurrently(
            "session",
            models.Index(
                Coalesce(
                    models.Func(
                        models.F("runner_secret"),
                        models.Value("^enc:(v[0-9]+|[0-9a-f]{8}):"),
                        function="substring",
                        output_field=models.TextField(),
                    ),
                    models.Value("unsealed"),
                    output_field=models.TextField(),
                ),
                models.F("id"),
                condition=models.Q(("runner_secret__isnull", False)),
                name="session_sealed_by",
            ),
        ),
    ]
