"""The stored AG-UI events of sessions and who may append to them (docs/streams.md).

None of these tables has a foreign key to Session: such a key takes a lock on the session's row for every
insert and would hold up the services. Rows of a deleted session are purged by a job.
"""

from django.db import models


class StreamOwner(models.Model):
    """The heartbeat of one control-plane process; a stream is owned while its owner's row is not expired."""

    process = models.CharField(max_length=32, primary_key=True, help_text="Random at the process's start.")
    hostname = models.TextField(default="")
    started_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.process


class SessionStream(models.Model):
    """Head of a session's event log and the lease on it. Made with the session, taken only by UPDATE."""

    session_id = models.CharField(max_length=27, primary_key=True, db_collation="C")
    owner = models.CharField(max_length=32, null=True, help_text="StreamOwner that holds the lease.")
    epoch = models.BigIntegerField(default=0, help_text="Fencing number; grows with every take.")
    event_seq = models.BigIntegerField(default=0, help_text="Last sequence number given out.")
    run = models.CharField(max_length=128, null=True, help_text="The active run.")
    run_index = models.BigIntegerField(
        default=0, help_text="Last index of the runner's events that is stored."
    )

    class Meta:
        indexes = [models.Index("owner", condition=models.Q(owner__isnull=False), name="stream_owned")]

    def __str__(self) -> str:
        return f"{self.session_id} at {self.event_seq}"


class MessageCounter(models.Model):
    """Last sequence number of a session's messages. Made with the session."""

    session_id = models.CharField(max_length=27, primary_key=True, db_collation="C")
    message_seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.session_id} at {self.message_seq}"


class SessionEvent(models.Model):
    """One AG-UI event exactly as sent, by its dense sequence number in the session."""

    pk = models.CompositePrimaryKey("session_id", "seq")
    session_id = models.CharField(max_length=27, db_collation="C")
    seq = models.BigIntegerField()
    run = models.CharField(max_length=128)
    type = models.CharField(max_length=64)
    event = models.TextField(help_text="The event as one JSON text.")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.session_id}/{self.seq} {self.type}"


class RunLog(models.Model):
    """The events of a finished run, compacted by the protocol's rules into one row."""

    run = models.CharField(max_length=128, primary_key=True)
    session_id = models.CharField(max_length=27, db_collation="C")
    first_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    events = models.TextField(help_text="JSON array.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index("session_id", "last_seq", name="runlog_session_seq")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_seq__lte=models.F("last_seq")), name="runlog_seqs_in_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.first_seq}-{self.last_seq}"


class SdkSessionEntry(models.Model):
    """The agent SDK's own session store, so that a resume needs no shared disk."""

    pk = models.CompositePrimaryKey("session_id", "key", "position")
    session_id = models.CharField(max_length=27, db_collation="C")
    key = models.CharField(max_length=255)
    position = models.BigIntegerField()
    entry = models.TextField(help_text="JSON text.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "SDK session entries"

    def __str__(self) -> str:
        return f"{self.session_id}/{self.key}/{self.position}"
