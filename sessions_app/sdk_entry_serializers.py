"""Wire forms of the agent SDK's session store."""

import json
from typing import Any

from rest_framework import serializers

from ambient.common.exceptions import InvalidField, MalformedRequest

KEY_CHARACTERS = 255
MOST_ENTRIES = 1000
LAST_POSITION = 2**53


class SdkEntrySerializer(serializers.Serializer):
    """One entry; `entry` is JSON text and comes back exactly as it was sent."""

    position = serializers.IntegerField()
    entry = serializers.CharField()


class SdkEntryPageSerializer(serializers.Serializer):
    """Entries in order; with `more`, ask again after the last position."""

    key = serializers.CharField()
    items = SdkEntrySerializer(many=True)
    more = serializers.BooleanField()


class SdkKeySerializer(serializers.Serializer):
    """One list of entries."""

    key = serializers.CharField()
    head = serializers.IntegerField(help_text="Position of the last entry.")


class SdkKeyListSerializer(serializers.Serializer):
    """All lists of the session."""

    items = SdkKeySerializer(many=True)


class SdkAppendSerializer(serializers.Serializer):
    """Entries to store from a position on; repeating the same append changes nothing."""

    key = serializers.CharField()
    position = serializers.IntegerField(help_text="Of the first entry; the first of a key is 1.")
    entries = serializers.ListField(child=serializers.CharField(), help_text="JSON texts.")


class SdkHeadSerializer(serializers.Serializer):
    """Where the list ends now."""

    head = serializers.IntegerField()


def checked_key(value: Any) -> str:
    """The key of a list. Raises InvalidField."""
    if not isinstance(value, str) or not 0 < len(value) <= KEY_CHARACTERS or "\0" in value:
        raise InvalidField(f"key must be a text of 1 to {KEY_CHARACTERS} characters")
    return value


def parse_append(body: dict[str, Any]) -> tuple[str, int, list[str]]:
    """Key, position and entries of an append. Raises InvalidField or MalformedRequest."""
    key, position, entries = checked_key(body.get("key")), body.get("position"), body.get("entries")
    if not isinstance(position, int) or isinstance(position, bool) or not 1 <= position <= LAST_POSITION:
        raise InvalidField("position must be a whole number from 1")
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise MalformedRequest("Invalid request format: entries must be an array of strings")
    if not 0 < len(entries) <= MOST_ENTRIES:
        raise InvalidField(f"entries must be 1 to {MOST_ENTRIES}")
    for entry in entries:
        try:
            json.loads(entry)
        except (ValueError, RecursionError) as exc:
            raise InvalidField("each entry must be JSON text") from exc
    return key, position, entries
