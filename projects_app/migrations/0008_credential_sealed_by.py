"""Index of the keys that values were sealed with. Made without locking out writers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("projects_app", "0007_external_identities")]

    operations = [
        AddIndexConcurrently(
            "credential",
            models.Index(
                Coalesce(
                    models.Func(
                        models.F("token_sealed"),
                        models.Value("^enc:(v[0-9]+|[0-9a-f]{8}):"),
                        function="substring",
                        output_field=models.TextField(),
                    ),
                    models.Value("unsealed"),
                    output_field=models.TextField(),
                ),
                models.F("id"),
                condition=models.Q(("token_sealed__isnull", False)),
                name="credential_sealed_by",
            ),
        ),
    ]
