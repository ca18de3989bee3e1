"""IdempotentAnswer: what a create answered to an Idempotency-Key, so that a repeat makes nothing new."""

from django.db import models


class IdempotentAnswer(models.Model):
    """Written in the create's own transaction: it is there exactly if what was created is."""

    pk = models.CompositePrimaryKey("caller", "key")
    caller = models.CharField(max_length=64, help_text="User id.", db_collation="C")
    key = models.CharField(max_length=255, db_collation="C")
    digest = models.CharField(max_length=64, help_text="Keyed digest of path and body.")
    answer = models.BinaryField(help_text="JSON as it was sent.", default=b"")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index("created_at", name="idempotency_age")]

    def __str__(self) -> str:
        return self.key
