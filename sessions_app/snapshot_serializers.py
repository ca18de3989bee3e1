"""Wire forms of saved workspaces, for runners."""

import re
from typing import Any

from rest_framework import serializers

from ambient.common.exceptions import InvalidField

LARGEST_SIZE = 2**53
LONGEST_MESSAGE = 10_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


class SnapshotSerializer(serializers.Serializer):
    """A saved workspace, a tar archive with gzip, and where to get it for some minutes."""

    id = serializers.CharField()
    size = serializers.IntegerField(help_text="In bytes.")
    sha256 = serializers.CharField()
    saved_at = serializers.DateTimeField()
    url = serializers.CharField(help_text="To GET it, until `expires_at`.")
    expires_at = serializers.DateTimeField()


class SnapshotLatestSerializer(serializers.Serializer):
    """The newest saved workspace; null when there is none."""

    snapshot = SnapshotSerializer(allow_null=True)


class SnapshotBeginSerializer(serializers.Serializer):
    """The archive that is about to be uploaded."""

    size = serializers.IntegerField(help_text="In bytes.")
    sha256 = serializers.CharField(help_text="Of the whole archive, in lower-case hexadecimals.")


class SnapshotUploadSerializer(serializers.Serializer):
    """Where to PUT the archive for some minutes, with exactly these headers."""

    id = serializers.CharField()
    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    expires_at = serializers.DateTimeField()


class SnapshotCompleteSerializer(serializers.Serializer):
    """A snapshot that is now the newest."""

    id = serializers.CharField()
    saved_at = serializers.DateTimeField()


class SnapshotFailureSerializer(serializers.Serializer):
    """Why the files could not be saved."""

    message = serializers.CharField(help_text="One sentence for people.")


def parse_begin(body: dict[str, Any]) -> tuple[int, str]:
    """Size and sum. Raises InvalidField."""
    size, sha256 = body.get("size"), body.get("sha256")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size <= LARGEST_SIZE:
        raise InvalidField("size must be a whole number from 1")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise InvalidField("sha256 must be 64 lower-case hexadecimals")
    return size, sha256


def parse_failure(body: dict[str, Any]) -> str:
    """The message. Raises InvalidField."""
    message = body.get("message")
    if not isinstance(message, str) or not 0 < len(message) <= LONGEST_MESSAGE or "\0" in message:
        raise InvalidField(f"message must be a text of 1 to {LONGEST_MESSAGE} characters")
    return message
