from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset


T = TypeVar("T", bound="ApplicationPatchRequest")


@_attrs_define
class ApplicationPatchRequest:
    """What a PATCH may hold: two values of the status ask for an action, the rest of it is ignored.

    Attributes:
        name (str | Unset):
        source_repo_url (str | Unset):
        source_path (str | Unset):
        source_target_revision (str | Unset): Branch, tag or commit.
        destination_project (str | Unset): Project id.
        destination_ambient_url (str | Unset): Another Ambient server; empty: this one.
        credential_id (str | Unset): Needed with destination_ambient_url.
        auto_sync (bool | Unset): Sync when it is out of sync.
        auto_prune (bool | Unset): Delete what left Git; never projects.
        self_heal (bool | Unset): Sync also when the project was changed by hand.
        sync_options (str | Unset): Comma list, such as CreateProject=true.
        retry_limit (int | Unset):
        labels (str | Unset):
        annotations (str | Unset):
        sync_status (str | Unset): "Unknown" asks for a refresh; anything else is ignored.
        operation_phase (str | Unset): "Running" asks for a sync; anything else is ignored.
    """

    name: str | Unset = UNSET
    source_repo_url: str | Unset = UNSET
    source_path: str | Unset = UNSET
    source_target_revision: str | Unset = UNSET
    destination_project: str | Unset = UNSET
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
    operation_phase: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        source_repo_url = self.source_repo_url

        source_path = self.source_path

        source_target_revision = self.source_target_revision

        destination_project = self.destination_project

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

        operation_phase = self.operation_phase

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if name is not UNSET:
            field_dict["name"] = name
        if source_repo_url is not UNSET:
            field_dict["source_repo_url"] = source_repo_url
        if source_path is not UNSET:
            field_dict["source_path"] = source_path
        if source_target_revision is not UNSET:
            field_dict["source_target_revision"] = source_target_revision
        if destination_project is not UNSET:
            field_dict["destination_project"] = destination_project
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
        if operation_phase is not UNSET:
            field_dict["operation_phase"] = operation_phase

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name", UNSET)

        source_repo_url = d.pop("source_repo_url", UNSET)

        source_path = d.pop("source_path", UNSET)

        source_target_revision = d.pop("source_target_revision", UNSET)

        destination_project = d.pop("destination_project", UNSET)

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

        operation_phase = d.pop("operation_phase", UNSET)

        application_patch_request = cls(
            name=name,
            source_repo_url=source_repo_url,
            source_path=source_path,
            source_target_revision=source_target_revision,
            destination_project=destination_project,
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
            operation_phase=operation_phase,
        )

        application_patch_request.additional_properties = d
        return application_patch_request

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
