"""Wire forms of credentials and applications."""

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from ambient.common.wire import (
    LONG_LIMIT,
    NAME_LIMIT,
    EntitySerializer,
    Flag,
    Int32,
    LabelsText,
    OneOf,
    Text,
    Timestamp,
    WireSerializer,
    name_text,
)
from projects_app.choices import Provider
from projects_app.credentials.base import Reason
from projects_app.serializers import EMAIL_LIMIT


class CredentialSerializer(EntitySerializer):
    """Credential: a secret that sessions use towards another service. Its token is never in an answer."""

    wire_kind, wire_plural = "Credential", "credentials"
    example = {"name": "github", "provider": "github", "token": "ghp_example", "url": "https://github.com"}

    name = name_text(required=True)
    provider = OneOf(Provider.values, required=True, help_text=", ".join(Provider.values))
    token = Text(
        limit=LONG_LIMIT,
        write_only=True,
        help_text="The secret; empty takes it away. Kept encrypted. A JSON object with `ambient_type` "
        "(github_app, google_service_account, oauth_refresh) makes short-lived tokens.",
    )
    url = Text(
        help_text="Needed by jira; for self-hosted github and gitlab. Whoever sees the credential reads it: "
        "a user or password before the host, a query or a fragment is a 400."
    )
    email = Text(limit=EMAIL_LIMIT, help_text="Needed by jira.")
    description = Text()
    labels = LabelsText()
    annotations = LabelsText()


class CredentialTokenResponseSerializer(serializers.Serializer):
    """A credential's token in the clear."""

    credential_id = serializers.CharField(read_only=True)
    provider = serializers.CharField(read_only=True)
    token = serializers.CharField(read_only=True)
    url = serializers.CharField(required=False)
    email = serializers.CharField(required=False)
    expires_at = serializers.DateTimeField(
        required=False, help_text="Of a token that is renewed: ask again before it ends."
    )


class CredentialTestResultSerializer(serializers.Serializer):
    """Whether a credential works."""

    works = serializers.BooleanField(read_only=True)
    reason = serializers.ChoiceField(choices=Reason.values, read_only=True)
    message = serializers.CharField(read_only=True, help_text="The reason in a sentence.")
    checked_at = serializers.DateTimeField(read_only=True)
    expires_at = serializers.DateTimeField(required=False, help_text="Where the provider tells.")


class ApplicationSerializer(EntitySerializer):
    """Application: a folder in Git that a project is to follow. Syncing itself is not built yet."""

    wire_kind, wire_plural = "Application", "applications"
    example = {
        "name": "boats",
        "source_repo_url": "https://git.example/team/agents.git",
        "source_path": "boats",
        "destination_project": "boats",
    }

    name = name_text(required=True)
    source_repo_url = Text(required=True, empty=False)
    source_path = Text(required=True, empty=False)
    source_target_revision = Text(help_text="Branch, tag or commit.")
    destination_project = Text(required=True, limit=NAME_LIMIT, empty=False, help_text="Project id.")
    destination_ambient_url = Text(help_text="Another Ambient server; empty: this one.")
    credential_id = Text(limit=NAME_LIMIT, help_text="Needed with destination_ambient_url.")
    auto_sync = Flag(help_text="Sync when it is out of sync.")
    auto_prune = Flag(help_text="Delete what left Git; never projects.")
    self_heal = Flag(help_text="Sync also when the project was changed by hand.")
    sync_options = Text(help_text="Comma list, such as CreateProject=true.")
    retry_limit = Int32(least=0)
    labels = LabelsText()
    annotations = LabelsText()
    sync_status = Text(read_only=True, help_text="Synced, OutOfSync or Unknown.")
    health_status = Text(read_only=True, help_text="Healthy, Degraded, Progressing or Unknown.")
    sync_revision = Text(read_only=True, help_text="Last synced commit.")
    operation_phase = Text(read_only=True, help_text="Succeeded, Failed or Running.")
    operation_message = Text(read_only=True)
    resource_status = Text(read_only=True, help_text="JSON.")
    conditions = Text(read_only=True, help_text="JSON array.")
    last_synced_at = Timestamp(read_only=True)


@extend_schema_serializer(component_name=ApplicationSerializer.wire_kind)
class ApplicationChangeSerializer(ApplicationSerializer):
    """What a PATCH may hold: two values of the status ask for an action, the rest of it is ignored."""

    operation_phase = Text(help_text='"Running" asks for a sync; anything else is ignored.')
    sync_status = Text(help_text='"Unknown" asks for a refresh; anything else is ignored.')


class ApplicationSyncSerializer(WireSerializer):
    """What a sync may do; the body may be left out."""

    strict = False

    prune = Flag()
    revision = Text(limit=NAME_LIMIT)
    prune_project = Flag()
