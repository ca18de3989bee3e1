"""Wire forms of API keys."""

from typing import Any

from ambient.common.wire import NAME_LIMIT, EntitySerializer, Text, Timestamp


class ApiKeySerializer(EntitySerializer):
    """ApiKey: a program's way in. It acts as its user, at most within its project and its role."""

    wire_kind, wire_plural = "ApiKey", "api_keys"
    example = {"name": "nightly build", "project_id": "boats", "role_id": "project:viewer"}
    computed = frozenset({"username"})

    name = Text(limit=NAME_LIMIT, help_text="What the key is for.")
    username = Text(
        source="user.username", limit=NAME_LIMIT, help_text="Whose key: by default the caller's own."
    )
    project_id = Text(limit=NAME_LIMIT, help_text="The key works in this project only.")
    role_id = Text(limit=NAME_LIMIT, help_text="Id or name of a role: the key has at most its permissions.")
    expires_at = Timestamp(help_text="When the key ends; at most AMBIENT_API_KEY_MAX_DAYS ahead.")
    prefix = Text(read_only=True, help_text="First characters, to recognise the key by.")
    last_used_at = Timestamp(read_only=True, help_text="Kept to the minute.")
    revoked_at = Timestamp(read_only=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Empty is as good as left out."""
        return {name: value for name, value in super().to_internal_value(data).items() if value != ""}


class ApiKeyMadeSerializer(ApiKeySerializer):
    """The key as it is made: the one answer that has its text."""

    key = Text(read_only=True, help_text="The key. It is not kept and cannot be shown again.")
