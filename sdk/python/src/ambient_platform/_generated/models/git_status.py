from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast


T = TypeVar("T", bound="GitStatus")


@_attrs_define
class GitStatus:
    """Changes since the last commit; the other fields are there when a runner answered.

    Attributes:
        modified (list[str]):
        staged (list[str]):
        untracked (list[str]):
        initialized (bool | Unset):
        has_changes (bool | Unset):
        branch (str | Unset):
        remote_url (str | Unset):
        has_remote (bool | Unset):
        files_added (int | Unset):
        files_removed (int | Unset):
        uncommitted_files (int | Unset):
        total_added (int | Unset): Lines.
        total_removed (int | Unset): Lines.
    """

    modified: list[str]
    staged: list[str]
    untracked: list[str]
    initialized: bool | Unset = UNSET
    has_changes: bool | Unset = UNSET
    branch: str | Unset = UNSET
    remote_url: str | Unset = UNSET
    has_remote: bool | Unset = UNSET
    files_added: int | Unset = UNSET
    files_removed: int | Unset = UNSET
    uncommitted_files: int | Unset = UNSET
    total_added: int | Unset = UNSET
    total_removed: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        modified = self.modified

        staged = self.staged

        untracked = self.untracked

        initialized = self.initialized

        has_changes = self.has_changes

        branch = self.branch

        remote_url = self.remote_url

        has_remote = self.has_remote

        files_added = self.files_added

        files_removed = self.files_removed

        uncommitted_files = self.uncommitted_files

        total_added = self.total_added

        total_removed = self.total_removed

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "modified": modified,
                "staged": staged,
                "untracked": untracked,
            }
        )
        if initialized is not UNSET:
            field_dict["initialized"] = initialized
        if has_changes is not UNSET:
            field_dict["hasChanges"] = has_changes
        if branch is not UNSET:
            field_dict["branch"] = branch
        if remote_url is not UNSET:
            field_dict["remoteUrl"] = remote_url
        if has_remote is not UNSET:
            field_dict["hasRemote"] = has_remote
        if files_added is not UNSET:
            field_dict["filesAdded"] = files_added
        if files_removed is not UNSET:
            field_dict["filesRemoved"] = files_removed
        if uncommitted_files is not UNSET:
            field_dict["uncommittedFiles"] = uncommitted_files
        if total_added is not UNSET:
            field_dict["totalAdded"] = total_added
        if total_removed is not UNSET:
            field_dict["totalRemoved"] = total_removed

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        modified = cast(list[str], d.pop("modified"))

        staged = cast(list[str], d.pop("staged"))

        untracked = cast(list[str], d.pop("untracked"))

        initialized = d.pop("initialized", UNSET)

        has_changes = d.pop("hasChanges", UNSET)

        branch = d.pop("branch", UNSET)

        remote_url = d.pop("remoteUrl", UNSET)

        has_remote = d.pop("hasRemote", UNSET)

        files_added = d.pop("filesAdded", UNSET)

        files_removed = d.pop("filesRemoved", UNSET)

        uncommitted_files = d.pop("uncommittedFiles", UNSET)

        total_added = d.pop("totalAdded", UNSET)

        total_removed = d.pop("totalRemoved", UNSET)

        git_status = cls(
            modified=modified,
            staged=staged,
            untracked=untracked,
            initialized=initialized,
            has_changes=has_changes,
            branch=branch,
            remote_url=remote_url,
            has_remote=has_remote,
            files_added=files_added,
            files_removed=files_removed,
            uncommitted_files=uncommitted_files,
            total_added=total_added,
            total_removed=total_removed,
        )

        git_status.additional_properties = d
        return git_status

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
