"""Answers and bodies of the routes that a session's runner answers. For the OpenAPI document: the runner's
answer is passed on as it is."""

from rest_framework import serializers

from ambient.common.wire import NAME_LIMIT, Text, WireSerializer


class WorkspaceFileSerializer(serializers.Serializer):
    """A file or folder."""

    name = serializers.CharField()
    path = serializers.CharField(help_text="From the workspace's top.")
    isDir = serializers.BooleanField()
    size = serializers.IntegerField(help_text="Bytes.")
    modifiedAt = serializers.DateTimeField()


class WorkspaceListingSerializer(serializers.Serializer):
    """What lies in a folder."""

    files = WorkspaceFileSerializer(many=True)


class FileWrittenSerializer(serializers.Serializer):
    """A file that was written as a whole."""

    message = serializers.CharField()
    path = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")


class GitStatusSerializer(serializers.Serializer):
    """Changes since the last commit; the other fields are there when a runner answered."""

    modified = serializers.ListField(child=serializers.CharField())
    staged = serializers.ListField(child=serializers.CharField())
    untracked = serializers.ListField(child=serializers.CharField())
    initialized = serializers.BooleanField(required=False)
    hasChanges = serializers.BooleanField(required=False)
    branch = serializers.CharField(required=False)
    remoteUrl = serializers.CharField(required=False)
    hasRemote = serializers.BooleanField(required=False)
    filesAdded = serializers.IntegerField(required=False)
    filesRemoved = serializers.IntegerField(required=False)
    uncommittedFiles = serializers.IntegerField(required=False)
    totalAdded = serializers.IntegerField(required=False, help_text="Lines.")
    totalRemoved = serializers.IntegerField(required=False, help_text="Lines.")


class RemoteSetSerializer(WireSerializer):
    """The remote `origin` of a repository of the workspace."""

    strict = False

    remoteUrl = Text(required=True, empty=False)
    branch = Text(limit=NAME_LIMIT, help_text="Branch of a repository that is made; main when left out.")
    path = Text(help_text="Folder of the workspace; the main repository when left out.")


class RemoteConfiguredSerializer(serializers.Serializer):
    """The remote as it is now; `fetched` says whether it answered."""

    message = serializers.CharField()
    remote = serializers.CharField(help_text="Without a password that was in it.")
    branch = serializers.CharField()
    fetched = serializers.BooleanField(required=False)


class RepositoryStatusSerializer(serializers.Serializer):
    """A repository of the workspace."""

    name = serializers.CharField()
    url = serializers.CharField(required=False)
    branches = serializers.ListField(child=serializers.CharField(), required=False)
    currentActiveBranch = serializers.CharField(required=False)
    defaultBranch = serializers.CharField(required=False)


class McpServerSerializer(serializers.Serializer):
    """An MCP server of the session. `status`: connected, failed, needs-auth, pending or disabled."""

    name = serializers.CharField()
    displayName = serializers.CharField(required=False)
    status = serializers.CharField(required=False)
    version = serializers.CharField(required=False)
    tools = serializers.ListField(child=serializers.DictField(), required=False)


class McpStatusSerializer(serializers.Serializer):
    """The session's MCP servers."""

    servers = McpServerSerializer(many=True)
    totalCount = serializers.IntegerField()


class AgentCapabilitiesSerializer(serializers.Serializer):
    """What the agent can do, in AG-UI's words; `unknown` without a runner."""

    framework = serializers.CharField()
    session_id = serializers.CharField(required=False)
    model = serializers.CharField(required=False, allow_null=True)
    capabilities = serializers.DictField(required=False)


class BackgroundTasksSerializer(serializers.Serializer):
    """Work that goes on beside runs."""

    tasks = serializers.ListField(child=serializers.DictField())
    total = serializers.IntegerField()


class FeedbackSerializer(WireSerializer):
    """An AG-UI META event: what a person thinks of an answer."""

    strict = False

    type = Text(required=True, help_text="META")
    metaType = Text(required=True, help_text="thumbs_up or thumbs_down")
