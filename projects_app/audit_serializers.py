"""Wire form of the audit log's entries."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ambient.common.wire import KindField, Text, Timestamp, WireSerializer
from projects_app.audit_query import cursor_of
from projects_app.choices import AuditAction, AuditVia
from projects_app.models import AuditEntry


@extend_schema_field(OpenApiTypes.OBJECT)
class StateField(serializers.JSONField):
    """Column -> value."""


class AuditEntrySerializer(WireSerializer):
    """AuditEntry: who changed what, and how it was before."""

    wire_kind, wire_plural = "AuditEntry", "audit"
    computed = frozenset({"cursor"})
    always = frozenset({"cursor", "object_kind", "object_id", "action", "via", "process"})

    id = serializers.CharField(read_only=True)
    kind = KindField()
    cursor = serializers.SerializerMethodField(help_text="Ask with it for what is older than this entry.")
    created_at = Timestamp(read_only=True)
    action = serializers.ChoiceField(AuditAction.choices, read_only=True)
    object_kind = Text(source="kind", read_only=True, help_text="Kind of what was written.")
    object_id = Text(read_only=True)
    object_name = Text(read_only=True)
    project_id = Text(source="project", read_only=True)
    before = StateField(
        read_only=True, help_text="Of an update what changed, of a delete all that was there."
    )
    after = StateField(read_only=True, help_text="Of an update what changed, of a create all that was set.")
    actor = Text(read_only=True, help_text="Username; unset where no person is behind it.")
    via = serializers.ChoiceField(AuditVia.choices, read_only=True)
    via_id = Text(read_only=True, help_text="Id of the API key or session, issuer of the token, or command.")
    process = Text(read_only=True)
    os_user = Text(read_only=True, help_text="Of a command: who ran it on its machine.")
    request_id = Text(read_only=True)
    address = Text(read_only=True, help_text="Of the client.")
    route = Text(read_only=True)

    def get_cursor(self, entry: AuditEntry) -> str:
        return cursor_of(entry)
