from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset


T = TypeVar("T", bound="ApplicationRequest")


@_attrs_define
class ApplicationRequest:
    """Application: a folder in Git that a project is to follow. Syncing itself is not built yet.

    Example:
        {'name': 'boats', 'source_repo_url': 'https://git.example/team/agents.git', 'source_path': 'boats',
            'destination_project': 'boats'}

    Attributes:
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
    """

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
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
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

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
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

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
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

        application_request = cls(
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
        )

        application_request.additional_properties = d
        return application_request

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
