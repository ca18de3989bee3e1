"""Bodies and answers of a session's configuration routes."""

from rest_framework import serializers

from ambient.common.wire import NAME_LIMIT, Flag, Text, WireSerializer, name_text


class RepoAddSerializer(WireSerializer):
    """A repository for the session's workspace."""

    strict = False

    url = Text(required=True, empty=False)
    branch = Text(limit=NAME_LIMIT, help_text="main when left out.")
    auto_push = Flag()


class WorkflowSetSerializer(WireSerializer):
    """The workflow that the session works by."""

    strict = False

    git_url = Text(required=True, empty=False)
    branch = Text(limit=NAME_LIMIT, help_text="main when left out.")
    path = Text(help_text="Folder inside the repository.")


class ModelSetSerializer(WireSerializer):
    """The model of the next start."""

    strict = False

    model = name_text(required=True)


class DisplayNameSerializer(WireSerializer):
    """The session's new name."""

    strict = False

    name = name_text(required=True)


class SessionReferenceSerializer(serializers.Serializer):
    """Which session."""

    id = serializers.CharField(read_only=True)
    kind = serializers.CharField(read_only=True)
    href = serializers.CharField(read_only=True)


class WorkflowMetadataSerializer(serializers.Serializer):
    """The workflow; null when none is set, and `raw` when the stored text is no object."""

    workflow = serializers.DictField(allow_null=True)
    raw = serializers.CharField(required=False)


class SessionExportSerializer(serializers.Serializer):
    """What an export is of, and when it was made."""

    session = SessionReferenceSerializer()
    export_at = serializers.DateTimeField()
    version = serializers.CharField()
