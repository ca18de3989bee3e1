"""The conversation of a session: messages, the runs they become, the interrupts that wait for a person.

A Run goes  queued -> running -> finished | failed | interrupted | cancelled,  or from queued straight to
failed or cancelled. A user's message follows its run: queued -> running -> done | failed | cancelled.
"""

from django.db import models
from django.utils import timezone

from ambient.common.models import ksuid_field
from ambient.common.tracing import traceparent
from sessions_app.choices import Delivery, DeliveryReason, InterruptKind, InterruptState, RunState, Trigger
from sessions_app.models.session import Session
from sessions_app.querysets import OfSessionQuerySet


class Run(models.Model):
    """One turn of the agent. Its id is the client's AG-UI runId where it sent one."""

    id = models.CharField(max_length=128, primary_key=True, db_collation="C")
    session = models.ForeignKey(
        Session, models.DO_NOTHING, db_constraint=False, related_name="runs", db_index=False
    )
    number = models.IntegerField(help_text="1 for the session's first run.")
    trigger = models.CharField(max_length=16, choices=Trigger)
    actor = models.TextField(null=True, help_text="Username.")
    message_id = models.CharField(max_length=27, null=True, help_text="The user message that asked for it.")
    input = models.TextField(default="{}", help_text="What the client sent beside the message: JSON object.")
    state = models.CharField(max_length=16, choices=RunState, default=RunState.QUEUED)
    resumes = models.CharField(
        max_length=128, null=True, unique=True, help_text="The interrupted run it goes on with."
    )
    agent_version = models.BigIntegerField(
        null=True, help_text="Row of the agent's history that it ran with."
    )
    runner_instance = models.CharField(max_length=64, null=True)
    attachable = models.BooleanField(
        default=False, help_text="The runner numbers its events: it can be re-attached."
    )
    interrupt_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    first_seq = models.BigIntegerField(null=True)
    last_seq = models.BigIntegerField(null=True)
    outcome = models.TextField(null=True, help_text="JSON as the RUN_FINISHED event had it.")
    error_code = models.TextField(null=True)
    error_message = models.TextField(null=True)
    usage = models.TextField(null=True, help_text="JSON array of TokenUsage.")
    cost_usd = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    model = models.TextField(null=True)
    compacted_at = models.DateTimeField(null=True, help_text="Its events are one RunLog since then.")
    events_deleted_at = models.DateTimeField(null=True, help_text="Its events are kept no longer.")
    trace = models.CharField(
        max_length=55, null=True, default=traceparent, help_text="W3C traceparent of the request that asked."
    )

    objects = OfSessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="run_number"),
            models.UniqueConstraint(
                fields=["session"], condition=models.Q(state=RunState.RUNNING), name="run_one_active"
            ),
            models.CheckConstraint(condition=models.Q(state__in=RunState.values), name="run_state_known"),
        ]
        indexes = [
            models.Index(
                "session",
                "number",
                condition=models.Q(state__in=["queued", "running"]),
                name="run_unfinished",
            ),
            models.Index(
                "finished_at",
                condition=models.Q(first_seq__isnull=False, compacted_at=None),
                name="run_to_compact",
            ),
            models.Index(
                "finished_at",
                condition=models.Q(first_seq__isnull=False, events_deleted_at=None),
                name="run_events_by_age",
            ),
            models.Index(
                "session",
                "finished_at",
                condition=models.Q(first_seq__isnull=False, events_deleted_at=None),
                name="run_events_of_session",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.number} of {self.session_id}"


class SessionMessage(models.Model):
    """One message as existing clients read it. A user's message is also the wish for a run."""

    id = ksuid_field()
    session = models.ForeignKey(
        Session, models.DO_NOTHING, db_constraint=False, related_name="messages", db_index=False
    )
    seq = models.BigIntegerField()
    event_type = models.CharField(max_length=64)
    payload = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.TextField(null=True, help_text="Username.")
    client_id = models.CharField(max_length=255, null=True, help_text="The client's own id of its message.")
    run = models.CharField(max_length=128, null=True)
    delivery = models.CharField(max_length=16, choices=Delivery, null=True)
    reason = models.CharField(max_length=32, choices=DeliveryReason, null=True)

    objects = OfSessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "seq"], name="message_seq"),
            models.UniqueConstraint(fields=["session", "client_id"], name="message_client_id"),
            models.CheckConstraint(
                condition=models.Q(delivery=None) | models.Q(delivery__in=Delivery.values),
                name="message_delivery_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.seq} of {self.session_id}"


class Interrupt(models.Model):
    """Something only a person can decide: an approval or a question. Survives every restart."""

    id = ksuid_field()
    session = models.ForeignKey(
        Session, models.DO_NOTHING, db_constraint=False, related_name="interrupts", db_index=False
    )
    run = models.CharField(max_length=128)
    interrupt_id = models.CharField(max_length=255, help_text="The agent's id of it, as on the wire.")
    kind = models.CharField(max_length=16, choices=InterruptKind)
    request = models.TextField(help_text="The AG-UI interrupt: JSON object.")
    response_schema = models.TextField(null=True, help_text="JSON Schema of the answer.")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=InterruptState, default=InterruptState.OPEN)
    answer = models.TextField(null=True, help_text="{status, payload} as JSON.")
    answered_by = models.TextField(null=True, help_text="Username.")
    answered_at = models.DateTimeField(null=True)

    objects = OfSessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "interrupt_id"], name="interrupt_of_run"),
            models.CheckConstraint(
                condition=models.Q(state__in=InterruptState.values), name="interrupt_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=InterruptKind.values), name="interrupt_kind_known"
            ),
        ]
        indexes = [
            models.Index("session", "created_at", name="interrupt_session"),
            models.Index("expires_at", condition=models.Q(state="open"), name="interrupt_open"),
            models.Index("session", condition=models.Q(state="open"), name="interrupt_session_open"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.interrupt_id} of {self.session_id}"
