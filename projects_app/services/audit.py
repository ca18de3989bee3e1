"""The one write to the audit log that is not a trigger's."""

import datetime

from django.db import connection

from ambient.common.database import transactional

BATCH = 10_000


@transactional
def audit_prune(*, older_than: datetime.datetime, most: int = BATCH) -> int:
    """Delete at most so many of the oldest entries; an entry of its own says how many. Returns how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ambient_audit_prune(%s, %s)", [older_than, most])
        pruned: int = cursor.fetchone()[0]
    return pruned
