from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="Application")


@_attrs_define
class Application:
    """Application: a folder in Git that a project is to follow. Syncing itself is not built yet.

    Example:
        {'id': '2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'kind': 'Application', 'href':
            '/api/ambient/v1/applications/2ZQ0v5pT6k1vXwM9cR8sJd3Lh7B', 'created_at': '2026-08-17T10:00:00.123456Z',
            'updated_at': '2026-08-17T10:00:00.123456Z', 'name': 'boats', 'source_repo_url':
            'https://git.example/team/agents.git', 'source_path': 'boats', 'destination_project': 'boats'}

    Attributes:
        id (str):
        kind (str):
        href (str):
        created_at (datetime.datetime):
        updated_at (datetime.datetime):
        name (str):
        source_repo_url (str):
        source_path (str):
        destination_project (str): Project id.
        source_target_revision (str | Unset): Branch, tag or commit.
        destination_ambient_url (str | Unset): Another Ambient server; empty: this one.
        credential_id (str | Unset): Needed with destination_ambient_url.
        auto_sync (bool | Unset): Sync when it is out of sync.
        auto_prune (bool | Unset): Delete what left Git; never projects.
        self_heal (bool | Unset): Sync also when the project was changed by hand.
        sync_options (str | Unset): Comma list, such as CreateProject=true.
        retry_limit (int | Unset):
        labels (str | Unset):
        annotations (str | Unset):
        sync_status (str | Unset): Synced, OutOfSync or Unknown.
        health_status (str | Unset): Healthy, Degraded, Progressing or Unknown.
        sync_revision (str | Unset): Last synced commit.
        operation_phase (str | Unset): Succeeded, Failed or Running.
        operation_message (str | Unset):
        resource_status (str | Unset): JSON.
        conditions (str | Unset): JSON array.
        last_synced_at (datetime.datetime | Unset):
    """

    id: str
    kind: str
    href: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    name: str
    source_repo_url: str
    source_path: str
    destination_project: str
    source_target_revision: str | Unset = UNSET
    destination_ambient_url: str | Unset = UNSET
    credential_id: str | Unset = UNSET
    auto_sync: bool | Unset = UNSET
    auto_prune: bool | Unset = UNSET
    self_heal: bool | Unset = UNSET
    sync_options: str | Unset = UNSET
    retry_limit: int | Unset = UNSET
    labels: str | Unset = UNSET
    annotations: str | Unset = UNSET
    sync_status: str | Unset = UNSET
    health_status: str | Unset = UNSET
    sync_revision: str | Unset = UNSET
    operation_phase: str | Unset = UNSET
    operation_message: str | Unset = UNSET
    resource_status: str | Unset = UNSET
    conditions: str | Unset = UNSET
    last_synced_at: datetime.datetime | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        kind = self.kind

        href = self.href

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        name = self.name

        source_repo_url = self.source_repo_url

        source_path = self.source_path

        destination_project = self.destination_project

        source_target_revision = self.source_target_revision

        destination_ambient_url = self.destination_ambient_url

        credential_id = self.credential_id

        auto_sync = self.auto_sync

        auto_prune = self.auto_prune

        self_heal = self.self_heal

        sync_options = self.sync_options

        retry_limit = self.retry_limit

        labels = self.labels

        annotations = self.annotations

        sync_status = self.sync_status

        health_status = self.health_status

        sync_revision = self.sync_revision

        operation_phase = self.operation_phase

        operation_message = self.operation_message

        resource_status = self.resource_status

        conditions = self.conditions

        last_synced_at: str | Unset = UNSET
        if not isinstance(self.last_synced_at, Unset):
            last_synced_at = self.last_synced_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "kind": kind,
                "href": href,
                "created_at": created_at,
                "updated_at": updated_at,
                "name": name,
                "source_repo_url": source_repo_url,
                "source_path": source_path,
                "destination_project": destination_project,
            }
        )
        if source_target_revision is not UNSET:
            field_dict["source_target_revision"] = source_target_revision
        if destination_ambient_url is not UNSET:
            field_dict["destination_ambient_url"] = destination_ambient_url
        if credential_id is not UNSET:
            field_dict["credential_id"] = credential_id
        if auto_sync is not UNSET:
            field_dict["auto_sync"] = auto_sync
        if auto_prune is not UNSET:
            field_dict["auto_prune"] = auto_prune
        if self_heal is not UNSET:
            field_dict["self_heal"] = self_heal
        if sync_options is not UNSET:
            field_dict["sync_options"] = sync_options
        if retry_limit is not UNSET:
            field_dict["retry_limit"] = retry_limit
        if labels is not UNSET:
            field_dict["labels"] = labels
        if annotations is not UNSET:
            field_dict["annotations"] = annotations
        if sync_status is not UNSET:
            field_dict["sync_status"] = sync_status
        if health_status is not UNSET:
            field_dict["health_status"] = health_status
        if sync_revision is not UNSET:
            field_dict["sync_revision"] = sync_revision
        if operation_phase is not UNSET:
            field_dict["operation_phase"] = operation_phase
        if operation_message is not UNSET:
            field_dict["operation_message"] = operation_message
        if resource_status is not UNSET:
            field_dict["resource_status"] = resource_status
        if conditions is not UNSET:
            field_dict["conditions"] = conditions
        if last_synced_at is not UNSET:
            field_dict["last_synced_at"] = last_synced_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        kind = d.pop("kind")

        href = d.pop("href")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        name = d.pop("name")

        source_repo_url = d.pop("source_repo_url")

        source_path = d.pop("source_path")

        destination_project = d.pop("destination_project")

        source_target_revision = d.pop("source_target_revision", UNSET)

        destination_ambient_url = d.pop("destination_ambient_url", UNSET)

        credential_id = d.pop("credential_id", UNSET)

        auto_sync = d.pop("auto_sync", UNSET)

        auto_prune = d.pop("auto_prune", UNSET)

        self_heal = d.pop("self_heal", UNSET)

        sync_options = d.pop("sync_options", UNSET)

        retry_limit = d.pop("retry_limit", UNSET)

        labels = d.pop("labels", UNSET)

        annotations = d.pop("annotations", UNSET)

        sync_status = d.pop("sync_status", UNSET)

        health_status = d.pop("health_status", UNSET)

        sync_revision = d.pop("sync_revision", UNSET)

        operation_phase = d.pop("operation_phase", UNSET)

        operation_message = d.pop("operation_message", UNSET)

        resource_status = d.pop("resource_status", UNSET)

        conditions = d.pop("conditions", UNSET)

        _last_synced_at = d.pop("last_synced_at", UNSET)
        last_synced_at: datetime.datetime | Unset
        if isinstance(_last_synced_at, Unset):
            last_synced_at = UNSET
        else:
            last_synced_at = datetime.datetime.fromisoformat(_last_synced_at)

        application = cls(
            id=id,
            kind=kind,
            href=href,
            created_at=created_at,
            updated_at=updated_at,
            name=name,
            source_repo_url=source_repo_url,
            source_path=source_path,
            destination_project=destination_project,
            source_target_revision=source_target_revision,
            destination_ambient_url=destination_ambient_url,
            credential_id=credential_id,
            auto_sync=auto_sync,
            auto_prune=auto_prune,
            self_heal=self_heal,
            sync_options=sync_options,
            retry_limit=retry_limit,
            labels=labels,
            annotations=annotations,
            sync_status=sync_status,
            health_status=health_status,
            sync_revision=sync_revision,
            operation_phase=operation_phase,
            operation_message=operation_message,
            resource_status=resource_status,
            conditions=conditions,
            last_synced_at=last_synced_at,
        )

        application.additional_properties = d
        return application

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
