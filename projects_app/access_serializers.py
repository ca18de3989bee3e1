"""Wire forms of answers about access."""

from rest_framework import serializers

from ambient.common.wire import NAME_LIMIT, Text, WireSerializer, name_text


class AccessSourceSerializer(serializers.Serializer):
    """One binding that a right comes from."""

    id = serializers.CharField(read_only=True, help_text="Id of the role binding.")
    role = serializers.CharField(read_only=True, help_text="The role's name.")
    scope = serializers.CharField(read_only=True)
    target = serializers.CharField(
        read_only=True, allow_null=True, help_text="What it stands on; null: everywhere."
    )
    group = serializers.CharField(read_only=True, allow_null=True, help_text="The group that it is for.")


class AccessEntrySerializer(serializers.Serializer):
    """One person or group with rights on an object."""

    subject_type = serializers.ChoiceField(["user", "group"], read_only=True)
    subject = serializers.CharField(read_only=True, help_text="Username, or the group's name.")
    active = serializers.BooleanField(
        read_only=True, help_text="False: deactivated, or a name that no user has yet; it may do nothing now."
    )
    administrator = serializers.BooleanField(
        read_only=True, help_text="May do everything, without a binding."
    )
    permissions = serializers.ListField(child=serializers.CharField(), read_only=True)
    bindings = AccessSourceSerializer(many=True, read_only=True)


class AccessEntryListSerializer(serializers.Serializer):
    """Who may do what on one object: groups first, then people, by name."""

    kind = serializers.CharField(read_only=True)
    page = serializers.IntegerField(read_only=True)
    size = serializers.IntegerField(read_only=True)
    total = serializers.IntegerField(read_only=True)
    items = AccessEntrySerializer(many=True, read_only=True)


class AccessCheckRequestSerializer(WireSerializer):
    """One question: may somebody do something on an object, or (without one) everywhere?"""

    wire_kind, wire_plural = "AccessCheck", "access_checks"
    example = {"username": "alice", "permission": "session:start", "project_id": "boats"}

    permission = name_text(required=True, help_text="Such as session:start.")
    username = Text(limit=NAME_LIMIT, help_text="By default the caller.")
    group = Text(limit=NAME_LIMIT, help_text="In place of a username.")
    project_id = Text(limit=NAME_LIMIT)
    agent_id = Text(limit=NAME_LIMIT)
    session_id = Text(limit=NAME_LIMIT)
    credential_id = Text(limit=NAME_LIMIT)


class AccessCheckSerializer(serializers.Serializer):
    """The answer."""

    kind = serializers.CharField(read_only=True)
    allowed = serializers.BooleanField(read_only=True)
    reason = serializers.CharField(read_only=True)
    permission = serializers.CharField(read_only=True)
    username = serializers.CharField(read_only=True, allow_null=True)
    group = serializers.CharField(read_only=True, allow_null=True)
    bindings = AccessSourceSerializer(
        many=True, read_only=True, help_text="Those that grant it, or those that reach the object and do not."
    )
