"""A run carries the trace of the request that asked for it."""

from django.db import migrations, models

import ambient.common.tracing


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0004_operators_indexes")]

    operations = [
        migrations.AddField(
            "run",
            "trace",
            models.CharField(
                default=ambient.common.tracing.traceparent,
                help_text="W3C traceparent of the request that asked.",
                max_length=55,
                null=True,
            ),
        ),
    ]
